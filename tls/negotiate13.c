/* SPDX-License-Identifier: MIT
 *
 * Owns the tables of groups and signature algorithms, in our order of preference, and the choice from them. A hello
 * of 16 KiB can hold thousands of values: everything here is one pass over it.
 */
#include "tls/negotiate13.h"
#include "tls/alert.h"

#include "base/mem.h"
#include "base/random.h"
#include "crypto/declassify.h"
#include "crypto/impl.h"

#include <string.h>

enum { PSK_DHE_KE = 1 }; /* §4.2.9 */

static const struct group13 groups[] = {
    {29, BR_EC_curve25519, 32},
    {23, BR_EC_secp256r1,  65},
};
enum { GROUPS = sizeof groups / sizeof groups[0] };

static const struct signature13 signatures[] = {
    {0x0403, TLS_KEY_EC_P256, br_sha256_ID}, /* ecdsa_secp256r1_sha256 */
    {0x0503, TLS_KEY_EC_P384, br_sha384_ID}, /* ecdsa_secp384r1_sha384 */
    {0x0603, TLS_KEY_EC_P521, br_sha512_ID}, /* ecdsa_secp521r1_sha512 */
    {0x0804, TLS_KEY_RSA,     br_sha256_ID}, /* rsa_pss_rsae_sha256 */
    {0x0805, TLS_KEY_RSA,     br_sha384_ID},
    {0x0806, TLS_KEY_RSA,     br_sha512_ID},
};

/* One bit for each 16-bit value. */
struct values {
    uint32_t bits[65536 / 32];
};

static void values_add(struct values *v, uint16_t value)
{
    v->bits[value / 32] |= (uint32_t)1 << value % 32;
}

/* Takes it out; was it there? */
static bool values_take(struct values *v, uint16_t value)
{
    uint32_t bit = (uint32_t)1 << value % 32, there = v->bits[value / 32] & bit;

    v->bits[value / 32] &= ~bit;
    return there;
}

/* Every share is of a group that is offered, and no group has two (§4.2.8); the best of ours is taken. */
static uint8_t choose_share(struct negotiated13 *n, const struct client_hello *hello)
{
    struct reader offered = reader_of(hello->supported_groups.p, hello->supported_groups.n);
    struct reader shares = reader_of(hello->key_share.p, hello->key_share.n);
    struct values left = {{0}};

    while (reader_left(&offered))
        values_add(&left, reader_u16(&offered));
    while (reader_left(&shares)) {
        uint16_t number = reader_u16(&shares);
        struct reader r = reader_vec16(&shares);
        struct bytes share = reader_take(&r, reader_left(&r));

        if (!values_take(&left, number))
            return ALERT_ILLEGAL_PARAMETER;
        for (size_t i = 0; i < GROUPS; i++) {
            if (groups[i].number != number)
                continue;
            if (share.n != groups[i].share_len)
                return ALERT_ILLEGAL_PARAMETER;
            if (!n->group || &groups[i] < n->group) {
                n->group = &groups[i];
                n->share = share;
            }
        }
    }
    for (size_t i = 0; !n->group && i < GROUPS; i++)
        if (client_hello_lists(hello->supported_groups, groups[i].number))
            n->group = &groups[i];
    return 0;
}

static const struct signature13 *choose_signature(struct bytes offered, enum tls_key_type key_type)
{
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++)
        if (signatures[i].key_type == key_type && client_hello_lists(offered, signatures[i].number))
            return &signatures[i];
    return NULL;
}

/* Extensions that must be there together or not at all (§9.2, §4.2.9). */
static bool extensions_missing(const struct client_hello *hello)
{
    if (!hello->supported_groups.n || !hello->has_key_share)
        return true;
    return hello->has_psk ? !hello->psk_modes.n : !hello->signature_algorithms.n;
}

uint8_t negotiate13(struct negotiated13 *n, const struct client_hello *hello, const struct tls_server *server,
                    const struct tls_identity *identity, const char **why)
{
    uint8_t alert;

    *n = (struct negotiated13){0};
    *why = "malformed ClientHello";
    if (hello->legacy_version <= 0x0300) /* §D.5 */
        return ALERT_PROTOCOL_VERSION;
    if (hello->compression_methods.n != 1 || hello->compression_methods.p[0] != 0 ||
        hello->has_misplaced_extension)
        return ALERT_ILLEGAL_PARAMETER;
    *why = "an extension is missing in the ClientHello";
    if (extensions_missing(hello))
        return ALERT_MISSING_EXTENSION;
    *why = "no common cipher suite";
    n->suite = suite13_choose(hello->cipher_suites, crypto_impl()->fast_aes);
    if (!n->suite)
        return ALERT_HANDSHAKE_FAILURE;
    *why = "no common application protocol";
    n->alpn = client_hello_alpn(hello, server->alpn.names, server->alpn.n);
    if (!n->alpn)
        return ALERT_NO_APPLICATION_PROTOCOL;
    *why = "bad key share";
    alert = choose_share(n, hello);
    if (alert)
        return alert;
    *why = "no common group";
    if (!n->group)
        return ALERT_HANDSHAKE_FAILURE;
    n->signature = choose_signature(hello->signature_algorithms, identity->key_type);
    n->resumes = hello->psk_modes.n && memchr(hello->psk_modes.p, PSK_DHE_KE, hello->psk_modes.n);
    return 0;
}

uint8_t negotiate13_retried(const struct client_hello *hello, const uint8_t digest[32],
                            const uint8_t before[32], const struct group13 *group)
{
    struct reader shares = reader_of(hello->key_share.p, hello->key_share.n);
    bool asked = reader_u16(&shares) == group->number;

    reader_vec16(&shares);
    if (memcmp(digest, before, 32) != 0 || !asked || !reader_done(&shares) || hello->early_data ||
        hello->cookie.n)
        return ALERT_ILLEGAL_PARAMETER;
    return 0;
}

/* Is it from 1 to order - 1? Nothing but the answer shows in the time it takes. */
static bool is_scalar(const uint8_t x[32], const unsigned char *order)
{
    unsigned borrow = 0, any = 0;

    for (size_t i = 32; i-- > 0;) {
        borrow = ((unsigned)x[i] - order[i] - borrow) >> 8 & 1;
        any |= x[i];
    }
    return declassify_bool(borrow & (any != 0));
}

/* What is thrown away says nothing of what is kept. X25519 takes any 32 bytes. */
static size_t draw(uint8_t scalar[32], int curve)
{
    size_t len;
    const unsigned char *order = crypto_impl()->ecdhe->order(curve, &len);

    do
        random_bytes(scalar, 32);
    while (curve != BR_EC_curve25519 && !is_scalar(scalar, order));
    return 32;
}

bool group13_agree(const struct group13 *group, struct bytes client_share, uint8_t *share,
                   uint8_t secret[GROUP13_SECRET])
{
    static const uint8_t zero[GROUP13_SECRET];
    const br_ec_impl *ec = crypto_impl()->ecdhe;
    uint8_t scalar[32], point[GROUP13_SHARE_MAX];
    size_t x, n = draw(scalar, group->curve);

    memcpy(point, client_share.p, client_share.n);
    bool good = ec->mulgen(share, scalar, n, group->curve) == group->share_len &&
                ec->mul(point, client_share.n, scalar, n, group->curve) == 1;
    /* The shared secret is the x coordinate (§7.4.2); of a point of small order on X25519, zero. */
    memcpy(secret, point + ec->xoff(group->curve, &x), GROUP13_SECRET);
    good = good && !declassify_bool(bytes_equal_secret(secret, zero, GROUP13_SECRET));
    mem_wipe(scalar, sizeof scalar);
    mem_wipe(point, sizeof point);
    return good;
}
