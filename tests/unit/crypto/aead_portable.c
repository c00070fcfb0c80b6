/* SPDX-License-Identifier: MIT
 *
 * See aead_portable.h. Its functions get other names, and what they ask for gets the answer of the other processor.
 */
#include "tests/unit/crypto/aead_portable.h"

#include "crypto/gcm.h"
#include "crypto/impl.h"

size_t aead_portable_key_len(enum aead_algorithm algorithm);

#undef GCM_BY_INSTRUCTIONS
#define GCM_BY_INSTRUCTIONS 0
#define crypto_impl()       crypto_impl_portable()
#define aead_key_len        aead_portable_key_len
#define aead_size           aead_portable_size
#define aead_init           aead_portable_init
#define aead_seal           aead_portable_seal
#define aead_open           aead_portable_open

#include "crypto/aead.c"
