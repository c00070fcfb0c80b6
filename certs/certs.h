/* SPDX-License-Identifier: MIT
 *
 * Which key and chain answers for which name. The store is made for one configuration in full before it is
 * used (conf reload swaps stores); identities in it are counted by reference.
 */
#ifndef CERTS_CERTS_H
#define CERTS_CERTS_H

#include "conf/conf.h"
#include "tls/identity.h"
#include "tls/client_hello.h"
#include "tls/ticket.h"

struct certs;

/* Loads or makes what every TLS site of `conf` needs: reads files, checks that key and certificate match,
 * that the chain is in order, that it is not expired, that each name of the site is covered (problems that
 * make serving impossible are errors; the rest are warnings in the log, each naming file and remedy), and
 * reads ticket keys, makes self-signed certificates, kept in STATE/self-signed/NAME/{key.pem,cert.pem} so that the
 * fingerprint outlives a restart. `dry`: writes nothing (--validate). NULL with the errors in e. */
struct certs *certs_new(const struct conf *conf, bool dry, struct conf_errors *e);
void certs_free(struct certs *certs);

/* By SNI, in any case and with or without the final dot: exact, then wildcard, then the default site's
 * (also for an empty name); never NULL while any TLS site exists unless the name is unknown and there is
 * no default. Without a default, an empty name gets the first site that is named by an IP address (clients
 * send none for those), or else the first. A sole site is the default. Borrowed. */
struct tls_identity *certs_select(struct certs *certs, struct bytes server_name);
/* The identity of site number i of the conf; NULL when its TLS is off. Borrowed. */
struct tls_identity *certs_of_site(struct certs *certs, unsigned site);
/* Does the identity's certificate cover this host (lower case; name or IP)? RFC 6125 §6.4, RFC 9525 §6.3. */
bool certs_covers(const struct tls_identity *id, const char *host);

/* The keys of conf's ticket-keys file, the first seals; NULL and 0 when there is none. Secret. Borrowed. */
const uint8_t (*certs_ticket_keys(const struct certs *certs, size_t *n))[TICKET_KEY];

/* For a reload, before the new store takes over: self-signed certificates that could not be kept on disk are taken
 * from the store before where the names are the same, so that the fingerprint outlives the reload. */
void certs_inherit(struct certs *certs, const struct certs *before);

/* Is the site's certificate one that an authority gives (CONF_TLS_ACME)? Until it has given one the site has a
 * self-signed one. */
bool certs_is_acme(const struct certs *certs, unsigned site);
/* Looks in the state for the certificate of such a site, and serves it from now on. True when it is another one than
 * before; connections under way keep what they have. */
bool certs_adopt(struct certs *certs, unsigned site);

/* Self-signed certificates with less
 than 30 days left are made again, with their key, as certs_new does;
 * for a process that runs for months, once a day. True when one was. Connections under way keep what they
 * have. */
bool certs_renew(struct certs *certs);

/* "AB:CD:...", the SHA-256 of the leaf; NUL-terminated, returns out. */
#define CERTS_FINGERPRINT_TEXT 96
const char *certs_fingerprint_text(const struct tls_identity *id, char out[CERTS_FINGERPRINT_TEXT]);

#endif
