/* SPDX-License-Identifier: MIT
 *
 * Which CAA records hold for a name: its own, or those of the nearest parent that has any. The invariant: a search is in
 * the list until its callback is called, and while `is_asked`, c-ares knows it and it lives, cancelled or not; c-ares
 * cannot take a question back. What an answer means is decided in a task, never inside c-ares.
 */
#include "net/dns_caa.h"

#include "base/mem.h"

enum {
    SEARCHES = 32, /* under way at once */
    RESTARTS = 3,  /* of one question, by changes of resolv.conf */
    NAME = 253,    /* characters */
    LABEL = 63,
    TYPE_CAA = 257,
    CLASS_IN = 1,
};

struct dns_caa_search {
    struct caa_searches *all; /* NULL: its callback is being called */
    struct dns_caa_search *next;
    struct task task; /* posted when the answer is there */
    dns_caa_done *done;
    void *owner;
    enum dns_end end;
    enum dns_status status;
    struct span message; /* of an answer; ours */
    unsigned restarts;
    bool is_asked, is_cancelled;
    const char *at; /* in `name`: what is asked about */
    char name[];
};

/* ---- one message ---- */

static void skip_name(struct reader *r)
{
    uint8_t label;

    while ((label = reader_u8(r)) != 0) {
        if (label >= 0xc0) { /* the rest stands elsewhere */
            reader_skip(r, 1);
            return;
        }
        if (label > LABEL)
            r->failed = true;
        reader_skip(r, label);
    }
}

/* A property (RFC 8659 §4.1); the value is all that is left, and may be empty. */
static bool parse_record(struct bytes data, struct dns_caa_record *out)
{
    struct reader r = reader_of(data.p, data.n);
    size_t len;

    out->flags = reader_u8(&r);
    len = reader_u8(&r);
    out->tag = reader_take(&r, len);
    out->value = reader_take(&r, reader_left(&r));
    return !r.failed && len > 0 && out->value.n <= DNS_CAA_VALUE;
}

bool caa_parse(struct bytes message, struct dns_caa_record out[DNS_CAA_RECORDS], unsigned *n)
{
    struct reader r = reader_of(message.p, message.n);
    unsigned flags, questions, answers;

    *n = 0;
    reader_skip(&r, 2); /* the id, which c-ares has looked at */
    flags = reader_u16(&r);
    questions = reader_u16(&r);
    answers = reader_u16(&r);
    reader_skip(&r, 4);
    while (questions-- > 0 && !r.failed) {
        skip_name(&r);
        reader_skip(&r, 4);
    }
    while (answers-- > 0 && !r.failed) {
        unsigned type, class;
        struct bytes data;

        skip_name(&r);
        type = reader_u16(&r);
        class = reader_u16(&r);
        reader_skip(&r, 4); /* the TTL: nothing is kept */
        data = reader_take(&r, reader_u16(&r));
        if (r.failed || type != TYPE_CAA || class != CLASS_IN)
            continue;
        if (*n == DNS_CAA_RECORDS || !parse_record(data, &out[*n]))
            return false;
        (*n)++;
    }
    return !r.failed && (flags & 0x0f) == 0;
}

/* ---- one search ---- */

static void unlink_search(struct dns_caa_search *s)
{
    struct dns_caa_search **at = &s->all->first;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    s->all->count--;
    s->all = NULL;
}

static void forget_message(struct dns_caa_search *s)
{
    mem_free(s->message.p);
    s->message = (struct span){0};
}

static void search_free(struct dns_caa_search *s)
{
    forget_message(s);
    mem_free(s);
}

/* The callee may free all the rest. */
static void tell(struct dns_caa_search *s, enum dns_status status, const struct dns_caa_record *records,
                 unsigned n)
{
    unlink_search(s);
    s->done(s->owner, status, n > 0 ? s->at : NULL, n > 0 ? records : NULL, n);
    search_free(s);
}

static void on_answer(void *question, enum dns_end end, enum dns_status status, struct bytes message)
{
    struct dns_caa_search *s = question;

    s->is_asked = false;
    if (s->is_cancelled) {
        unlink_search(s);
        search_free(s);
        return;
    }
    s->end = end;
    s->status = status;
    if (status == DNS_OK) {
        s->message.p = mem_alloc(message.n);
        if (s->message.p != NULL) {
            memcpy(s->message.p, message.p, message.n);
            s->message.n = message.n;
        } else {
            s->end = DNS_NO_MEMORY;
        }
    }
    loop_post(s->all->loop, &s->task);
}

static void ask(struct dns_caa_search *s)
{
    s->is_asked = true;
    channel_query(s->all->channel, s->at, TYPE_CAA, on_answer, s);
}

/* To the parent; at the top there is none, and the root is not asked (RFC 8659 §3). */
static void climb(struct dns_caa_search *s)
{
    const char *dot = strchr(s->at, '.');

    if (dot == NULL) {
        tell(s, DNS_NOT_FOUND, NULL, 0);
        return;
    }
    forget_message(s);
    s->at = dot + 1;
    s->restarts = 0;
    ask(s);
}

static void on_task(struct task *task)
{
    struct dns_caa_search *s =
        (struct dns_caa_search *)((char *)task - offsetof(struct dns_caa_search, task));
    struct dns_caa_record records[DNS_CAA_RECORDS];
    unsigned n = 0;

    if (s->end == DNS_CHANNEL_GONE && s->restarts++ < RESTARTS)
        ask(s);
    else if (s->end != DNS_ANSWERED)
        tell(s, DNS_FAILED, NULL, 0);
    else if (s->status == DNS_NOT_FOUND)
        climb(s);
    else if (s->status != DNS_OK)
        tell(s, s->status, NULL, 0);
    else if (!caa_parse(bytes_of(s->message.p, s->message.n), records, &n))
        tell(s, DNS_FAILED, NULL, 0);
    else if (n == 0) /* an alias of something that has none, say */
        climb(s);
    else
        tell(s, DNS_OK, records, n);
}

/* Without the dot at the end; labels of which each can be asked about. */
static bool is_name(const char *name, size_t *n)
{
    size_t label = 0;

    *n = strlen(name);
    if (*n > 0 && name[*n - 1] == '.')
        (*n)--;
    if (*n == 0 || *n > NAME)
        return false;
    for (size_t i = 0; i < *n; i++) {
        label = name[i] == '.' ? 0 : label + 1;
        if (label > LABEL || (label == 0 && (i == 0 || i + 1 == *n || name[i + 1] == '.')))
            return false;
    }
    return true;
}

/* This machine's own, which no name server is asked about (RFC 6761 §6.3). */
static bool is_localhost(struct bytes name)
{
    const char *own = "localhost";
    size_t n = strlen(own);

    return name.n >= n && bytes_is(bytes_of(name.p + name.n - n, n), own) &&
           (name.n == n || name.p[name.n - n - 1] == '.');
}

struct dns_caa_search *caa_search(struct caa_searches *all, const char *name, dns_caa_done *done, void *owner)
{
    struct dns_caa_search *s;
    size_t n;

    if (!is_name(name, &n) || is_localhost(bytes_of(name, n))) {
        done(owner, DNS_NOT_FOUND, NULL, NULL, 0);
        return NULL;
    }
    s = all->count < SEARCHES ? mem_zalloc(sizeof *s + n + 1) : NULL;
    if (s == NULL) {
        done(owner, DNS_FAILED, NULL, NULL, 0);
        return NULL;
    }
    memcpy(s->name, name, n);
    s->at = s->name;
    s->done = done;
    s->owner = owner;
    s->task.run = on_task;
    s->all = all;
    s->next = all->first;
    all->first = s;
    all->count++;
    ask(s);
    return s;
}

void dns_cancel_caa(struct dns_caa_search *s)
{
    if (s == NULL || s->all == NULL)
        return;
    if (s->is_asked) {
        s->is_cancelled = true;
        return;
    }
    loop_unpost(s->all->loop, &s->task);
    unlink_search(s);
    search_free(s);
}

void caa_free(struct caa_searches *all)
{
    struct dns_caa_search *s;

    while ((s = all->first) != NULL) {
        loop_unpost(all->loop, &s->task);
        unlink_search(s);
        search_free(s);
    }
}
