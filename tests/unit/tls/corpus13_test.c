/* SPDX-License-Identifier: MIT
 *
 * What the corpus of tests/fuzz/tls13_fuzz.c reaches: every state of the TLS 1.3 server, every way from one to another,
 * every reason to fail that it knows, each with its alert. A corpus that no longer does is to be extended, and a new
 * reason to fail is to be written down here. That nothing is found wrong on the way, the fuzz target itself sees to.
 */
#include "tests/unit/test.h"

struct tls;
static void look(const struct tls *t);

#define TLS13_LOOK look
#include "tests/fuzz/tls13_fuzz.c"

#include <dirent.h>

#define CORPUS "tests/fuzz/corpus/tls13"

/* --- what was seen --- */

/* The engine's state while the face's status says that it counts, then that. In the order in which they come. */
enum place { START, RETRIED, ANSWERED, OPEN, PEER_CLOSED, CLOSED, FAILED, PLACES };

static const char *const place_names[PLACES] = {"start",  "retried", "answered", "open", "closed by the peer",
                                                "closed", "failed"};

enum { REASONS_MAX = 128 };

static struct {
    enum place at;
    bool moved[PLACES][PLACES];
    bool backwards;
    size_t over, remembers;
    struct tls_failure reasons[REASONS_MAX];
    size_t n;
} seen;

static enum place place_of(const struct tls *t)
{
    static const enum place by_status[] = {
        [TLS_OPEN] = OPEN, [TLS_PEER_CLOSED] = PEER_CLOSED, [TLS_CLOSED] = CLOSED, [TLS_FAILED] = FAILED};

    if (tls_status(t) != TLS_HANDSHAKE)
        return by_status[tls_status(t)];
    if (!t->engine)
        return START;
    return ((const struct server13 *)(const void *)t->engine)->state == WAIT_CLIENT_HELLO ? RETRIED
                                                                                          : ANSWERED;
}

static void note(struct tls_failure f)
{
    for (size_t i = 0; i < seen.n; i++)
        if (seen.reasons[i].alert == f.alert && seen.reasons[i].received == f.received &&
            strcmp(seen.reasons[i].text, f.text) == 0)
            return;
    if (seen.n < REASONS_MAX)
        seen.reasons[seen.n++] = f;
}

static bool is_zero(const void *p, size_t n)
{
    const uint8_t *bytes = p;

    while (n && !bytes[n - 1])
        n--;
    return n == 0;
}

/* The engine's secrets and expanded keys, the handshake's secrets. */
static bool has_forgotten(const struct server13 *s)
{
    const struct handshake13 *h = s->handshake;

    return is_zero(s->read_secret, sizeof s->read_secret) &&
           is_zero(s->write_secret, sizeof s->write_secret) &&
           is_zero(s + 1, 2 * aead_size(s->suite->aead)) &&
           (!h || (is_zero(h->keys.secret, sizeof h->keys.secret) &&
                   is_zero(h->client_application, sizeof h->client_application)));
}

static void look(const struct tls *t)
{
    enum place next = place_of(t);

    if (next == CLOSED || next == FAILED) {
        /* All but a stream that was cut off, which nobody has told the engine of. */
        bool cut_off = next == FAILED && !tls_failure(t).alert && !tls_failure(t).received;
        seen.over++;
        if (t->engine && !cut_off && !has_forgotten((const struct server13 *)(const void *)t->engine))
            seen.remembers++;
    }

    seen.moved[seen.at][next] = true;
    if (next < seen.at || (seen.at == CLOSED && next == FAILED))
        seen.backwards = true;
    seen.at = next;
    if (next == FAILED)
        note(tls_failure(t));
}

static void run_file(const char *name)
{
    static uint8_t bytes[65536];
    char path[512];
    FILE *f;

    snprintf(path, sizeof path, CORPUS "/%s", name);
    f = fopen(path, "rb");
    if (!CHECK(f != NULL))
        return;
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    seen.at = START;
    LLVMFuzzerTestOneInput(bytes, n);
}

/* The tests below look at what one run over the corpus left. */
static void run_corpus(void)
{
    static bool ran;
    DIR *dir = ran ? NULL : opendir(CORPUS);

    if (ran || !CHECK(dir != NULL))
        return;
    for (struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.')
            run_file(e->d_name);
    closedir(dir);
    ran = true;
}

/* --- what there is --- */

TEST(every_way_from_state_to_state)
{
    static const struct {
        enum place from, to;
    } ways[] = {
        {START,       RETRIED    },
        {START,       ANSWERED   },
        {START,       CLOSED     },
        {START,       FAILED     },
        {RETRIED,     ANSWERED   },
        {RETRIED,     CLOSED     },
        {RETRIED,     FAILED     },
        {ANSWERED,    OPEN       },
        {ANSWERED,    CLOSED     },
        {ANSWERED,    FAILED     },
        {OPEN,        PEER_CLOSED},
        {OPEN,        CLOSED     },
        {OPEN,        FAILED     },
        {PEER_CLOSED, CLOSED     },
        {PEER_CLOSED, FAILED     },
    };

    run_corpus();
    CHECK(!seen.backwards);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (!CHECK(seen.moved[ways[i].from][ways[i].to]))
            printf("    from %s to %s\n", place_names[ways[i].from], place_names[ways[i].to]);
}

/* RFC 8446 §6.2: keys of a connection that failed are forgotten, and we need none of one that is closed. */
TEST(no_key_is_left_when_it_is_over)
{
    run_corpus();
    CHECK(seen.over > 100);
    CHECK_EQ(seen.remembers, 0);
}

/* Every text and its alert. What is sent by tls_abort and what a client's alert says have one each. */
static const struct tls_failure reasons[] = {
    {10,  false, false, "empty alert record"                           },
    {10,  false, false, "empty handshake record"                       },
    {10,  false, false, "more behind a message that changes the key"   },
    {10,  false, false, "not a TLS record"                             },
    {10,  false, false, "record between the parts of a message"        },
    {10,  false, false, "record without a type"                        },
    {10,  false, false, "too many KeyUpdates"                          },
    {10,  false, false, "too many records without data"                },
    {10,  false, false, "too much early data"                          },
    {10,  false, false, "unexpected change_cipher_spec"                },
    {10,  false, false, "unexpected message"                           },
    {10,  false, false, "unexpected record"                            },
    {20,  false, false, "record does not decrypt"                      },
    {22,  false, false, "record too large"                             },
    {40,  false, false, "no common cipher suite"                       },
    {40,  false, false, "no common group"                              },
    {40,  false, false, "no common signature algorithm"                },
    {47,  false, false, "ClientHello too large"                        },
    {47,  false, false, "bad key share"                                },
    {47,  false, false, "malformed ClientHello"                        },
    {47,  false, false, "malformed KeyUpdate"                          },
    {47,  false, false, "the second ClientHello differs from the first"},
    {50,  false, false, "malformed ClientHello"                        },
    {50,  false, false, "malformed alert"                              },
    {50,  false, false, "malformed handshake message"                  },
    {51,  false, false, "a PSK binder does not verify"                 },
    {51,  false, false, "the client's Finished does not verify"        },
    {70,  false, false, "malformed ClientHello"                        },
    {70,  false, false, "no common TLS version"                        },
    {80,  false, false, "out of memory"                                },
    {80,  false, false, "sent alert internal_error"                    },
    {109, false, false, "an extension is missing in the ClientHello"   },
    {112, false, false, "no certificate for this name"                 },
    {120, false, false, "no common application protocol"               },
    {0,   true,  false, "connection closed in the handshake"           },
    {0,   false, false, "connection closed in the handshake"           },
    {0,   false, false, "closed without close_notify"                  },
    {0,   false, true,  "plain HTTP request"                           },
    {40,  true,  false, "peer sent alert handshake_failure"            },
};

static const struct tls_failure *find(const struct tls_failure *list, size_t n, const struct tls_failure *f)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].alert == f->alert && list[i].received == f->received &&
            strcmp(list[i].text, f->text) == 0)
            return &list[i];
    return NULL;
}

TEST(every_reason_to_fail)
{
    run_corpus();
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (!CHECK(find(seen.reasons, seen.n, &reasons[i])))
            printf("    alert %u, %s\n", reasons[i].alert, reasons[i].text);
}

TEST(no_reason_that_is_not_written_down)
{
    run_corpus();
    for (size_t i = 0; i < seen.n; i++) {
        const struct tls_failure *f = &seen.reasons[i];
        bool by_name =
            strncmp(f->text, "sent alert ", 11) == 0 || strncmp(f->text, "peer sent alert ", 16) == 0;
        if (!CHECK(by_name || find(reasons, sizeof reasons / sizeof reasons[0], f)))
            printf("    alert %u, %s%s\n", f->alert, f->text, f->received ? " (received)" : "");
    }
}

TEST_MAIN(RUN(every_way_from_state_to_state), RUN(no_key_is_left_when_it_is_over), RUN(every_reason_to_fail),
          RUN(no_reason_that_is_not_written_down))
