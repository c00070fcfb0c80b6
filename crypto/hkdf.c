/* SPDX-License-Identifier: MIT
 *
 * HKDF on br_hmac. BearSSL has one of its own that keeps a context and hands out bytes piece by piece; a key schedule
 * asks for one short block at a time, each under another key.
 */
#include "crypto/hkdf.h"

#include "base/bytes.h"
#include "base/mem.h"

#include <assert.h>
#include <string.h>

size_t hkdf_hash_len(const br_hash_class *hash)
{
    return hash->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
}

void hkdf_hmac(const br_hash_class *hash, const void *key, size_t key_len, const void *data, size_t len,
               void *out)
{
    br_hmac_key_context keyed;
    br_hmac_context hmac;

    br_hmac_key_init(&keyed, hash, key, key_len);
    br_hmac_init(&hmac, &keyed, 0);
    br_hmac_update(&hmac, data, len);
    br_hmac_out(&hmac, out);
    mem_wipe(&keyed, sizeof keyed);
    mem_wipe(&hmac, sizeof hmac);
}

void hkdf_extract(const br_hash_class *hash, const void *salt, size_t salt_len, const void *secret,
                  size_t secret_len, void *out)
{
    hkdf_hmac(hash, salt, salt_len, secret, secret_len, out);
}

void hkdf_expand(const br_hash_class *hash, const void *prk, const void *info, size_t info_len, void *out,
                 size_t len)
{
    size_t hash_len = hkdf_hash_len(hash), done = 0;
    uint8_t block[HKDF_HASH_MAX], number = 0;
    br_hmac_key_context keyed;
    br_hmac_context hmac;

    assert(len <= 255 * hash_len);
    br_hmac_key_init(&keyed, hash, prk, hash_len);
    while (done < len) {
        size_t k = len - done < hash_len ? len - done : hash_len;

        br_hmac_init(&hmac, &keyed, 0);
        if (number)
            br_hmac_update(&hmac, block, hash_len);
        br_hmac_update(&hmac, info, info_len);
        number++;
        br_hmac_update(&hmac, &number, 1);
        br_hmac_out(&hmac, block);
        memcpy((uint8_t *)out + done, block, k);
        done += k;
    }
    mem_wipe(&keyed, sizeof keyed);
    mem_wipe(&hmac, sizeof hmac);
    mem_wipe(block, sizeof block);
}

void hkdf_expand_label(const br_hash_class *hash, const void *secret, const char *label, const void *context,
                       size_t context_len, void *out, size_t len)
{
    uint8_t info[2 + 1 + 6 + 32 + 1 + HKDF_HASH_MAX];
    struct writer w = writer_of(info, sizeof info);

    writer_u16(&w, (uint16_t)len);
    size_t vector = writer_open(&w, 1);
    writer_str(&w, "tls13 ");
    writer_str(&w, label);
    writer_close(&w, vector, 1);
    vector = writer_open(&w, 1);
    writer_put(&w, context, context_len);
    writer_close(&w, vector, 1);
    assert(!w.failed);
    hkdf_expand(hash, secret, info, writer_len(&w), out, len);
}
