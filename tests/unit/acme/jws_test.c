/* SPDX-License-Identifier: MIT
 *
 * Signatures are taken apart again and verified by BearSSL's own functions; thumbprints and MACs are held against
 * RFC 7638, and against what openssl made of the same bytes.
 */
#include "tests/unit/test.h"

#include "acme/csr.h"
#include "acme/json.h"
#include "acme/jws.h"
#include "base/mem.h"
#include "base/text.h"
#include "certs/der.h"
#include "certs/key.h"
#include "certs/pem.h"
#include "certs/x509.h"
#include "certs/x509_write.h"

#include <stdlib.h>

static struct tls_identity *fresh_key(void)
{
    struct tls_identity *id = tls_identity_new("k");

    CHECK(key_generate(id));
    return id;
}

static struct tls_identity *key_of_pem(const char *path)
{
    struct tls_identity *id = tls_identity_new("k");
    static char text[8192];
    FILE *f = popen(path, "r");
    size_t n = f != NULL ? fread(text, 1, sizeof text, f) : 0;

    if (f != NULL)
        pclose(f);
    CHECK_STR(pem_load_key(id, bytes_of(text, n)), NULL);
    return id;
}

static size_t decode(const char *text, uint8_t *out, size_t cap)
{
    char plain[4096];
    size_t n = strlen(text), len = 0;

    for (size_t i = 0; i < n; i++)
        plain[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
    while (n % 4)
        plain[n++] = '=';
    CHECK(text_base64_decode(bytes_of(plain, n), out, cap, &len));
    return len;
}

static char *member(const struct json *j, const char *name)
{
    char *text = json_string(j, json_member(j, JSON_ROOT, name));

    CHECK(text != NULL);
    return text;
}

static bool verifies(const struct tls_identity *key, const char *header, const char *payload,
                     const char *signature)
{
    uint8_t hash[64], raw[600], buffer[KEY_RSA_MAX], exponent[4], out[32];
    const br_hash_class *hf = key->key_type == TLS_KEY_EC_P384 ? &br_sha384_vtable : &br_sha256_vtable;
    br_hash_compat_context c;
    size_t len = decode(signature, raw, sizeof raw);

    hf->init(&c.vtable);
    hf->update(&c.vtable, header, strlen(header));
    hf->update(&c.vtable, ".", 1);
    hf->update(&c.vtable, payload, strlen(payload));
    hf->out(&c.vtable, hash);
    if (key->key_type == TLS_KEY_RSA) {
        struct bytes n = key_rsa_modulus(&key->key.rsa, buffer);
        uint32_t e = key_rsa_exponent(&key->key.rsa);
        br_rsa_public_key pk = {buffer, n.n, exponent, 4};

        for (int i = 0; i < 4; i++)
            exponent[i] = (uint8_t)(e >> (24 - 8 * i));
        return br_rsa_pkcs1_vrfy_get_default()(raw, len, BR_HASH_OID_SHA256, 32, &pk, out) &&
               !memcmp(out, hash, 32);
    } else {
        struct bytes q = key_public_point(key, buffer);
        br_ec_public_key pk = {key->key.ec.curve, buffer, q.n};

        CHECK_EQ(len, key->key_type == TLS_KEY_EC_P384 ? 96 : 64);
        return br_ecdsa_i31_vrfy_raw(br_ec_get_default(), hash, key->key_type == TLS_KEY_EC_P384 ? 48 : 32,
                                     &pk, raw, len) == 1;
    }
}

static void check_jws(const struct tls_identity *key, const char *alg, const char *account)
{
    char text[8192], plain[4096];
    struct writer w = writer_of(text, sizeof text);
    const char *why;
    struct json *j, *h;
    char *header, *payload, *signature, *s;
    size_t n;

    if (!CHECK(jws_sign(&w, key, account, "nonce-1", "https://ca.test/x", bytes_str("{\"a\":1}")))) {
        printf("    %s\n", alg);
        return;
    }
    j = json_parse(bytes_of(text, writer_len(&w)), &why);
    header = member(j, "protected");
    payload = member(j, "payload");
    signature = member(j, "signature");
    CHECK(verifies(key, header, payload, signature));
    n = decode(payload, (uint8_t *)plain, sizeof plain);
    CHECK_MEM(plain, n, "{\"a\":1}", 7);
    n = decode(header, (uint8_t *)plain, sizeof plain);
    h = json_parse(bytes_of(plain, n), &why);
    CHECK(json_is(h, json_member(h, JSON_ROOT, "alg"), alg));
    CHECK(json_is(h, json_member(h, JSON_ROOT, "nonce"), "nonce-1"));
    CHECK(json_is(h, json_member(h, JSON_ROOT, "url"), "https://ca.test/x"));
    CHECK_EQ(json_member(h, JSON_ROOT, "jwk") >= 0, account == NULL);
    CHECK_EQ(json_member(h, JSON_ROOT, "kid") >= 0, account != NULL);
    s = signature;
    s[10] = s[10] == 'A' ? 'B' : 'A';
    CHECK(!verifies(key, header, payload, signature));
    mem_free(header);
    mem_free(payload);
    mem_free(signature);
    json_free(h);
    json_free(j);
}

TEST(signatures)
{
    struct tls_identity *p256 = fresh_key();
    struct tls_identity *p384 =
        key_of_pem("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 2>/dev/null");
    struct tls_identity *rsa =
        key_of_pem("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null");

    for (int i = 0; i < 20; i++) /* short numbers are padded */
        check_jws(p256, "ES256", i % 2 ? NULL : "https://ca.test/acct/1");
    check_jws(p384, "ES384", NULL);
    check_jws(rsa, "RS256", NULL);
    tls_identity_unref(p256);
    tls_identity_unref(p384);
    tls_identity_unref(rsa);
}

TEST(keys_without_an_algorithm)
{
    struct tls_identity *id =
        key_of_pem("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 2>/dev/null");
    char text[8192];
    struct writer w = writer_of(text, sizeof text);

    CHECK(!jws_sign(&w, id, NULL, "n", "https://a/", bytes_str("")));
    CHECK(!jws_key_authorization(&w, id, bytes_str("t")));
    tls_identity_unref(id);
}

/* The key of RFC 7515 §A.3.1; its thumbprint was computed apart, with openssl dgst over the text of RFC 7638 §3.3. */
TEST(thumbprint)
{
    struct tls_identity *id = tls_identity_new("k");
    uint8_t d[32], key[200];
    char text[200];
    struct writer w = writer_of(key, sizeof key), t = writer_of(text, sizeof text);
    size_t mark = der_open(&w, DER_SEQUENCE);
    static const uint8_t one = 1, p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

    CHECK_EQ(decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", d, sizeof d), 32);
    der_put_unsigned(&w, bytes_of(&one, 1));
    der_put(&w, DER_OCTET_STRING, bytes_of(d, 32));
    size_t curve = der_open(&w, DER_CONTEXT_CONSTRUCTED + 0);
    der_put(&w, DER_OID, bytes_of(p256, sizeof p256));
    der_close(&w, curve);
    der_close(&w, mark);
    CHECK_STR(key_parse(id, KEY_SEC1, bytes_of(key, writer_len(&w))), NULL);
    CHECK(jws_key_authorization(&t, id, bytes_str("token")));
    CHECK_MEM(text, writer_len(&t), "token.oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U", 49);
    tls_identity_unref(id);
}

TEST(external_accounts)
{
    struct tls_identity *id = fresh_key();
    char text[8192], input[8192];
    struct writer w = writer_of(text, sizeof text);
    uint8_t mac[64], expected[32], secret[64];
    const char *why, key[] = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    struct json *j;
    char *header, *payload, *signature;
    br_hmac_key_context kc;
    br_hmac_context hc;
    size_t n;

    CHECK(jws_external_account(&w, id, "kid-1", key, "https://ca.test/new-account"));
    j = json_parse(bytes_of(text, writer_len(&w)), &why);
    header = member(j, "protected");
    payload = member(j, "payload");
    signature = member(j, "signature");
    n = (size_t)snprintf(input, sizeof input, "%s.%s", header, payload);
    br_hmac_key_init(&kc, &br_sha256_vtable, secret, decode(key, secret, sizeof secret));
    br_hmac_init(&hc, &kc, 0);
    br_hmac_update(&hc, input, n);
    br_hmac_out(&hc, expected);
    CHECK_EQ(decode(signature, mac, sizeof mac), 32);
    CHECK_MEM(mac, 32, expected, 32);
    CHECK(!jws_external_account(&w, id, "kid-1", "not base64!", "https://ca.test/"));
    mem_free(header);
    mem_free(payload);
    mem_free(signature);
    json_free(j);
    tls_identity_unref(id);
}

/* Too little room fails, whatever the size, and writes nothing behind it. */
TEST(no_room)
{
    struct tls_identity *id = fresh_key();
    uint8_t text[700];
    struct writer whole = writer_of(text, sizeof text);

    CHECK(jws_sign(&whole, id, NULL, "nonce", "https://ca.test/x", bytes_str("{}")));
    const size_t len = writer_len(&whole);

    for (size_t n = 0; n < len; n++) {
        struct writer w = writer_of(text, n);

        memset(text, 0xa5, sizeof text);
        CHECK(!jws_sign(&w, id, NULL, "nonce", "https://ca.test/x", bytes_str("{}")));
        CHECK_EQ(text[n], 0xa5);
    }
    tls_identity_unref(id);
}

/* ---- requests for certificates ---- */

static void check_csr(struct tls_identity *key)
{
    static const char *const names[] = {"a.test", "192.0.2.1", "2001:db8::1", "b.a.test"};
    uint8_t der[2048];
    char pem[4096];
    struct writer w = writer_of(der, sizeof der), p = writer_of(pem, sizeof pem);
    FILE *f;

    if (!CHECK(csr_write(&w, key, names, 4)))
        return;
    pem_write(&p, "CERTIFICATE REQUEST", bytes_of(der, writer_len(&w)));
    f = popen(
        "openssl req -verify -noout -text 2>&1 | grep -E 'verify OK|DNS:a.test, IP Address:192.0.2.1, IP "
        "Address:2001:DB8:0:0:0:0:0:1, DNS:b.a.test' | wc -l | grep -q '^2$'",
        "w");
    fwrite(pem, 1, writer_len(&p), f);
    CHECK_EQ(pclose(f), 0);
    for (size_t n = 0; n < writer_len(&w); n += 7) {
        struct writer small = writer_of(pem, n);

        CHECK(!csr_write(&small, key, names, 4));
    }
}

TEST(requests)
{
    struct tls_identity *p256 = fresh_key();
    struct tls_identity *p384 =
        key_of_pem("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 2>/dev/null");
    struct tls_identity *rsa =
        key_of_pem("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 2>/dev/null");

    check_csr(p256);
    check_csr(p384);
    check_csr(rsa);
    tls_identity_unref(p256);
    tls_identity_unref(p384);
    tls_identity_unref(rsa);
}

TEST_MAIN(RUN(signatures), RUN(keys_without_an_algorithm), RUN(thumbprint), RUN(external_accounts),
          RUN(no_room), RUN(requests))
