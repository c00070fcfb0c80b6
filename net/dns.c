/* SPDX-License-Identifier: MIT
 *
 * Who asked for which name, and what they are told. A lookup is one question under way; everyone who asks
 * for its name meanwhile waits on it. The invariant: callbacks are called from here alone, never from inside
 * c-ares, and at that moment their lookup is in no list any more, so a callback may do what it likes: ask,
 * cancel, even free the whole.
 */
#include "net/dns.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/dns_caa.h"
#include "net/dns_cache.h"
#include "net/dns_channel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    NAME_MAX_LEN = 255, /* RFC 1035 §2.3.4 */
    MIN_TTL_MS = 1000,
    MAX_TTL_MS = 3600 * 1000,
    NEGATIVE_TTL_MS = 2000,
    PATIENCE_MS = 1800, /* RFC 8767 §5: then a stale answer is given */
    CHECK_MS = 1000,    /* how often resolv.conf is looked at */
    SUSPECT_MS = 10000, /* and read again when nothing is answered */
    LOOKUPS = 256,      /* under way at once */
    RESTARTS = 3,       /* of one lookup, by changes of resolv.conf */
};

/* In a ring; linked with itself it is in none. */
struct link {
    struct link *prev, *next;
};

struct dns_query {
    struct link link; /* first, so that a link is its query */
    dns_done *done;
    void *owner;
};

struct lookup {
    struct lookup *next;
    struct dns *dns;
    struct link waiters;
    struct timer patience;
    struct dns_answer answer;
    enum dns_end end;
    uint32_t ttl;
    unsigned restarts;
    bool ended;     /* answer, end and ttl are set */
    bool impatient; /* it takes long: who has a stale answer gets that */
    char name[];
};

/* What tells one resolv.conf from the next. */
struct stamp {
    struct timespec mtime;
    ino_t inode;
    off_t size;
};

struct dns {
    struct loop *loop;
    struct dns_channel *channel;
    struct lookup *lookups;
    unsigned lookup_count;
    struct dns_cache cache;
    struct caa_searches caa;
    struct task settle; /* posted when a lookup ended inside c-ares */
    struct dns_options options;
    struct stamp stamp;
    uint64_t checked, loaded; /* when resolv.conf was looked at, and read */
    bool suspect;             /* a lookup failed since it was read */
    unsigned delivering;      /* callbacks that have not returned */
    bool doomed;              /* freed inside one of them */
};

/* ---- rings ---- */

static void ring_init(struct link *ring)
{
    ring->prev = ring->next = ring;
}

static void ring_unlink(struct link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    ring_init(link);
}

static void ring_append(struct link *ring, struct link *link)
{
    link->prev = ring->prev;
    link->next = ring;
    ring->prev->next = link;
    ring->prev = link;
}

/* All that is in `from` goes over to `to`, which is new. */
static void ring_move(struct link *to, struct link *from)
{
    ring_init(to);
    ring_append(from, to);
    ring_unlink(from);
}

static struct dns_query *ring_first(struct link *ring)
{
    return ring->next == ring ? NULL : (struct dns_query *)(void *)ring->next;
}

static void ring_free(struct link *ring)
{
    struct dns_query *q;

    while ((q = ring_first(ring)) != NULL) {
        ring_unlink(&q->link);
        mem_free(q);
    }
}

/* ---- telling ---- */

static void tell(const struct dns_answer *answer, dns_done *done, void *owner)
{
    struct addr addresses[DNS_ADDRESSES];

    memset(addresses, 0, answer->n * sizeof addresses[0]);
    for (unsigned i = 0; i < answer->n; i++) {
        struct addr *a = &addresses[i];

        if (answer->hosts[i].v6) {
            a->v6.sin6_family = AF_INET6;
            memcpy(&a->v6.sin6_addr, answer->hosts[i].ip, 16);
            a->len = sizeof a->v6;
        } else {
            a->v4.sin_family = AF_INET;
            memcpy(&a->v4.sin_addr, answer->hosts[i].ip, 4);
            a->len = sizeof a->v4;
        }
        addr_normalise(a);
    }
    done(owner, answer->status, answer->n > 0 ? addresses : NULL, answer->n);
}

static void destroy(struct dns *dns);

/* Between these two, dns_free only makes a note. */
static void enter(struct dns *dns)
{
    dns->delivering++;
}

static void leave(struct dns *dns)
{
    if (--dns->delivering == 0 && dns->doomed)
        destroy(dns);
}

/* The answer is a copy: a callback may change what is cached. */
static void tell_all(struct dns *dns, struct link *waiters, struct dns_answer answer)
{
    struct link ring;
    struct dns_query *q;

    ring_move(&ring, waiters);
    enter(dns);
    while (!dns->doomed && (q = ring_first(&ring)) != NULL) {
        ring_unlink(&q->link);
        tell(&answer, q->done, q->owner);
        mem_free(q); /* lived until here, so that its owner may cancel it in the callback */
    }
    ring_free(&ring);
    leave(dns);
}

/* ---- lookups ---- */

static bool is_stale_good(const struct dns_entry *entry, uint64_t now)
{
    return entry != NULL && entry->answer.status == DNS_OK && now < entry->stale_until;
}

static void on_patience(struct timer *timer)
{
    struct lookup *l = (struct lookup *)((char *)timer - offsetof(struct lookup, patience));
    uint64_t now = loop_now(l->dns->loop);
    struct dns_entry *entry = cache_find(&l->dns->cache, l->name, now);

    if (!is_stale_good(entry, now))
        return;
    l->impatient = true;
    tell_all(l->dns, &l->waiters, entry->answer);
}

static void lookup_free(struct lookup *l)
{
    timer_clear(l->dns->loop, &l->patience);
    ring_free(&l->waiters);
    mem_free(l);
}

static struct lookup *lookup_find(struct dns *dns, const char *name)
{
    struct lookup *l = dns->lookups;

    while (l != NULL && strcmp(l->name, name) != 0)
        l = l->next;
    return l;
}

/* May have ended when it returns. NULL when out of memory or when there are too many. */
static struct lookup *lookup_start(struct dns *dns, const char *name)
{
    size_t size = strlen(name) + 1;
    struct lookup *l;

    if (dns->lookup_count == LOOKUPS || dns->channel == NULL)
        return NULL;
    l = mem_zalloc(sizeof *l + size);
    if (l == NULL)
        return NULL;
    memcpy(l->name, name, size);
    l->dns = dns;
    l->patience.fired = on_patience;
    ring_init(&l->waiters);
    l->next = dns->lookups;
    dns->lookups = l;
    dns->lookup_count++;
    channel_ask(dns->channel, l->name, l);
    return l;
}

static void on_ended(void *question, enum dns_end end, const struct dns_answer *answer, uint32_t ttl)
{
    struct lookup *l = question;

    l->answer = *answer;
    l->end = end;
    l->ttl = ttl;
    l->ended = true;
    loop_post(l->dns->loop, &l->dns->settle);
}

static unsigned or_default(unsigned value, unsigned otherwise)
{
    return value != 0 ? value : otherwise;
}

/* Keeps what was learnt, and makes l->answer what is to be told. */
static void learn(struct dns *dns, struct lookup *l)
{
    uint64_t now = loop_now(dns->loop);
    uint64_t negative = now + or_default(dns->options.negative_ttl_ms, NEGATIVE_TTL_MS);
    uint64_t ttl = (uint64_t)l->ttl * 1000;
    uint64_t min_ttl = or_default(dns->options.min_ttl_ms, MIN_TTL_MS);
    struct dns_entry *entry = cache_find(&dns->cache, l->name, now);

    if (l->end == DNS_ANSWERED && l->answer.status == DNS_OK) {
        ttl = ttl > MAX_TTL_MS ? MAX_TTL_MS : ttl < min_ttl ? min_ttl : ttl;
        cache_put(&dns->cache, l->name, &l->answer, now + ttl, now);
        return;
    }
    if (l->end != DNS_ANSWERED)
        l->answer = (struct dns_answer){.status = DNS_FAILED};
    /* That there is no such name is an answer, and ends what was known before (RFC 8767 §4). */
    if (l->answer.status == DNS_NOT_FOUND) {
        cache_put(&dns->cache, l->name, &l->answer, negative, now);
        return;
    }
    dns->suspect = true;
    if (is_stale_good(entry, now)) {
        entry->failing = true;
        entry->good_until = negative; /* when it is asked again */
        l->answer = entry->answer;
    } else if (l->end == DNS_ANSWERED) {
        cache_put(&dns->cache, l->name, &l->answer, negative, now);
    }
}

static void lookup_settle(struct lookup *l)
{
    struct dns *dns = l->dns;
    struct lookup **at = &dns->lookups;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    dns->lookup_count--;
    learn(dns, l);
    enter(dns);
    tell_all(dns, &l->waiters, l->answer);
    lookup_free(l);
    leave(dns);
}

static void on_settle(struct task *task)
{
    struct dns *dns = (struct dns *)((char *)task - offsetof(struct dns, settle));
    struct lookup *l;

    enter(dns);
    do {
        for (l = dns->lookups; l != NULL && !l->ended; l = l->next)
            ;
        if (l != NULL)
            lookup_settle(l);
    } while (l != NULL && !dns->doomed);
    leave(dns);
}

/* ---- the configuration ---- */

static struct stamp stamp_of(const struct dns *dns)
{
    const char *path = dns->options.resolv_conf != NULL ? dns->options.resolv_conf : "/etc/resolv.conf";
    struct stat st;

    if (stat(path, &st) != 0)
        return (struct stamp){0};
    return (struct stamp){.mtime = st.st_mtim, .inode = st.st_ino, .size = st.st_size};
}

static bool stamp_equal(const struct stamp *a, const struct stamp *b)
{
    return a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec &&
           a->inode == b->inode && a->size == b->size;
}

/* Reads the configuration anew; what is under way is asked again of the new servers. False when out of
 * memory: then the old one stays. */
static bool load(struct dns *dns)
{
    struct dns_channel *old = dns->channel, *channel;
    struct stamp stamp = stamp_of(dns); /* before reading: a change in between is seen as one */

    channel = channel_new(dns->loop, &dns->options, on_ended);
    if (channel == NULL)
        return false;
    dns->channel = dns->caa.channel = channel;
    dns->stamp = stamp;
    dns->loaded = loop_now(dns->loop);
    dns->suspect = false;
    channel_free(old);
    for (struct lookup *l = dns->lookups; l != NULL; l = l->next) {
        if (!l->ended || l->end != DNS_CHANNEL_GONE || l->restarts++ == RESTARTS)
            continue;
        l->ended = false;
        channel_ask(dns->channel, l->name, l);
    }
    return true;
}

void dns_reload(struct dns *dns)
{
    if (!load(dns)) {
        log_warn("dns: out of memory, the resolver's configuration stays as it was");
        return;
    }
    cache_expire(&dns->cache, loop_now(dns->loop));
}

/* c-ares does not see a changed resolv.conf. It may also have been read wrongly (out of memory,
 * half-written): when nothing is answered, it is read again though it looks the same. */
static void check_configuration(struct dns *dns)
{
    uint64_t now = loop_now(dns->loop);
    struct stamp stamp;

    if (now - dns->checked < CHECK_MS)
        return;
    dns->checked = now;
    stamp = stamp_of(dns);
    if (!stamp_equal(&stamp, &dns->stamp)) {
        log_info("dns: the resolver's configuration has changed");
        dns_reload(dns);
    } else if (dns->suspect && dns->lookups == NULL && now - dns->loaded >= SUSPECT_MS) {
        (void)load(dns);
    }
}

/* ---- asking ---- */

/* Lower case, and no byte that has no place in a host's name; c-ares would take a backslash for an escape. */
static bool name_of(const char *name, char out[NAME_MAX_LEN + 1])
{
    size_t n = strnlen(name, NAME_MAX_LEN + 1);

    if (n == 0 || n > NAME_MAX_LEN || name[0] == '.')
        return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)name[i];

        if (c <= 0x20 || c >= 0x7f || c == '\\' || c == '/' || c == '%' || c == ':')
            return false;
        out[i] = (char)text_lower(c);
    }
    out[n] = 0;
    return true;
}

/* The answers that need no asking. */
static bool answer_at_hand(struct dns *dns, const char *name, struct dns_answer *answer)
{
    uint64_t now = loop_now(dns->loop);
    struct dns_entry *entry = cache_find(&dns->cache, name, now);
    struct lookup *l;

    if (entry != NULL && now < entry->good_until) {
        *answer = entry->answer;
        return true;
    }
    check_configuration(dns);
    l = lookup_find(dns, name);
    if (!is_stale_good(entry, now) || !(entry->failing || (l != NULL && l->impatient)))
        return false;
    *answer = entry->answer;
    if (l == NULL)
        (void)lookup_start(dns, name); /* meanwhile; what it brings is for the next who asks */
    return true;
}

/* Joins the lookup of the name. Sets *fresh when it was started for this. NULL when out of memory. */
static struct dns_query *join(struct dns *dns, const char *name, struct lookup **lookup, bool *fresh)
{
    uint64_t now = loop_now(dns->loop);
    struct dns_query *q = mem_alloc(sizeof *q);
    struct lookup *l;

    if (q == NULL)
        return NULL;
    l = lookup_find(dns, name);
    *fresh = l == NULL;
    if (l == NULL)
        l = lookup_start(dns, name);
    if (l == NULL) {
        mem_free(q);
        return NULL;
    }
    ring_append(&l->waiters, &q->link);
    /* Without memory for the timer they wait for the lookup's own end. */
    if (!l->ended && !timer_is_set(&l->patience) && is_stale_good(cache_find(&dns->cache, name, now), now))
        (void)timer_set(dns->loop, &l->patience, now + or_default(dns->options.patience_ms, PATIENCE_MS));
    *lookup = l;
    return q;
}

struct dns_query *dns_resolve(struct dns *dns, const char *text, dns_done *done, void *owner)
{
    char name[NAME_MAX_LEN + 1];
    struct dns_answer answer;
    struct dns_query *q;
    struct lookup *l;
    struct addr a;
    bool fresh;

    if (addr_from_ip(&a, bytes_str(text), 0)) {
        done(owner, DNS_OK, &a, 1);
        return NULL;
    }
    if (!name_of(text, name)) {
        done(owner, DNS_NOT_FOUND, NULL, 0);
        return NULL;
    }
    if (answer_at_hand(dns, name, &answer)) {
        tell(&answer, done, owner);
        return NULL;
    }
    q = join(dns, name, &l, &fresh);
    if (q == NULL) {
        struct dns_entry *entry = cache_find(&dns->cache, name, loop_now(dns->loop));

        answer = (struct dns_answer){.status = DNS_FAILED};
        if (is_stale_good(entry, loop_now(dns->loop)))
            answer = entry->answer;
        tell(&answer, done, owner);
        return NULL;
    }
    q->done = done;
    q->owner = owner;
    /* From the hosts file, or failed at once: nobody else waits on it. One that others wait on is for the
     * task. */
    if (fresh && l->ended) {
        lookup_settle(l);
        return NULL;
    }
    return q;
}

struct dns_caa_search *dns_find_caa(struct dns *dns, const char *text, dns_caa_done *done, void *owner)
{
    char name[NAME_MAX_LEN + 1];
    struct addr a;

    if (addr_from_ip(&a, bytes_str(text), 0) || !name_of(text, name)) {
        done(owner, DNS_NOT_FOUND, NULL, NULL, 0);
        return NULL;
    }
    check_configuration(dns);
    return caa_search(&dns->caa, name, done, owner);
}

void dns_cancel(struct dns_query *query)
{
    if (query == NULL || query->link.next == &query->link)
        return; /* its callback is being called */
    ring_unlink(&query->link);
    mem_free(query);
}

const char *dns_status_text(enum dns_status s)
{
    static const char *const text[] = {
        [DNS_OK] = "name found",
        [DNS_NOT_FOUND] = "name not found",
        [DNS_TIMEOUT] = "no answer from the name server",
        [DNS_FAILED] = "name lookup failed",
    };

    return (unsigned)s < sizeof text / sizeof text[0] ? text[s] : "unknown";
}

/* ---- construction ---- */

static bool copy_text(const char **to, const char *from)
{
    *to = from != NULL ? mem_strdup(from) : NULL;
    return *to != NULL || from == NULL;
}

struct dns *dns_new_with(struct loop *loop, const struct dns_options *options)
{
    struct dns *dns = mem_zalloc(sizeof *dns);
    bool copied;

    if (dns == NULL)
        return NULL;
    dns->loop = dns->caa.loop = loop;
    dns->settle.run = on_settle;
    dns->options = *options;
    copied = copy_text(&dns->options.resolv_conf, options->resolv_conf);
    copied = copy_text(&dns->options.hosts, options->hosts) && copied;
    copied = copy_text(&dns->options.servers_csv, options->servers_csv) && copied;
    if (!copied || (options->hosts != NULL && setenv("CARES_HOSTS", options->hosts, 1) != 0) || !load(dns)) {
        dns_free(dns);
        return NULL;
    }
    return dns;
}

struct dns *dns_new(struct loop *loop)
{
    struct dns_options system = {0};

    return dns_new_with(loop, &system);
}

static void destroy(struct dns *dns)
{
    struct lookup *l;

    channel_free(dns->channel);
    while ((l = dns->lookups) != NULL) {
        dns->lookups = l->next;
        lookup_free(l);
    }
    loop_unpost(dns->loop, &dns->settle);
    caa_free(&dns->caa);
    cache_free(&dns->cache);
    mem_free((void *)(uintptr_t)dns->options.resolv_conf);
    mem_free((void *)(uintptr_t)dns->options.hosts);
    mem_free((void *)(uintptr_t)dns->options.servers_csv);
    mem_free(dns);
}

void dns_free(struct dns *dns)
{
    if (dns == NULL)
        return;
    if (dns->delivering > 0)
        dns->doomed = true;
    else
        destroy(dns);
}
