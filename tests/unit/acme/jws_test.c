/* SPDX-License-Identifier: MIT
 *
 * Signatures are taken apart again and verified by BearSSL's own functions, which are held against RFC 7515's examples
 * first; thumbprints are held against RFC 7638, and against what openssl made of the same bytes.
 */
#include "tests/unit/test.h"

#include "acme/json.h"
#include "acme/jws.h"
#include "base/mem.h"
#include "base/text.h"
#include "certs/der.h"
#include "certs/key.h"
#include "certs/pem.h"
#include "crypto/impl.h"

#include <stdlib.h>

static struct tls_identity *fresh_key(void)
{
    struct tls_identity *id = tls_identity_new("k");

    CHECK(key_generate(id, BR_EC_secp256r1));
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

/* ---- the examples of the RFCs ---- */

/* RFC 7515 §A.2.1: n, e, d, p, q, dp, dq, qi. */
static const char *const rfc7515_a2[8] = {
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1"
    "Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpa"
    "SHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4"
    "LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    "AQAB",
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwV"
    "ol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzj"
    "kn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaF"
    "QT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0H"
    "w_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7T"
    "jeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
    "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-F"
    "OKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
    "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do"
    "9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
    "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3yd"
    "y5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
};

/* RFC 7517 §A.2, whose public half is RFC 7638 §3.1's: n, e, d, p, q, dp, dq, qi. */
static const char *const rfc7517_a2[8] = {
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc"
    "_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQ"
    "R0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bF"
    "TWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "AQAB",
    "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0Wb"
    "FAKNLWY2vv7B6NqXSzUvxT0_YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaM"
    "wFs9tv8d_cPVY3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7xojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8b"
    "gkuqsk0GjskDJk19Z4qwjwbsnn4j2WBii3RL-Us2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcKoAC8Q",
    "83i-7IvMGXoMXCskv73TKr8637FiO7Z27zv8oj6pbWUQyLPQBQxtPVnwD20R-60eTDmD2ujnMt5PoqMrm8RfmN"
    "hVWDtjjMmCMjOpSXicFHj7XOuVIYQyqVWlWEh6dN36GVZYk93N8Bc9vY41xy8B9RzzOGVQzXvNEvn7O0nVbfs",
    "3dfOR9cuYq-0S-mkFLzgItgMEfFzB2q3hWehMuG0oCuqnb3vobLyumqjVZQO1dIrdwgTnCdpYzBcOfW5r370AF"
    "XjiWft_NGEiovonizhKpo9VVS78TzFgxkIdrecRezsZ-1kYd_s1qDbxtkDEgfAITAG9LUnADun4vIcb6yelxk",
    "G4sPXkc6Ya9y8oJW9_ILj4xuppu0lzi_H7VTkS8xj5SdX3coE0oimYwxIi2emTAue0UOa5dpgFGyBJ4c8tQ2VF"
    "402XRugKDTP8akYhFo5tAA77Qe_NmtuYZc3C3m3I24G2GvR5sSDxUyAN2zq8Lfn9EUms6rY3Ob8YeiKkTiBj0",
    "s9lAH9fggBsoFR8Oac2R_E2gw282rT2kGOAhvIllETE1efrA6huUUvMfBcMpn8lqeW6vzznYY5SSQF7pMdC_ag"
    "I3nG8Ibp1BUb0JUiraRNqUfLhcQb_d9GF4Dh7e74WbRsobRonujTYN1xCaP6TO61jvWrX-L18txXw494Q_cgk",
    "GyM_p6JrXySiz1toFgKbWV-JdI3jQ4ypu9rbMWx3rQJBfmt0FoYzgUIZEVFEcOqwemRN81zoDAaa-Bk0KWNGDj"
    "JHZDdDmFhW3AN7lI-puxk_mHZGJ11rxyR8O55XLSe3SPmRfKwZI6yU24ZxvQKFYItdldUKGzO6Ia6zTKhAVRU",
};

static void put_number(struct writer *w, const char *text)
{
    uint8_t number[256];

    der_put_unsigned(w, bytes_of(number, decode(text, number, sizeof number)));
}

static struct tls_identity *rsa_key_of(const char *const parts[8])
{
    struct tls_identity *id = tls_identity_new("k");
    uint8_t der[2048];
    struct writer w = writer_of(der, sizeof der);
    size_t mark = der_open(&w, DER_SEQUENCE);

    put_number(&w, "AA"); /* the version */
    for (unsigned i = 0; i < 8; i++)
        put_number(&w, parts[i]);
    der_close(&w, mark);
    CHECK_STR(key_parse(id, KEY_PKCS1, bytes_of(der, writer_len(&w))), NULL);
    return id;
}

/* RFC 7515 §A.3.1 */
static struct tls_identity *ec_key_of_rfc7515(void)
{
    struct tls_identity *id = tls_identity_new("k");
    uint8_t d[32], der[200];
    struct writer w = writer_of(der, sizeof der);
    size_t mark = der_open(&w, DER_SEQUENCE);

    CHECK_EQ(decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", d, sizeof d), 32);
    put_number(&w, "AQ"); /* the version */
    der_put(&w, DER_OCTET_STRING, bytes_of(d, 32));
    size_t curve = der_open(&w, DER_CONTEXT_CONSTRUCTED + 0);
    der_put(&w, DER_OID, key_oid_p256);
    der_close(&w, curve);
    der_close(&w, mark);
    CHECK_STR(key_parse(id, KEY_SEC1, bytes_of(der, writer_len(&w))), NULL);
    return id;
}

static void check_thumbprint(const struct tls_identity *key, const char *expected)
{
    char text[JWS_THUMBPRINT + 1], authorization[50];
    struct writer w = writer_of(authorization, sizeof authorization);

    CHECK(jws_thumbprint(key, text));
    CHECK_STR(text, expected);
    CHECK(jws_key_authorization(&w, key, bytes_str("token")));
    CHECK_EQ(writer_len(&w), 49);
    CHECK_MEM(authorization, 6, "token.", 6);
    CHECK_MEM(authorization + 6, 43, expected, 43);
    w = writer_of(authorization, 48);
    CHECK(!jws_key_authorization(&w, key, bytes_str("token")));
}

/* RFC 7638 §3.1; that of the other key was computed apart, with openssl dgst over the text of §3.3. */
TEST(thumbprints)
{
    struct tls_identity *rsa = rsa_key_of(rfc7517_a2), *ec = ec_key_of_rfc7515();

    check_thumbprint(rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    check_thumbprint(ec, "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    tls_identity_unref(rsa);
    tls_identity_unref(ec);
}

/* RFC 7515 §A.2.1, §A.3.1: what signs here makes the first again, and what verifies in these tests takes both. */
TEST(signatures_of_the_rfc)
{
    static const char payload[] = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                                  "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
                      rs256[] = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
                                "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
                                "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
                                "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
                                "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
                                "p0igcN_IoypGlUPQGe77Rw",
                      es256[] = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
                                "pmWQxfKTUJqPP3-Kg6NU1Q";
    struct tls_identity *rsa = rsa_key_of(rfc7515_a2), *ec = ec_key_of_rfc7515();
    uint8_t expected[256], made[256], hash[32];
    br_sha256_context c;

    CHECK(verifies(rsa, "eyJhbGciOiJSUzI1NiJ9", payload, rs256));
    CHECK(verifies(ec, "eyJhbGciOiJFUzI1NiJ9", payload, es256));
    CHECK(!verifies(ec, "eyJhbGciOiJSUzI1NiJ9", payload, es256));
    br_sha256_init(&c);
    br_sha256_update(&c, "eyJhbGciOiJSUzI1NiJ9.", 21);
    br_sha256_update(&c, payload, strlen(payload));
    br_sha256_out(&c, hash);
    CHECK_EQ(crypto_impl()->rsa_sign(BR_HASH_OID_SHA256, hash, 32, &rsa->key.rsa, made), 1);
    CHECK_EQ(decode(rs256, expected, sizeof expected), 256);
    CHECK_MEM(made, 256, expected, 256);
    tls_identity_unref(rsa);
    tls_identity_unref(ec);
}

/* A signature's numbers have their fixed length (RFC 7518 §3.4) also when they are small, as one in 256 is. */
TEST(small_numbers)
{
    struct tls_identity *id = ec_key_of_rfc7515();
    bool small_r = false, small_s = false;

    for (unsigned i = 0; i < 3000 && (!small_r || !small_s); i++) {
        char text[1024], nonce[12];
        struct writer w = writer_of(text, sizeof text);
        const char *why;
        uint8_t raw[64];
        char *header, *payload, *signature;
        struct json *j;

        snprintf(nonce, sizeof nonce, "%u", i);
        CHECK(jws_sign(&w, id, "https://ca.test/1", nonce, "https://ca.test/x", bytes_str("")));
        j = json_parse(bytes_of(text, writer_len(&w)), &why);
        header = member(j, "protected");
        payload = member(j, "payload");
        signature = member(j, "signature");
        CHECK_STR(payload, ""); /* POST-as-GET (RFC 8555 §6.3) */
        CHECK_EQ(decode(signature, raw, sizeof raw), 64);
        if (raw[0] == 0 || raw[32] == 0)
            CHECK(verifies(id, header, payload, signature));
        small_r |= raw[0] == 0;
        small_s |= raw[32] == 0;
        mem_free(header);
        mem_free(payload);
        mem_free(signature);
        json_free(j);
    }
    CHECK(small_r && small_s);
    tls_identity_unref(id);
}

/* Byte by byte: the order, the public key's numbers, what a nonce or an account's URL must not be able to end. */
TEST(headers)
{
    static const char jwk[] =
        "{\"alg\":\"ES256\",\"jwk\":{\"crv\":\"P-256\",\"kty\":\"EC\","
        "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
        ",\"nonce\":\"n-1\",\"url\":\"https://ca.test/x\"}",
                      kid[] = "{\"alg\":\"ES256\",\"kid\":\"https://ca.test/\\\"\",\"nonce\":\"\\\\\\u000a\","
                              "\"url\":\"https://ca.test/x\"}";
    static const struct {
        const char *account, *nonce, *expected;
    } cases[] = {
        {NULL,                 "n-1",  jwk},
        {"https://ca.test/\"", "\\\n", kid},
    };
    struct tls_identity *id = ec_key_of_rfc7515();

    for (size_t i = 0; i < 2; i++) {
        char text[1024], plain[1024];
        struct writer w = writer_of(text, sizeof text);
        const char *why;
        struct json *j;
        char *header;
        size_t n;

        CHECK(jws_sign(&w, id, cases[i].account, cases[i].nonce, "https://ca.test/x", bytes_str("{}")));
        j = json_parse(bytes_of(text, writer_len(&w)), &why);
        header = member(j, "protected");
        n = decode(header, (uint8_t *)plain, sizeof plain);
        CHECK_MEM(plain, n, cases[i].expected, strlen(cases[i].expected));
        mem_free(header);
        json_free(j);
    }
    tls_identity_unref(id);
}

TEST(external_accounts)
{
    struct tls_identity *id = fresh_key();
    char text[8192], input[8192];
    struct writer w = writer_of(text, sizeof text);
    uint8_t mac[64], expected[32], secret[64];
    static const char binding[] =
        "{\"alg\":\"HS256\",\"kid\":\"kid-1\",\"url\":\"https://ca.test/new-account\"}";
    static const char *const bad[] = {"", "not base64!", "zWNDZ", "zWNDZM==", "zWND+M6e", "zWNDZN"};
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
    n = decode(header, (uint8_t *)input, sizeof input);
    CHECK_MEM(input, n, binding, strlen(binding));
    n = decode(payload, (uint8_t *)input, sizeof input);
    CHECK_MEM(input, 25, "{\"crv\":\"P-256\",\"kty\":\"EC\"", 25);
    CHECK_EQ(input[n - 1], '}');
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!CHECK(!jws_external_account(&w, id, "kid-1", bad[i], "https://ca.test/")))
            printf("    %s\n", bad[i]);
    memset(input, 'A', 513);
    input[513] = '\0';
    CHECK(!jws_external_account(&w, id, "kid-1", input, "https://ca.test/"));
    input[512] = '\0'; /* the longest, and what it makes of too little room */
    for (size_t room = 0; room < 700; room += 13) {
        struct writer small = writer_of(text, room);

        if (jws_external_account(&small, id, "kid-1", input, "https://ca.test/"))
            break;
        CHECK(room < 400);
    }
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

TEST_MAIN(RUN(signatures), RUN(keys_without_an_algorithm), RUN(thumbprints), RUN(signatures_of_the_rfc),
          RUN(small_numbers), RUN(headers), RUN(external_accounts), RUN(no_room))
