/* SPDX-License-Identifier: MIT
 *
 * The names that were asked for, sorted by name. Names come from the configuration, not from clients, so
 * there are few: an array that is searched by halves. The invariant: a name is here once, and an entry with
 * DNS_OK has at least one host.
 */
#include "net/dns_cache.h"

#include "base/mem.h"

#include <string.h>

/* Where a name is, or belongs. */
static unsigned position(const struct dns_cache *cache, const char *name, bool *there)
{
    unsigned from = 0, to = cache->count;

    while (from < to) {
        unsigned middle = from + (to - from) / 2;
        int order = strcmp(cache->entries[middle]->name, name);

        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    *there = false;
    return from;
}

struct dns_entry *cache_find(struct dns_cache *cache, const char *name, uint64_t now)
{
    bool there;
    unsigned at = position(cache, name, &there);

    if (!there)
        return NULL;
    cache->entries[at]->used = now;
    return cache->entries[at];
}

static void drop(struct dns_cache *cache, unsigned at)
{
    mem_free(cache->entries[at]);
    cache->count--;
    memmove(&cache->entries[at], &cache->entries[at + 1], (cache->count - at) * sizeof(struct dns_entry *));
}

static void make_room(struct dns_cache *cache)
{
    unsigned oldest = 0;

    if (cache->count < DNS_CACHE)
        return;
    for (unsigned i = 1; i < cache->count; i++)
        if (cache->entries[i]->used < cache->entries[oldest]->used)
            oldest = i;
    drop(cache, oldest);
}

static struct dns_entry *insert(struct dns_cache *cache, const char *name)
{
    size_t size = strlen(name) + 1;
    struct dns_entry *entry;
    unsigned at;
    bool there;

    make_room(cache);
    if (cache->count == cache->cap) {
        unsigned cap = cache->cap == 0 ? 8 : cache->cap * 2;
        struct dns_entry **entries = mem_realloc(cache->entries, cap * sizeof(struct dns_entry *));

        if (entries == NULL)
            return NULL;
        cache->entries = entries;
        cache->cap = cap;
    }
    entry = mem_zalloc(sizeof *entry + size);
    if (entry == NULL)
        return NULL;
    memcpy(entry->name, name, size);
    at = position(cache, name, &there);
    memmove(&cache->entries[at + 1], &cache->entries[at], (cache->count - at) * sizeof(struct dns_entry *));
    cache->entries[at] = entry;
    cache->count++;
    return entry;
}

void cache_put(struct dns_cache *cache, const char *name, const struct dns_answer *answer,
               uint64_t good_until, uint64_t now)
{
    struct dns_entry *entry = cache_find(cache, name, now);

    if (entry == NULL)
        entry = insert(cache, name);
    if (entry == NULL)
        return;
    entry->answer = *answer;
    entry->good_until = good_until;
    entry->stale_until = answer->status == DNS_OK ? good_until + DNS_STALE_MS : 0;
    entry->used = now;
    entry->failing = false;
}

void cache_expire(struct dns_cache *cache, uint64_t now)
{
    for (unsigned i = 0; i < cache->count; i++)
        if (cache->entries[i]->good_until > now)
            cache->entries[i]->good_until = now;
}

void cache_free(struct dns_cache *cache)
{
    for (unsigned i = 0; i < cache->count; i++)
        mem_free(cache->entries[i]);
    mem_free(cache->entries);
    *cache = (struct dns_cache){0};
}
