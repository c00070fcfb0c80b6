/* SPDX-License-Identifier: MIT
 *
 * From the head of a request to what answers it: Host to site, path to action, and everything that is refused before.
 * Nothing is kept here: the exchange holds what was decided.
 */
#include "relay/dispatch.h"

#include "http/path.h"
#include "relay/exchange.h"
#include "relay/forward.h"
#include "relay/route.h"

#include <string.h>

static bool peer_is_trusted(const struct exchange *x)
{
    if (!x->conf->trusted.count)
        return false;
    struct addr peer = client_peer(x->client);
    return networks_contain(&x->conf->trusted, &peer);
}

static uint16_t https_port(const struct conf *conf)
{
    for (unsigned i = 0; i < conf->listen_count; i++)
        if (conf->listens[i].tls)
            return addr_port(&conf->listens[i].addr);
    return 443;
}

/* Does this connection's certificate speak for the site that Host selects? (RFC 9110 §7.4) */
static bool misdirected(const struct exchange *x, const char *host)
{
    const struct tls *tls = conn_tls(x->client->conn);
    if (!tls || x->conf->site_count == 1)
        return false;
    if (route_site(x->conf, tls_server_name(tls)) == x->site)
        return false;
    const struct tls_identity *id = tls_identity_of(tls);
    return !id || !certs_covers(id, host);
}

static const char CHALLENGE[] = "/.well-known/acme-challenge/";

/* A challenge under way is answered whatever Host asks and whatever the site does with the path: the authority, or
 * another replica's check, may come by any name. */
static bool answer_challenge(struct exchange *x)
{
    struct bytes path = http_head_path(x->request), text;
    char buffer[CHALLENGE_TEXT_MAX];

    if (x->client->tls || !x->relay->acme || path.n < sizeof CHALLENGE ||
        memcmp(path.p, CHALLENGE, sizeof CHALLENGE - 1) != 0)
        return false;
    if (x->request->method != HTTP_GET && x->request->method != HTTP_HEAD)
        return false;
    text = acme_challenge(x->relay->acme,
                          bytes_of(path.p + sizeof CHALLENGE - 1, path.n - (sizeof CHALLENGE - 1)), buffer);
    if (text.n == 0)
        return false;
    exchange_reply(x, reply_challenge(&x->reply, text));
    return true;
}

/* On a port without TLS: challenges, the redirect to HTTPS, and sites whose TLS is off. True when answered. */
static bool answer_plain(struct exchange *x, const struct http_authority *a, struct bytes path)
{
    if (path.n >= sizeof CHALLENGE - 1 && memcmp(path.p, CHALLENGE, sizeof CHALLENGE - 1) == 0) {
        x->path = NULL;
        exchange_fail(x, 404, "no challenge is under way");
        return true;
    }
    if (x->site->tls == CONF_TLS_OFF)
        return false;
    if (!x->request->has_host) {
        exchange_fail(x, 400, "no Host to redirect to");
        return true;
    }
    exchange_reply(x, reply_to_https(&x->reply, a->host, a->is_ipv6, https_port(x->conf), x->request));
    return true;
}

static void answer_page(struct exchange *x)
{
    struct forward f = {x->client->peer_ip, peer_is_trusted(x), x->client->tls, x->path};
    const struct tls *tls = conn_tls(x->client->conn);
    bool made = forward_request(x->request, &f);

    if (made && tls) {
        struct tls_info info = tls_info(tls);
        made = reply_page(&x->reply, x->request, client_name(x->client).text, &info, tls_server_name(tls));
    } else if (made) {
        made = reply_page(&x->reply, x->request, client_name(x->client).text, NULL, "");
    }
    exchange_reply(x, made);
}

static void act(struct exchange *x)
{
    const struct conf_path *p = x->path;
    struct forward f = {x->client->peer_ip, peer_is_trusted(x), x->client->tls, p};

    switch (p->action) {
    case CONF_ACTION_REDIRECT:
        exchange_reply(x, reply_redirect(&x->reply, p->status, p->text, x->request));
        break;
    case CONF_ACTION_RESPOND: exchange_reply(x, reply_text(&x->reply, p->status, p->text)); break;
    case CONF_ACTION_BUILTIN: answer_page(x); break;
    case CONF_ACTION_UPSTREAM:
        if (forward_request(x->request, &f))
            exchange_connect(x, false);
        else
            exchange_fail(x, 503, "out of memory");
        break;
    }
}

/* Each Expect field is the one expectation there is (RFC 9110 §10.1.1), however many of them came. */
static bool expects_unknown(const struct http_head *h)
{
    for (uint32_t i = 0; i < h->field_count; i++)
        if (h->fields[i].id == HTTP_FIELD_EXPECT &&
            !bytes_is_nocase(http_field_value(h, &h->fields[i]), "100-continue"))
            return true;
    return false;
}

/* What a proxy refuses before it looks at the path. True when answered. */
static bool refuse_method(struct exchange *x)
{
    const struct http_head *h = x->request;
    const struct http_field *hops = http_head_find(h, HTTP_FIELD_MAX_FORWARDS);

    if (h->method == HTTP_CONNECT || h->method == HTTP_TRACE) {
        exchange_fail(x, 405, "method refused");
    } else if (expects_unknown(h)) {
        exchange_fail(x, 417, "unknown expectation");
    } else if (h->method == HTTP_OPTIONS && hops && bytes_is(http_field_value(h, hops), "0")) {
        exchange_reply(x, reply_text(&x->reply, 204, NULL)); /* RFC 9110 §7.6.2: the final recipient is us */
    } else {
        return false;
    }
    return true;
}

/* The path that decides, without its query: the target's own bytes, or made in the head's text. */
static unsigned find_path(struct http_head *h, struct bytes *path)
{
    struct bytes target = http_head_path(h);
    size_t len;

    if (bytes_is(target, "*")) {
        *path = bytes_str("/");
    } else if (http_path_is_normal(target, &len)) {
        *path = bytes_of(target.p, len);
    } else {
        uint32_t at = http_head_store(h, target); /* never longer than it was */
        if (at == UINT32_MAX)
            return 503;
        struct writer w = writer_of(h->text + at, target.n);
        if (!http_path_normalise(http_head_path(h), &w))
            return 400;
        *path = bytes_of(w.start, writer_len(&w));
    }
    return 0;
}

/* Could a service behind take this path for one that another block decides on? Services differ in what they take for
 * a slash and for a segment's end; a rule that says no must not hang on guessing which. */
static unsigned check_path(struct exchange *x, struct bytes path)
{
    struct http_head *h = x->request;

    if (x->site->path_count == 1 || route_is_plain(http_head_path(h)))
        return 0;
    if (route_has_dots(http_head_path(h)))
        return 400;
    uint32_t at = http_head_store(h, path);
    if (at == UINT32_MAX)
        return 503;
    struct writer w = writer_of(h->text + at, path.n);
    if (!route_read_loosely(bytes_of(h->text + at, path.n), &w))
        return 400;
    return route_path(x->site, bytes_of(w.start, writer_len(&w))) == x->path ? 0 : 400;
}

void dispatch(struct exchange *x)
{
    BYTES_UNSET struct http_authority authority;
    struct bytes path;

    authority.host[0] = 0;
    authority.is_ipv6 = false;
    if (x->request->has_host && !http_authority_parse(http_head_host(x->request), &authority)) {
        exchange_fail(x, 400, "malformed Host");
        return;
    }
    if (answer_challenge(x))
        return;
    x->site = route_site(x->conf, authority.host);
    if (!x->site && !x->client->tls && !x->request->has_host) {
        exchange_fail(x, 400, "no Host to redirect to");
        return;
    }
    if (!x->site) {
        exchange_fail(x, 421, "no site answers for this Host");
        return;
    }
    client_asks(x->client, x->site);
    x->log.site = x->site->name_count ? x->site->names[0].text : "default";
    x->path = &x->site->paths[x->site->path_count - 1];
    if (refuse_method(x))
        return;
    unsigned status = find_path(x->request, &path);
    if (status) {
        exchange_fail(x, status, status == 400 ? "malformed path" : "out of memory");
        return;
    }
    if (x->client->tls && (x->site->tls == CONF_TLS_OFF || misdirected(x, authority.host))) {
        exchange_fail(x, 421, "Host selects another site than this connection's");
        return;
    }
    if (!x->client->tls && answer_plain(x, &authority, path))
        return;
    x->path = route_path(x->site, path);
    status = check_path(x, path);
    if (status) {
        exchange_fail(x, status, status == 400 ? "path that can be read in two ways" : "out of memory");
        return;
    }
    if (x->request->body == HTTP_BODY_LENGTH && exchange_body_too_large(x, x->request->length)) {
        exchange_fail(x, 413, "request body above max-body");
        return;
    }
    act(x);
}
