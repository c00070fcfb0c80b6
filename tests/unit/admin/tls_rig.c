/* SPDX-License-Identifier: MIT
 *
 * The identities and anchors of tls/'s own tests, which are linked with those alone.
 */
#include "tests/unit/tls/rig.c"
