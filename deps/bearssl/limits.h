/* SPDX-License-Identifier: MIT
 *
 * Included before each of BearSSL's files. Its server's handshake walks through every place that there is for a common
 * suite, the empty ones too, and looks each up in a table of 46: with 48 places that is over two thirds of what its
 * interpreter does in a handshake. Our server offers SERVER_SUITES_MAX (tls/suites.h). The structs keep the layout of
 * the header as it is, and a client's own list its 48.
 */
#include <bearssl.h>

#undef BR_MAX_CIPHER_SUITES
#define BR_MAX_CIPHER_SUITES 3
