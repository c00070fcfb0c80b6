/* SPDX-License-Identifier: MIT
 *
 * Owns the reading of a PKCS#1 key: nothing but INTEGERs in a SEQUENCE.
 */
#include "tests/unit/crypto/rsa_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *enter(const uint8_t *p, uint8_t tag, size_t *len)
{
    if (*p++ != tag)
        abort();
    *len = *p++;
    if (*len >= 0x80) {
        unsigned n = *len & 0x7f;

        for (*len = 0; n > 0; n--)
            *len = *len << 8 | *p++;
    }
    return p;
}

/* The next INTEGER, without the zero before it, to `to`; its length. */
static size_t number(const uint8_t **p, uint8_t *to, size_t room)
{
    size_t len;
    const uint8_t *content = enter(*p, 0x02, &len);

    *p = content + len;
    while (len > 1 && *content == 0) {
        content++;
        len--;
    }
    if (len > room)
        abort();
    memcpy(to, content, len);
    return len;
}

void rsa_key_load(struct rsa_key *k, const char *name)
{
    char path[64];
    uint8_t der[4096], skipped[520];
    const uint8_t *p = der;
    size_t len;
    FILE *f;

    snprintf(path, sizeof path, "tests/vectors/rsa/%s.der", name);
    f = fopen(path, "rb");
    if (f == NULL || fread(der, 1, sizeof der, f) == 0) {
        printf("%s cannot be read\n", path);
        exit(1);
    }
    fclose(f);
    memset(k, 0, sizeof *k);
    p = enter(p, 0x30, &len);
    number(&p, skipped, sizeof skipped); /* version */
    k->pk.nlen = number(&p, k->n, sizeof k->n);
    k->pk.elen = number(&p, k->e, sizeof k->e);
    number(&p, skipped, sizeof skipped); /* d */
    k->sk.plen = number(&p, k->part[RSA_KEY_P], sizeof k->part[0]);
    k->sk.qlen = number(&p, k->part[RSA_KEY_Q], sizeof k->part[0]);
    k->sk.dplen = number(&p, k->part[RSA_KEY_DP], sizeof k->part[0]);
    k->sk.dqlen = number(&p, k->part[RSA_KEY_DQ], sizeof k->part[0]);
    k->sk.iqlen = number(&p, k->part[RSA_KEY_IQ], sizeof k->part[0]);
    k->sk.p = k->part[RSA_KEY_P];
    k->sk.q = k->part[RSA_KEY_Q];
    k->sk.dp = k->part[RSA_KEY_DP];
    k->sk.dq = k->part[RSA_KEY_DQ];
    k->sk.iq = k->part[RSA_KEY_IQ];
    k->pk.n = k->n;
    k->pk.e = k->e;
    k->sk.n_bitlen = (uint32_t)k->pk.nlen * 8;
    for (uint8_t top = k->n[0]; (top & 0x80) == 0; top = (uint8_t)(top << 1))
        k->sk.n_bitlen--;
}

void rsa_key_hash(const br_hash_class *hash_class, const void *message, size_t len, uint8_t *hash)
{
    br_hash_compat_context context;

    hash_class->init(&context.vtable);
    hash_class->update(&context.vtable, message, len);
    hash_class->out(&context.vtable, hash);
}
