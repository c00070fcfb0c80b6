/* SPDX-License-Identifier: MIT
 *
 * Owns the sessions of TLS 1.2. Each is found by a digest of (site, session id), so a session asked for at another
 * site is simply not there, and the cache needs no copy of the site's name. Entries are in one hash table and one
 * list from the most to the least recently used; both hold exactly `count` of them, and count <= limit.
 */
#include "tls/session_cache.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "base/time.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#define BUCKETS_MIN 64u
/* RFC 5246 Appendix F.1.4 allows a day; a master secret kept is a master secret that can be stolen. */
#define LIFETIME_MS (3600u * 1000u)

struct session {
    struct session *newer, *older; /* by use */
    struct session *next;          /* in its bucket */
    uint64_t made;                 /* time_mono_ms */
    uint8_t key[32];
    uint8_t master_secret[48];
    uint16_t version, cipher_suite;
};

struct tls_session_cache {
    struct session **buckets;
    size_t n_buckets; /* a power of two */
    struct session *newest, *oldest;
    unsigned count, limit;
};

static struct session **bucket_of(struct session **buckets, size_t n, const uint8_t *key)
{
    uint32_t hash;

    memcpy(&hash, key, sizeof hash); /* a digest is as good a hash as any */
    return &buckets[hash & (n - 1)];
}

/* Twice the buckets. Without memory for them the chains grow longer, no more. */
static void grow(struct tls_session_cache *cache)
{
    size_t n = cache->n_buckets * 2;
    struct session **buckets = mem_zalloc(n * sizeof *buckets);

    if (!buckets)
        return;
    for (struct session *s = cache->newest; s; s = s->older) {
        struct session **b = bucket_of(buckets, n, s->key);
        s->next = *b;
        *b = s;
    }
    mem_free(cache->buckets);
    cache->buckets = buckets;
    cache->n_buckets = n;
}

static void unlink_use(struct tls_session_cache *cache, struct session *s)
{
    *(s->newer ? &s->newer->older : &cache->newest) = s->older;
    *(s->older ? &s->older->newer : &cache->oldest) = s->newer;
}

static void link_newest(struct tls_session_cache *cache, struct session *s)
{
    s->newer = NULL;
    s->older = cache->newest;
    *(s->older ? &s->older->newer : &cache->oldest) = s;
    cache->newest = s;
}

static struct session *find(struct tls_session_cache *cache, const uint8_t *key)
{
    for (struct session *s = *bucket_of(cache->buckets, cache->n_buckets, key); s; s = s->next)
        if (memcmp(s->key, key, sizeof s->key) == 0)
            return s;
    return NULL;
}

/* Takes it out of list and table. */
static void take_out(struct tls_session_cache *cache, struct session *s)
{
    struct session **at = bucket_of(cache->buckets, cache->n_buckets, s->key);

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    unlink_use(cache, s);
    cache->count--;
}

static void drop(struct tls_session_cache *cache, struct session *s)
{
    take_out(cache, s);
    mem_wipe_free(s, sizeof *s);
}

struct tls_session_cache *tls_session_cache_new(unsigned sessions)
{
    struct tls_session_cache *cache;

    if (!sessions)
        return NULL;
    cache = mem_zalloc(sizeof *cache);
    if (!cache)
        return NULL;
    cache->limit = sessions;
    cache->n_buckets = BUCKETS_MIN;
    cache->buckets = mem_zalloc(cache->n_buckets * sizeof(struct session *));
    if (!cache->buckets) {
        mem_free(cache);
        return NULL;
    }
    return cache;
}

void tls_session_cache_free(struct tls_session_cache *cache)
{
    if (!cache)
        return;
    while (cache->oldest)
        drop(cache, cache->oldest);
    mem_free(cache->buckets);
    mem_free(cache);
}

void tls_session_cache_resize(struct tls_session_cache *cache, unsigned sessions)
{
    cache->limit = sessions;
    while (cache->count > cache->limit)
        drop(cache, cache->oldest);
}

unsigned tls_session_cache_count(const struct tls_session_cache *cache)
{
    return cache->count;
}

/* --- BearSSL's side --- */

static struct tls_session_view *view_of(const br_ssl_session_cache_class **ctx)
{
    return (struct tls_session_view *)(void *)ctx;
}

/* SHA-256 over the site's name, a NUL, and the session id: no two pairs give the same bytes. */
static void key_of(const struct tls_session_view *view, const br_ssl_session_parameters *p, uint8_t key[32])
{
    br_sha256_context sha;

    br_sha256_init(&sha);
    br_sha256_update(&sha, view->site, strlen(view->site) + 1);
    br_sha256_update(&sha, p->session_id, p->session_id_len);
    br_sha256_out(&sha, key);
}

static void save(const br_ssl_session_cache_class **ctx, br_ssl_server_context *server,
                 const br_ssl_session_parameters *p)
{
    struct tls_session_view *view = view_of(ctx);
    struct tls_session_cache *cache = view->cache;
    struct session *s;
    uint8_t key[32];

    (void)server;
    if (!cache->limit)
        return;
    key_of(view, p, key);
    s = find(cache, key);
    if (s) {
        take_out(cache, s);
    } else if (cache->count == cache->limit) {
        s = cache->oldest;
        take_out(cache, s);
    } else {
        s = mem_alloc(sizeof *s);
        if (!s)
            return; /* then it is a full handshake the next time */
    }
    memcpy(s->key, key, sizeof s->key);
    memcpy(s->master_secret, p->master_secret, sizeof s->master_secret);
    s->version = p->version;
    s->cipher_suite = p->cipher_suite;
    s->made = time_mono_ms();
    if (cache->count >= cache->n_buckets)
        grow(cache);
    struct session **b = bucket_of(cache->buckets, cache->n_buckets, key);
    s->next = *b;
    *b = s;
    link_newest(cache, s);
    cache->count++;
}

static int load(const br_ssl_session_cache_class **ctx, br_ssl_server_context *server,
                br_ssl_session_parameters *p)
{
    struct tls_session_view *view = view_of(ctx);
    struct tls_session_cache *cache = view->cache;
    struct session *s;
    uint8_t key[32];

    (void)server;
    key_of(view, p, key);
    s = find(cache, key);
    if (!s)
        return 0;
    if (time_mono_ms() - s->made > LIFETIME_MS) {
        drop(cache, s);
        return 0;
    }
    unlink_use(cache, s);
    link_newest(cache, s);
    memcpy(p->master_secret, s->master_secret, sizeof p->master_secret);
    p->version = s->version;
    p->cipher_suite = s->cipher_suite;
    return 1;
}

static const br_ssl_session_cache_class view_class = {
    .context_size = sizeof(struct tls_session_view),
    .save = save,
    .load = load,
};

void tls_session_view_init(struct tls_session_view *view, struct tls_session_cache *cache, const char *site)
{
    assert(cache && site);
    *view = (struct tls_session_view){.vtable = &view_class, .cache = cache, .site = site};
}
