/* SPDX-License-Identifier: MIT
 *
 * `tls cert FILE key FILE`: a site's certificate from files, with every check that can be made before a
 * client meets it.
 */
#ifndef CERTS_FILES_H
#define CERTS_FILES_H

#include "conf/conf.h"
#include "tls/identity.h"

/* The identity of a CONF_TLS_FILES site under the given name; NULL with errors in e. What can be served
 * though a client may not like it (expired, a name not covered, a key readable by others) is a warning in
 * the log. */
struct tls_identity *files_load(const struct conf_site *site, const char *name, struct conf_errors *e);

#endif
