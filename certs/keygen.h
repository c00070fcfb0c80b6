/* SPDX-License-Identifier: MIT
 *
 * Private keys for people who want another type than the P-256 that is made where there is none. An RSA key takes seconds
 * on a small board: this is for `proxy keygen`, never for the loop.
 */
#ifndef CERTS_KEYGEN_H
#define CERTS_KEYGEN_H

#include "base/bytes.h"

#define KEYGEN_TYPES "p256, p384, rsa2048, rsa3072, rsa4096"
#define KEYGEN_PEM   4096u /* bytes that the longest takes, and less */

/* A fresh key of one of KEYGEN_TYPES as PKCS#8 in PEM. NULL, or what is wrong (static). The PEM is secret: to be wiped. */
const char *keygen(struct writer *pem, const char *type);

#endif
