/* SPDX-License-Identifier: MIT
 *
 * Owns what is known of private keys: their formats, what makes one acceptable, and the making of a new one.
 * The invariant: key.ec or key.rsa points into key_data and nowhere else, so that wiping key_data wipes the
 * key; and an EC key is in [1, n-1], as wide as the curve's order, for BearSSL multiplies by whatever it is
 * given.
 */
#include "certs/key.h"

#include "base/mem.h"
#include "crypto/impl.h"
#include "base/random.h"
#include "certs/der.h"

#include <string.h>

/* RFC 5480 §2.1.1, RFC 8017 §A. */
static const uint8_t oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const uint8_t oid_p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t oid_p384[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t oid_p521[] = {0x2b, 0x81, 0x04, 0x00, 0x23};
/* Those that are named only to be refused. */
static const uint8_t oid_rsa_pss[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};
static const uint8_t oid_dsa[] = {0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01};
static const uint8_t oid_x25519[] = {0x2b, 0x65, 0x6e};
static const uint8_t oid_x448[] = {0x2b, 0x65, 0x6f};
static const uint8_t oid_ed25519[] = {0x2b, 0x65, 0x70};
static const uint8_t oid_ed448[] = {0x2b, 0x65, 0x71};
static const uint8_t oid_p192[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x01};
static const uint8_t oid_p224[] = {0x2b, 0x81, 0x04, 0x00, 0x21};
static const uint8_t oid_secp256k1[] = {0x2b, 0x81, 0x04, 0x00, 0x0a};
static const uint8_t oid_brainpool_p256[] = {0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07};
static const uint8_t oid_brainpool_p384[] = {0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b};
static const uint8_t oid_brainpool_p512[] = {0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d};

const struct bytes key_oid_ec = {.p = oid_ec, .n = sizeof oid_ec};
const struct bytes key_oid_rsa = {.p = oid_rsa, .n = sizeof oid_rsa};
const struct bytes key_oid_p256 = {.p = oid_p256, .n = sizeof oid_p256};

#define OID(name) name, sizeof name

static const struct {
    const uint8_t *oid;
    size_t oid_len;
    int curve;
    enum tls_key_type type;
} curves[] = {
    {OID(oid_p256), BR_EC_secp256r1, TLS_KEY_EC_P256},
    {OID(oid_p384), BR_EC_secp384r1, TLS_KEY_EC_P384},
    {OID(oid_p521), BR_EC_secp521r1, TLS_KEY_EC_P521},
};

#define NOT_TAKEN(kind)   kind " key, which browsers do not take; make a P-256 or an RSA key"
#define CANNOT_SIGN(kind) kind " key, which cannot sign; make a P-256 or an RSA key"
#define ON_CURVE(curve)   "an EC key on " curve ", which is not supported; use P-256 or P-384"

/* What people have lying about, key types and curves alike, and what to say of it. */
static const struct {
    const uint8_t *oid;
    size_t oid_len;
    const char *problem;
} refused[] = {
    {OID(oid_rsa_pss),        NOT_TAKEN("an RSA-PSS")    },
    {OID(oid_dsa),            NOT_TAKEN("a DSA")         },
    {OID(oid_ed25519),        NOT_TAKEN("an Ed25519")    },
    {OID(oid_ed448),          NOT_TAKEN("an Ed448")      },
    {OID(oid_x25519),         CANNOT_SIGN("an X25519")   },
    {OID(oid_x448),           CANNOT_SIGN("an X448")     },
    {OID(oid_p192),           ON_CURVE("P-192")          },
    {OID(oid_p224),           ON_CURVE("P-224")          },
    {OID(oid_secp256k1),      ON_CURVE("secp256k1")      },
    {OID(oid_brainpool_p256), ON_CURVE("brainpoolP256r1")},
    {OID(oid_brainpool_p384), ON_CURVE("brainpoolP384r1")},
    {OID(oid_brainpool_p512), ON_CURVE("brainpoolP512r1")},
};

static const char damaged[] = "the private key is damaged";
static const char no_memory[] = "out of memory";

static const char *why_refused(struct bytes oid, const char *otherwise)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (bytes_equal(oid, bytes_of(refused[i].oid, refused[i].oid_len)))
            return refused[i].problem;
    return otherwise;
}

int key_curve_of_oid(struct bytes oid)
{
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
        if (bytes_equal(oid, bytes_of(curves[i].oid, curves[i].oid_len)))
            return curves[i].curve;
    return 0;
}

struct bytes key_oid_of_curve(int curve)
{
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
        if (curves[i].curve == curve)
            return bytes_of(curves[i].oid, curves[i].oid_len);
    return (struct bytes){NULL, 0};
}

static enum tls_key_type type_of_curve(int curve)
{
    size_t i = 0;

    while (curves[i].curve != curve)
        i++;
    return curves[i].type;
}

/* x in [1, n-1], both `len` bytes; no branch depends on x. */
static bool in_range(const uint8_t *x, const uint8_t *n, size_t len)
{
    unsigned any = 0, borrow = 0;

    for (size_t i = len; i-- > 0;) {
        any |= x[i];
        borrow = ((unsigned)x[i] - n[i] - borrow) >> 8 & 1;
    }
    return (any != 0) & (borrow == 1);
}

static bool take_ec(struct tls_identity *id, int curve, uint8_t *x, size_t len)
{
    id->key_data = x;
    id->key_data_len = len;
    id->key_type = type_of_curve(curve);
    id->key.ec = (br_ec_private_key){.curve = curve, .x = x, .xlen = len};
    return true;
}

static const char *make_ec(struct tls_identity *id, int curve, struct bytes value)
{
    size_t len;
    const uint8_t *order = crypto_impl()->ec->order(curve, &len);
    uint8_t *x;

    while (value.n > len && value.p[0] == 0) {
        value.p++;
        value.n--;
    }
    if (value.n > len)
        return damaged;
    x = mem_zalloc(len);
    if (x == NULL)
        return no_memory;
    if (value.n > 0)
        memcpy(x + len - value.n, value.p, value.n);
    if (!in_range(x, order, len)) {
        mem_wipe_free(x, len);
        return damaged;
    }
    take_ec(id, curve, x, len);
    return NULL;
}

/* `outer_curve` is what PKCS#8 said around it; empty leaves it to the key's own parameters. */
static const char *parse_sec1(struct tls_identity *id, struct bytes der, struct bytes outer_curve)
{
    struct reader r = reader_of(der.p, der.n), key = der_enter(&r, DER_SEQUENCE);
    struct bytes version = der_unsigned(&key), value = der_take(&key, DER_OCTET_STRING), oid = outer_curve;

    if (key.failed || version.n != 1 || version.p[0] != 1)
        return damaged;
    if (der_peek(&key) == DER_CONTEXT_CONSTRUCTED + 0) {
        struct reader parameters = der_enter(&key, DER_CONTEXT_CONSTRUCTED + 0);

        if (der_peek(&parameters) != DER_OID)
            return "an EC key with explicit curve parameters; use the named curve P-256 or P-384";
        oid = der_take(&parameters, DER_OID);
        if (!reader_done(&parameters) || (outer_curve.n > 0 && !bytes_equal(oid, outer_curve)))
            return damaged;
    }
    if (der_peek(&key) == DER_CONTEXT_CONSTRUCTED + 1)
        der_take(&key, DER_CONTEXT_CONSTRUCTED + 1);
    if (!reader_done(&key) || !reader_done(&r))
        return damaged;
    if (oid.n == 0)
        return "an EC key that does not name its curve; use the named curve P-256 or P-384";
    int curve = key_curve_of_oid(oid);
    if (curve == 0)
        return why_refused(oid, "an EC key on a curve that is not supported; use P-256 or P-384");
    return make_ec(id, curve, value);
}

static unsigned bit_length(struct bytes number)
{
    unsigned bits = (unsigned)number.n * 8;

    for (uint8_t top = number.n > 0 ? number.p[0] : 0; bits > 0 && (top & 0x80) == 0;
         top = (uint8_t)(top << 1))
        bits--;
    return bits;
}

/* A trial: no signature leaves that does not verify (crypto/rsa.h), so better to know before a client does. */
static bool signs(const br_rsa_private_key *rsa)
{
    static const uint8_t hash[br_sha256_SIZE];
    uint8_t signature[512];

    return crypto_impl()->rsa_sign(BR_HASH_OID_SHA256, hash, sizeof hash, rsa, signature) == 1;
}

static const char *make_rsa(struct tls_identity *id, struct bytes n, const struct bytes part[5])
{
    unsigned char **field[5];
    size_t *len[5], total = 0;
    unsigned bits = bit_length(n);
    br_rsa_private_key *rsa = &id->key.rsa;
    uint8_t *data;

    if (bits < 2048)
        return "an RSA key of less than 2048 bits, which clients refuse; make a P-256 key or an RSA key of "
               "2048 bits";
    if (bits > 4096)
        return "an RSA key of more than 4096 bits, which is not supported; make a P-256 key or an RSA key of "
               "2048 bits";
    /* Primes of very different size are beyond BearSSL's buffers, and even ones beyond its arithmetic. */
    for (unsigned i = 0; i < 5; i++) {
        bool is_prime = i < 2;

        if (part[i].n > (4096 + 64) / 16 ||
            (is_prime && (part[i].n < n.n / 4 || (part[i].p[part[i].n - 1] & 1) == 0)))
            return damaged;
        total += part[i].n;
    }
    data = mem_alloc(total);
    if (data == NULL)
        return no_memory;
    id->key_type = TLS_KEY_RSA;
    id->key_data = data;
    id->key_data_len = total;
    *rsa = (br_rsa_private_key){.n_bitlen = bits};
    field[0] = &rsa->p, field[1] = &rsa->q, field[2] = &rsa->dp, field[3] = &rsa->dq, field[4] = &rsa->iq;
    len[0] = &rsa->plen, len[1] = &rsa->qlen, len[2] = &rsa->dplen, len[3] = &rsa->dqlen,
    len[4] = &rsa->iqlen;
    for (unsigned i = 0; i < 5; i++) {
        memcpy(data, part[i].p, part[i].n);
        *field[i] = data;
        *len[i] = part[i].n;
        data += part[i].n;
    }
    if (signs(rsa))
        return NULL;
    mem_wipe_free(id->key_data, total);
    id->key_data = NULL;
    id->key_data_len = 0;
    return "an RSA key whose numbers do not fit together, or whose public exponent is none of 65537, 257, 17, 5 and 3; "
           "make another";
}

static const char *parse_pkcs1(struct tls_identity *id, struct bytes der)
{
    struct reader r = reader_of(der.p, der.n), key = der_enter(&r, DER_SEQUENCE);
    struct bytes version = der_unsigned(&key), n = der_unsigned(&key), part[5];

    der_unsigned(&key); /* e, which the certificate has */
    der_unsigned(&key); /* d, which the other parts make up for */
    for (unsigned i = 0; i < 5; i++)
        part[i] = der_unsigned(&key);
    if (version.n == 1 && version.p[0] == 1)
        return "an RSA key of more than two primes, which is not supported; make a P-256 key";
    if (!reader_done(&key) || !reader_done(&r) || version.n != 1 || version.p[0] != 0)
        return damaged;
    return make_rsa(id, n, part);
}

static const char *parse_pkcs8(struct tls_identity *id, struct bytes der)
{
    struct reader r = reader_of(der.p, der.n), key = der_enter(&r, DER_SEQUENCE);
    struct bytes version = der_unsigned(&key);
    struct reader algorithm = der_enter(&key, DER_SEQUENCE);
    struct bytes oid = der_take(&algorithm, DER_OID), value = der_take(&key, DER_OCTET_STRING);

    /* Attributes and the public key may follow. */
    while (reader_left(&key) > 0 && !key.failed) {
        uint8_t tag;
        der_any(&key, &tag);
    }
    if (key.failed || algorithm.failed || !reader_done(&r) || version.n != 1 || version.p[0] > 1)
        return damaged;
    if (bytes_equal(oid, key_oid_rsa))
        return parse_pkcs1(id, value);
    if (!bytes_equal(oid, key_oid_ec))
        return why_refused(oid, "a key of a type that is not supported; make a P-256 or an RSA key");
    if (der_peek(&algorithm) != DER_OID)
        return "an EC key with explicit curve parameters; use the named curve P-256 or P-384";
    return parse_sec1(id, value, der_take(&algorithm, DER_OID));
}

const char *key_parse(struct tls_identity *id, enum key_format format, struct bytes der)
{
    if (format == KEY_PKCS8)
        return parse_pkcs8(id, der);
    return format == KEY_SEC1 ? parse_sec1(id, der, (struct bytes){NULL, 0}) : parse_pkcs1(id, der);
}

bool key_generate(struct tls_identity *id, int curve)
{
    size_t len;
    const uint8_t *order = crypto_impl()->ec->order(curve, &len);
    uint8_t *x = mem_alloc(len);

    if (x == NULL)
        return false;
    /* Uniform, by drawing anew (about one time in 2^32). */
    do
        random_bytes(x, len);
    while (!in_range(x, order, len));
    return take_ec(id, curve, x, len);
}

struct bytes key_public_point(const struct tls_identity *id, uint8_t out[KEY_POINT_MAX])
{
    size_t n;

    _Static_assert(KEY_POINT_MAX >= BR_EC_KBUF_PUB_MAX_SIZE, "a point of every curve fits");
    if (id->key_type == TLS_KEY_RSA || id->key_data == NULL)
        return (struct bytes){NULL, 0};
    n = br_ec_compute_pub(crypto_impl()->ec, NULL, out, &id->key.ec);
    return n > 0 ? bytes_of(out, n) : (struct bytes){NULL, 0};
}

/* The product of two big-endian numbers, as wide as both together. No branch depends on them. */
static void multiply(uint8_t *out, struct bytes a, struct bytes b)
{
    memset(out, 0, a.n + b.n);
    for (size_t i = a.n; i-- > 0;) {
        unsigned carry = 0;

        for (size_t j = b.n; j-- > 0;) {
            unsigned sum = (unsigned)a.p[i] * b.p[j] + out[i + j + 1] + carry;

            out[i + j + 1] = (uint8_t)sum;
            carry = sum >> 8;
        }
        out[i] = (uint8_t)carry;
    }
}

/* BearSSL's own function for this has no room for the modulus of 4096 bits that the rest of it takes. */
struct bytes key_rsa_modulus(const br_rsa_private_key *key, uint8_t out[KEY_RSA_MAX])
{
    uint8_t product[KEY_RSA_MAX + 8];
    size_t len = key->plen + key->qlen, n = (key->n_bitlen + 7) / 8;

    if (len > sizeof product || n > KEY_RSA_MAX || n > len)
        return (struct bytes){NULL, 0};
    multiply(product, bytes_of(key->p, key->plen), bytes_of(key->q, key->qlen));
    memcpy(out, product + (len - n), n);
    for (size_t i = 0; i < len - n; i++)
        if (product[i] != 0)
            return (struct bytes){NULL, 0};
    return n > 0 && out[0] != 0 ? bytes_of(out, n) : (struct bytes){NULL, 0};
}

/* BearSSL computes it for primes that are 3 modulo 4 alone, which others' are not. So those that people use are tried: what
 * the private key makes of a number, the right one undoes. */
uint32_t key_rsa_exponent(const br_rsa_private_key *key)
{
    static const uint32_t common[] = {65537, 3, 17, 5, 7, 257};
    uint8_t modulus[KEY_RSA_MAX], number[KEY_RSA_MAX], start[KEY_RSA_MAX] = {0};
    struct bytes n = key_rsa_modulus(key, modulus);

    if (n.n == 0)
        return 0;
    start[n.n - 1] = 2;
    memcpy(number, start, n.n);
    if (br_rsa_private_get_default()(number, key) == 0)
        return 0;
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        uint8_t e[4] = {0, (uint8_t)(common[i] >> 16), (uint8_t)(common[i] >> 8), (uint8_t)common[i]};
        uint8_t undone[KEY_RSA_MAX];
        br_rsa_public_key pk = {.n = modulus, .nlen = n.n, .e = e, .elen = sizeof e};

        memcpy(undone, number, n.n);
        if (br_rsa_public_get_default()(undone, n.n, &pk) == 1 && memcmp(undone, start, n.n) == 0)
            return common[i];
    }
    return 0;
}

void key_write(struct writer *w, const struct tls_identity *id)
{
    uint8_t point[KEY_POINT_MAX];
    struct bytes public = key_public_point(id, point);
    static const uint8_t zero = 0, one = 1;

    size_t key = der_open(w, DER_SEQUENCE);
    der_put_unsigned(w, bytes_of(&zero, 1));
    size_t algorithm = der_open(w, DER_SEQUENCE);
    der_put(w, DER_OID, key_oid_ec);
    der_put(w, DER_OID, key_oid_of_curve(id->key.ec.curve));
    der_close(w, algorithm);
    size_t octets = der_open(w, DER_OCTET_STRING);
    size_t sec1 = der_open(w, DER_SEQUENCE);
    der_put_unsigned(w, bytes_of(&one, 1));
    der_put(w, DER_OCTET_STRING, bytes_of(id->key.ec.x, id->key.ec.xlen));
    size_t explicit_public = der_open(w, DER_CONTEXT_CONSTRUCTED + 1);
    der_put_bits(w, public);
    der_close(w, explicit_public);
    der_close(w, sec1);
    der_close(w, octets);
    der_close(w, key);
}
