/* SPDX-License-Identifier: MIT
 *
 * A request's walk: its name is resolved, its addresses are tried in turn, its bytes sent, its answer collected. `enter`
 * alone changes the state. Whatever ends it posts the task that tells `done`, so that nothing is told from within a call
 * of the connection or of the caller.
 */
#include "acme/https.h"

#include "acme/https_link.h"
#include "base/mem.h"
#include "net/socket.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CONNECT_MS 10000u
#define SILENCE_MS 30000u
#define TOTAL_MS   60000u
#define WHY        600u

enum state { RESOLVE, CONNECT, EXCHANGE, DONE, OVER };

struct https {
    struct https_context *context;
    struct url url;
    char *text, *method, *content_type; /* the request, copied */
    uint8_t *payload;
    size_t payload_len, sent;
    https_done *done;
    void *owner;
    enum state state;
    struct dns_query *query;
    struct addr addresses[DNS_ADDRESSES];
    unsigned n, next;
    struct https_link *link;
    struct http_stream *stream; /* while it is not over */
    struct http_head *head;
    uint8_t *body;
    size_t len, cap;
    struct timer timer;
    uint64_t deadline, bytes_in;
    struct task step, destroy;
    bool is_given; /* the one address, by the caller */
    bool again;    /* was sent once more already */
    enum https_failure kind;
    char why[WHY];
};

#define OF(member, p) ((struct https *)(void *)((char *)(p)-offsetof(struct https, member)))

static const struct https_link_events LINK;
static const struct http_stream_events STREAM;

static void enter(struct https *h, enum state state)
{
    /* Forward; back to connect for the next address, or for a fresh connection. */
    assert(h->state != OVER && (state > h->state || state == CONNECT || state == RESOLVE));
    h->state = state;
}

/* ---- ending ---- */

static void destroy(struct task *task)
{
    struct https *h = OF(destroy, task);

    mem_free(h->text);
    mem_free(h->method);
    mem_free(h->content_type);
    mem_free(h->payload);
    http_head_free(h->head);
    mem_free(h->body);
    mem_free(h);
}

/* The link goes back only from a stream that is over. */
static void let_go(struct https *h)
{
    struct https_link *l = h->link;
    bool whole = h->stream == NULL;

    h->link = NULL;
    if (h->stream != NULL)
        http_stream_abort(h->stream, HTTP_ERROR_CANCELLED);
    h->stream = NULL;
    if (l != NULL && whole)
        https_link_give_back(l);
    else if (l != NULL)
        https_link_reset(l);
}

static void stop(struct https *h)
{
    if (h->query != NULL)
        dns_cancel(h->query);
    h->query = NULL;
    timer_clear(h->context->loop, &h->timer);
    let_go(h);
}

static void over(struct https *h)
{
    stop(h);
    loop_unpost(h->context->loop, &h->step);
    enter(h, OVER);
    loop_defer(h->context->loop, &h->destroy);
}

void https_cancel(struct https *h)
{
    if (h != NULL && h->state != OVER)
        over(h);
}

/* The first failure is the one that is told. */
static void fail(struct https *h, enum https_failure kind, const char *what)
{
    const char *address = h->link != NULL ? https_link_address(h->link) : NULL;
    const char *whom = h->url.authority[0] != '\0' ? h->url.authority : h->text;

    if (h->state >= DONE)
        return;
    h->kind = kind;
    snprintf(h->why, sizeof h->why, address != NULL ? "%.200s: %s (%s)" : "%.200s: %s", whom, what, address);
    stop(h);
    enter(h, DONE);
    loop_post(h->context->loop, &h->step);
}

static void tell(struct https *h)
{
    struct https_result result = {.kind = h->kind};

    stop(h); /* the connection is free for what `done` sends */
    if (h->kind == HTTPS_OK) {
        result.status = h->head->status;
        result.head = h->head;
        result.body = bytes_of(h->body, h->len);
    } else {
        result.why = h->why;
    }
    /* The caller may free the context in it. */
    enter(h, OVER);
    loop_defer(h->context->loop, &h->destroy);
    h->done(h->owner, &result);
}

/* ---- connecting ---- */

static void watch(struct https *h, uint64_t ms)
{
    uint64_t due = loop_now(h->context->loop) + ms;

    if (!timer_set(h->context->loop, &h->timer, due < h->deadline ? due : h->deadline))
        fail(h, HTTPS_MEMORY, "out of memory");
}

static void begin_exchange(struct https *h);

static void next_step(struct https *h)
{
    loop_post(h->context->loop, &h->step);
}

static void on_resolved(void *owner, enum dns_status status, const struct addr *addresses, unsigned n)
{
    struct https *h = owner;

    h->query = NULL;
    if (status != DNS_OK || n == 0) {
        fail(h, status == DNS_NOT_FOUND ? HTTPS_NOT_FOUND : HTTPS_DNS, dns_status_text(status));
        return;
    }
    for (h->n = 0; h->n < n && h->n < DNS_ADDRESSES; h->n++) {
        h->addresses[h->n] = addresses[h->n];
        addr_set_port(&h->addresses[h->n], h->url.port);
    }
    h->next = 0;
    enter(h, CONNECT);
    next_step(h);
}

static void resolve(struct https *h)
{
    struct dns_query *query;

    if (h->n > 0) { /* given, or known from the first time */
        h->next = 0;
        enter(h, CONNECT);
        next_step(h);
        return;
    }
    watch(h, SILENCE_MS);
    if (h->state != RESOLVE) /* out of memory */
        return;
    query = dns_resolve(h->context->dns, h->url.host, on_resolved, h);
    if (query != NULL)
        h->query = query;
}

/* What an address said, for when there is no other. */
static void note(struct https *h, enum https_failure kind, const char *what, const char *address)
{
    h->kind = kind;
    snprintf(h->why, sizeof h->why, "%s: %s (%s)", h->url.authority, what, address);
}

/* The kept connection first, then each address. */
static void connect_next(struct https *h)
{
    const struct addr *given = h->is_given ? &h->addresses[0] : NULL;

    if (!h->again && h->next == 0 &&
        (h->link = https_link_take(h->context, &h->url, given, &LINK, h)) != NULL) {
        begin_exchange(h);
        return;
    }
    while (h->next < h->n) {
        const struct addr *to = &h->addresses[h->next++];
        char text[ADDR_TEXT];

        h->link = https_link_new(h->context, &h->url, to, h->is_given, &LINK, h);
        if (h->link != NULL) {
            watch(h, CONNECT_MS);
            return;
        }
        /* That there is no route (of IPv6, say) tells less than what another one has said. */
        if (errno == ENOMEM || h->why[0] == '\0')
            note(h, errno == ENOMEM ? HTTPS_MEMORY : HTTPS_CONNECT, socket_reason(errno),
                 addr_format(to, text));
    }
    stop(h);
    enter(h, DONE);
    next_step(h);
}

static void on_opened(void *user)
{
    struct https *h = user;

    begin_exchange(h);
}

/* Before the exchange the next address has its turn; a kept connection that the server had given up is replaced. */
static void on_closed(void *user, enum https_failure kind, const char *why)
{
    struct https *h = user;
    struct https_link *l = h->link;

    h->link = NULL;
    if (h->state >= DONE) /* the answer is there already */
        return;
    note(h, kind, why, https_link_address(l));
    if (h->state != CONNECT || kind == HTTPS_TLS) {
        stop(h);
        enter(h, DONE);
    }
    next_step(h);
}

static const struct https_link_events LINK = {.opened = on_opened, .closed = on_closed};

/* ---- the exchange ---- */

static bool put_field(struct http_head *head, const char *name, const char *value)
{
    return http_head_add(head, bytes_str(name), bytes_str(value));
}

static struct http_head *make_head(const struct https *h)
{
    struct http_head *head = http_head_request(h->method, h->url.path, bytes_str(h->url.authority));
    bool good = head != NULL && put_field(head, "User-Agent", h->context->user_agent) &&
                put_field(head, "Accept", "*/*") && put_field(head, "Accept-Language", "en") &&
                (h->content_type == NULL || put_field(head, "Content-Type", h->content_type));

    if (!good) {
        http_head_free(head);
        return NULL;
    }
    if (h->payload_len > 0) {
        head->body = HTTP_BODY_LENGTH;
        head->length = h->payload_len;
    }
    return head;
}

/* In a verb of the stream, which is over then, and has nothing more to say. */
static void out_of_memory(struct https *h)
{
    h->stream = NULL;
    fail(h, HTTPS_MEMORY, "out of memory");
}

static void send_body(struct https *h)
{
    while (h->stream != NULL && h->sent < h->payload_len) {
        struct span room = http_stream_lend(h->stream, h->payload_len - h->sent);
        size_t n = room.n < h->payload_len - h->sent ? room.n : h->payload_len - h->sent;

        if (n == 0)
            return; /* `writable` follows */
        memcpy(room.p, h->payload + h->sent, n);
        http_stream_commit(h->stream, n);
        h->sent += n;
    }
    if (h->stream != NULL && !http_stream_end(h->stream, NULL))
        out_of_memory(h);
}

static void begin_exchange(struct https *h)
{
    struct http_head *head = make_head(h);
    struct http_stream *stream = head != NULL ? https_link_request(h->link) : NULL;

    h->bytes_in = https_link_bytes_in(h->link);
    if (stream == NULL) {
        http_head_free(head);
        fail(h, HTTPS_MEMORY, "out of memory");
        return;
    }
    enter(h, EXCHANGE);
    stream->events = &STREAM;
    stream->owner = h;
    h->stream = stream;
    h->sent = 0;
    watch(h, SILENCE_MS);
    if (h->stream != NULL && http_stream_head(stream, head))
        send_body(h);
    else
        out_of_memory(h);
    http_head_free(head);
}

static void on_head(void *owner, struct http_head *head)
{
    struct https *h = owner;

    http_head_free(h->head);
    h->head = head;
}

static void on_interim(void *owner, struct http_head *head)
{
    (void)owner;
    http_head_free(head);
}

static size_t on_data(void *owner, const uint8_t *p, size_t n)
{
    struct https *h = owner;

    if (n > HTTPS_ANSWER_MAX - h->len) {
        fail(h, HTTPS_PROTOCOL, "the answer is longer than 1 MiB");
        return n;
    }
    if (h->len + n > h->cap) {
        size_t cap = h->cap * 2 > h->len + n ? h->cap * 2 : h->len + n + 1024;
        uint8_t *body = mem_realloc(h->body, cap);

        if (body == NULL) {
            fail(h, HTTPS_MEMORY, "out of memory");
            return n;
        }
        h->body = body;
        h->cap = cap;
    }
    memcpy(h->body + h->len, p, n);
    h->len += n;
    return n;
}

static void on_end(void *owner, const struct http_head *trailers)
{
    struct https *h = owner;
    (void)trailers;

    /* An answer before the request is out (a refusal, say): the connection cannot be kept. */
    if (h->sent == h->payload_len)
        h->stream = NULL;
    h->kind = HTTPS_OK;
    timer_clear(h->context->loop, &h->timer);
    enter(h, DONE);
    next_step(h);
}

/* A kept connection may have been closed by the server in the meantime: the request was not seen. */
static void on_aborted(void *owner, enum http_error error, const char *why)
{
    struct https *h = owner;
    bool retry = h->state == EXCHANGE && !h->again && h->link != NULL && https_link_was_used(h->link) &&
                 !https_link_got_response(h->link);

    h->stream = NULL;
    if (!retry) {
        if (h->link != NULL)
            fail(h, error == HTTP_ERROR_MEMORY ? HTTPS_MEMORY : HTTPS_PROTOCOL, why);
        return;
    }
    https_link_reset(h->link);
    h->link = NULL;
    h->again = true;
    enter(h, RESOLVE);
    next_step(h);
}

static void on_writable(void *owner)
{
    send_body(owner);
}

static const struct http_stream_events STREAM = {
    .head = on_head,
    .interim = on_interim,
    .data = on_data,
    .end = on_end,
    .aborted = on_aborted,
    .writable = on_writable,
};

/* ---- the walk ---- */

static void on_step(struct task *task)
{
    struct https *h = OF(step, task);

    switch (h->state) {
    case RESOLVE: resolve(h); break;
    case CONNECT: connect_next(h); break;
    case DONE: tell(h); break;
    case EXCHANGE:
    case OVER: break;
    }
}

static void on_timer(struct timer *timer)
{
    struct https *h = OF(timer, timer);
    struct https_link *l = h->link;
    uint64_t bytes;

    if (loop_now(h->context->loop) >= h->deadline) {
        fail(h, HTTPS_TIMEOUT, "no answer within a minute");
    } else if (h->state == CONNECT && l != NULL) {
        note(h, HTTPS_TIMEOUT, "no connection within 10 seconds", https_link_address(l));
        h->link = NULL;
        https_link_reset(l);
        next_step(h);
    } else if (h->state == EXCHANGE && (bytes = https_link_bytes_in(l)) != h->bytes_in) {
        h->bytes_in = bytes;
        watch(h, SILENCE_MS);
    } else {
        fail(h, HTTPS_TIMEOUT, h->state == RESOLVE ? "the DNS does not answer" : "no byte within 30 seconds");
    }
}

static bool copy(struct https *h, const struct https_request *rq)
{
    h->text = mem_strdup(rq->url);
    h->method = mem_strdup(rq->method);
    h->content_type = rq->content_type != NULL ? mem_strdup(rq->content_type) : NULL;
    h->payload = mem_alloc(rq->body.n + 1);
    if (h->text == NULL || h->method == NULL || h->payload == NULL ||
        (rq->content_type != NULL && h->content_type == NULL))
        return false;
    if (rq->body.n > 0)
        memcpy(h->payload, rq->body.p, rq->body.n);
    h->payload_len = rq->body.n;
    h->is_given = rq->address != NULL;
    if (h->is_given)
        h->addresses[h->n++] = *rq->address;
    return true;
}

struct https *https_send(struct https_context *c, const struct https_request *rq, https_done *done,
                         void *owner)
{
    struct https *h = mem_zalloc(sizeof *h);
    const char *bad;

    if (h == NULL)
        return NULL;
    h->context = c;
    h->done = done;
    h->owner = owner;
    h->step.run = on_step;
    h->destroy.run = destroy;
    h->timer.fired = on_timer;
    h->deadline = loop_now(c->loop) + TOTAL_MS;
    if (!copy(h, rq)) {
        destroy(&h->destroy);
        return NULL;
    }
    bad = url_parse(&h->url, bytes_str(h->text));
    if (bad == NULL && !h->url.is_https && !rq->plain)
        bad = "a URL that is not https://";
    if (h->n > 0)
        addr_set_port(&h->addresses[0], h->url.port);
    if (bad != NULL)
        fail(h, HTTPS_URL, bad);
    else
        next_step(h);
    return h;
}

struct bytes https_field(const struct https_result *result, const char *name)
{
    const struct http_field *f =
        result->head != NULL ? http_head_find_name(result->head, bytes_str(name)) : NULL;

    return f != NULL ? http_field_value(result->head, f) : (struct bytes){NULL, 0};
}
