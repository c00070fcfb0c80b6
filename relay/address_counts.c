/* SPDX-License-Identifier: MIT
 *
 * Open addressing with linear probing, at most half full; removal moves later entries of the run back, so there are
 * no tombstones.
 */
#include "relay/address_counts.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"

#include <assert.h>
#include <string.h>

struct entry {
    uint8_t key[16];
    uint32_t count; /* 0: the slot is free */
};

struct address_counts {
    uint64_t secret[2];
    struct entry *slots;
    size_t size; /* a power of two */
    size_t used;
};

struct address_counts *address_counts_new(void)
{
    struct address_counts *t = mem_zalloc(sizeof *t);
    if (!t)
        return NULL;
    t->size = 64;
    t->slots = mem_zalloc(t->size * sizeof *t->slots);
    if (!t->slots) {
        mem_free(t);
        return NULL;
    }
    random_bytes(t->secret, sizeof t->secret);
    return t;
}

void address_counts_free(struct address_counts *t)
{
    if (t)
        mem_free(t->slots);
    mem_free(t);
}

static size_t home(const struct address_counts *t, const uint8_t key[16])
{
    return (size_t)hash_keyed(t->secret, key, 16) & (t->size - 1);
}

/* The slot that holds the key, or the free one where it would go. */
static struct entry *find(const struct address_counts *t, const uint8_t key[16])
{
    size_t i = home(t, key);
    while (t->slots[i].count && memcmp(t->slots[i].key, key, 16) != 0)
        i = (i + 1) & (t->size - 1);
    return &t->slots[i];
}

static bool grow(struct address_counts *t)
{
    struct address_counts bigger = *t;

    bigger.size = t->size * 2;
    bigger.slots = mem_zalloc(bigger.size * sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < t->size; i++)
        if (t->slots[i].count)
            *find(&bigger, t->slots[i].key) = t->slots[i];
    mem_free(t->slots);
    *t = bigger;
    return true;
}

bool address_counts_enter(struct address_counts *t, const struct addr *a, unsigned cap)
{
    uint8_t key[16];

    addr_client_key(a, key);
    struct entry *e = find(t, key);
    if (e->count) {
        if (e->count >= cap)
            return false;
        e->count++;
        return true;
    }
    if (cap == 0)
        return false;
    if (2 * (t->used + 1) > t->size) {
        if (!grow(t))
            return false;
        e = find(t, key);
    }
    memcpy(e->key, key, 16);
    e->count = 1;
    t->used++;
    return true;
}

void address_counts_leave(struct address_counts *t, const struct addr *a)
{
    uint8_t key[16];

    addr_client_key(a, key);
    struct entry *e = find(t, key);
    assert(e->count > 0);
    if (--e->count)
        return;
    t->used--;
    size_t mask = t->size - 1, hole = (size_t)(e - t->slots);
    for (size_t i = (hole + 1) & mask; t->slots[i].count; i = (i + 1) & mask) {
        /* An entry may move back to the hole if its home is not between the hole and itself. */
        size_t h = home(t, t->slots[i].key);
        if (((i - h) & mask) >= ((i - hole) & mask)) {
            t->slots[hole] = t->slots[i];
            t->slots[i].count = 0;
            hole = i;
        }
    }
}

unsigned address_counts_of(const struct address_counts *t, const struct addr *a)
{
    uint8_t key[16];
    addr_client_key(a, key);
    return find(t, key)->count;
}
