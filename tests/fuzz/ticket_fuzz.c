/* SPDX-License-Identifier: MIT
 *
 * What a client offers as a session ticket: any bytes, and any state that is sealed with the right key, as a replica
 * of another version might do. What is taken is of a form that can be used, and of what is not, nothing is left. The
 * clock stands still.
 */
#include "tls/ticket.h"

#include "crypto/aead.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int fuzz_clock(clockid_t clock, struct timespec *ts)
{
    *ts = (struct timespec){.tv_sec = clock == CLOCK_REALTIME ? 1800000000 : 1000};
    return 0;
}

#define clock_gettime fuzz_clock
#include "base/time.c"
#undef clock_gettime

enum { NAME = 16 };

static const uint8_t keys[1][TICKET_KEY] = {
    {'n', 'a', 'm', 'e'}
};

static void offer(struct tls_tickets *t, const uint8_t *p, size_t n, uint32_t age)
{
    static const struct ticket nothing;
    struct ticket ticket = nothing;
    /* Memory of exactly this size, so that reading past it is seen. */
    uint8_t *mine = malloc(n ? n : 1);

    if (n)
        memcpy(mine, p, n);
    if (ticket_open(t, (struct bytes){mine, n}, "site", age, &ticket)) {
        if (ticket.psk_len > TICKET_PSK_MAX)
            abort();
    } else if (memcmp(&ticket, &nothing, sizeof ticket) != 0) {
        abort();
    }
    free(mine);
}

/* The ticket whose state is these bytes. */
static void seal(const uint8_t *state, size_t n, uint8_t *out)
{
    struct aead *aead = malloc(aead_size(AEAD_AES_256_GCM));

    aead_init(aead, AEAD_AES_256_GCM, keys[0] + NAME);
    memcpy(out, keys[0], NAME);
    memset(out + NAME, 5, AEAD_NONCE);
    if (n)
        memcpy(out + NAME + AEAD_NONCE, state, n);
    aead_seal(aead, out + NAME, out, NAME, out + NAME + AEAD_NONCE, n, out + NAME + AEAD_NONCE + n);
    free(aead);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t sealed[TICKET_MAX];
    const size_t around = NAME + AEAD_NONCE + AEAD_TAG;
    static struct tls_tickets *t;
    uint32_t age;
    struct reader r = reader_of(data, size);

    if (!t) {
        t = tls_tickets_new();
        tls_tickets_set_keys(t, keys, 1);
    }
    age = reader_u32(&r);
    struct bytes rest = reader_take(&r, reader_left(&r));
    offer(t, rest.p, rest.n, age);
    size_t n = rest.n < TICKET_MAX - around ? rest.n : TICKET_MAX - around;
    seal(rest.p, n, sealed);
    offer(t, sealed, n + around, age);
    return 0;
}
