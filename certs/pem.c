/* SPDX-License-Identifier: MIT
 *
 * PEM files as people have them: several blocks, other text between and inside them, CRLF, a byte order mark,
 * no end of line at the end. BearSSL's decoder finds the blocks and decodes them. Every decoded block passes
 * through one scratch buffer, which is wiped, since private keys do too.
 */
#include "certs/pem.h"

#include "base/mem.h"
#include "base/text.h"
#include "certs/der.h"
#include "certs/key.h"
#include "certs/x509.h"

#include <string.h>

enum pem_event { PEM_END, PEM_BLOCK, PEM_BAD };

struct pem {
    br_pem_decoder_context decoder;
    struct bytes rest;
    struct bytes body; /* of the block under way, to the end of the file */
    bool in_block, last_line_ended;
    char label[sizeof((br_pem_decoder_context *)0)->name];
    uint8_t *scratch;
    size_t cap;
    struct writer der; /* into scratch */
};

static void collect(void *ctx, const void *p, size_t n)
{
    writer_put(&((struct pem *)ctx)->der, p, n);
}

/* False when out of memory. */
static bool pem_open(struct pem *pem, struct bytes text)
{
    static const uint8_t byte_order_mark[] = {0xef, 0xbb, 0xbf};

    memset(pem, 0, sizeof *pem);
    if (text.n >= sizeof byte_order_mark && memcmp(text.p, byte_order_mark, sizeof byte_order_mark) == 0) {
        text.p += sizeof byte_order_mark;
        text.n -= sizeof byte_order_mark;
    }
    pem->rest = text;
    pem->cap = text.n / 4 * 3 + 3;
    pem->scratch = mem_alloc(pem->cap);
    br_pem_decoder_init(&pem->decoder);
    return pem->scratch != NULL;
}

static void pem_close(struct pem *pem)
{
    if (pem->scratch != NULL)
        mem_wipe_free(pem->scratch, pem->cap);
    mem_wipe(pem, sizeof *pem);
}

/* Carriage returns never reach the decoder: of a banner that ends in one, it leaves the dashes in the
 * label. */
static void push(struct pem *pem)
{
    const uint8_t *cr = memchr(pem->rest.p, '\r', pem->rest.n);
    size_t n = cr != NULL ? (size_t)(cr - pem->rest.p) : pem->rest.n;

    n = n == 0 ? 1 : br_pem_decoder_push(&pem->decoder, pem->rest.p, n);
    pem->rest.p += n;
    pem->rest.n -= n;
}

static enum pem_event pem_next(struct pem *pem)
{
    for (;;) {
        if (pem->rest.n > 0) {
            push(pem);
        } else if (!pem->last_line_ended) {
            /* The decoder acts on whole lines. */
            pem->last_line_ended = true;
            br_pem_decoder_push(&pem->decoder, "\n", 1);
        } else {
            bool cut_off = pem->in_block;
            pem->in_block = false;
            return cut_off ? PEM_BAD : PEM_END;
        }
        switch (br_pem_decoder_event(&pem->decoder)) {
        case BR_PEM_BEGIN_OBJ:
            memcpy(pem->label, br_pem_decoder_name(&pem->decoder), sizeof pem->label);
            pem->label[sizeof pem->label - 1] = '\0';
            pem->in_block = true;
            pem->body = pem->rest;
            pem->der = writer_of(pem->scratch, pem->cap);
            br_pem_decoder_setdest(&pem->decoder, collect, pem);
            break;
        case BR_PEM_END_OBJ: pem->in_block = false; return PEM_BLOCK;
        case BR_PEM_ERROR: pem->in_block = false; return PEM_BAD;
        default: break;
        }
    }
}

static struct bytes pem_der(const struct pem *pem)
{
    return bytes_of(pem->der.start, writer_len(&pem->der));
}

static bool label_is(const struct pem *pem, const char *label)
{
    return strcmp(pem->label, label) == 0;
}

/* OpenSSL's old way to encrypt a key is a header inside the block (RFC 1421 §4.6.1.1). */
static bool is_encrypted_body(const struct pem *pem)
{
    static const char header[] = "Proc-Type:";

    return pem->body.n >= sizeof header - 1 && memcmp(pem->body.p, header, sizeof header - 1) == 0;
}

/* What a file without the block sought for is, as far as that can be told. */
static const char *what_instead(struct bytes text, const char *der, const char *otherwise)
{
    if (text.n == 0)
        return "the file is empty";
    struct reader r = reader_of(text.p, text.n);
    der_take(&r, DER_SEQUENCE);
    return reader_done(&r) ? der : otherwise;
}

const char *pem_load_chain(struct tls_identity *id, struct bytes pem_text)
{
    struct pem pem;
    const char *problem = NULL;
    bool has_key = false, has_pkcs7 = false, has_request = false;
    enum pem_event event;

    if (!pem_open(&pem, pem_text))
        return "out of memory";
    while (problem == NULL && (event = pem_next(&pem)) != PEM_END) {
        if (label_is(&pem, "TRUSTED CERTIFICATE")) {
            problem = "a TRUSTED CERTIFICATE block, which is OpenSSL's own; write it again with openssl x509";
        } else if (!label_is(&pem, "CERTIFICATE") && !label_is(&pem, "X509 CERTIFICATE")) {
            has_key = has_key || strstr(pem.label, "PRIVATE KEY") != NULL;
            has_pkcs7 = has_pkcs7 || label_is(&pem, "PKCS7");
            has_request = has_request || strstr(pem.label, "CERTIFICATE REQUEST") != NULL;
        } else if (event == PEM_BAD) {
            problem = "the CERTIFICATE block is damaged or cut off";
        } else if (id->chain_len == PEM_MAX_CHAIN) {
            problem = "more than 16 certificates in one file; keep the leaf and its issuers";
        } else {
            problem = x509_append(id, pem_der(&pem));
        }
    }
    pem_close(&pem);
    if (problem != NULL || id->chain_len > 0)
        return problem;
    if (has_key)
        return "no certificate in this file; it holds a PRIVATE KEY block";
    if (has_request)
        return "no certificate in this file; it holds a CERTIFICATE REQUEST block";
    if (has_pkcs7)
        return "no certificate in this file; it holds a PKCS7 block: openssl pkcs7 -print_certs converts it";
    return what_instead(pem_text, "this is DER, not PEM; openssl x509 -inform DER converts it",
                        "no PEM block in this file");
}

const char *pem_each_certificate(struct bytes text, void (*take)(struct writer *w, struct bytes der),
                                 struct writer *w, size_t *blocks)
{
    struct pem pem;
    const char *problem = NULL;
    enum pem_event event;

    *blocks = 0;
    if (!pem_open(&pem, text))
        return "out of memory";
    while (problem == NULL && (event = pem_next(&pem)) != PEM_END) {
        if (!label_is(&pem, "CERTIFICATE") && !label_is(&pem, "X509 CERTIFICATE"))
            continue;
        if (event == PEM_BAD)
            problem = "a CERTIFICATE block is damaged or cut off";
        else
            take(w, pem_der(&pem));
        ++*blocks;
    }
    pem_close(&pem);
    return problem;
}

static const char *load_key_block(struct tls_identity *id, const struct pem *pem, enum key_format format,
                                  enum pem_event event)
{
    if (event == PEM_BAD)
        return is_encrypted_body(pem) ? "the private key is encrypted; openssl pkey decrypts it"
                                      : "the private key block is damaged or cut off";
    return key_parse(id, format, pem_der(pem));
}

const char *pem_load_key(struct tls_identity *id, struct bytes pem_text)
{
    static const struct {
        const char *label;
        enum key_format format;
    } formats[] = {
        {"PRIVATE KEY",     KEY_PKCS8},
        {"EC PRIVATE KEY",  KEY_SEC1 },
        {"RSA PRIVATE KEY", KEY_PKCS1},
    };
    struct pem pem;
    const char *problem = NULL;
    bool found = false, has_certificate = false, has_public = false, has_other_key = false;
    enum pem_event event;

    if (!pem_open(&pem, pem_text))
        return "out of memory";
    while (!found && (event = pem_next(&pem)) != PEM_END) {
        for (size_t i = 0; i < sizeof formats / sizeof formats[0] && !found; i++) {
            if (!label_is(&pem, formats[i].label))
                continue;
            found = true;
            problem = load_key_block(id, &pem, formats[i].format, event);
        }
        if (label_is(&pem, "ENCRYPTED PRIVATE KEY")) {
            found = true;
            problem = "the private key is encrypted; openssl pkey decrypts it";
        }
        has_certificate = has_certificate || label_is(&pem, "CERTIFICATE");
        has_public = has_public || strstr(pem.label, "PUBLIC KEY") != NULL;
        has_other_key = has_other_key || strstr(pem.label, "PRIVATE KEY") != NULL;
    }
    pem_close(&pem);
    if (found)
        return problem;
    if (has_other_key)
        return "the private key is of a kind that is not supported; make a P-256 or an RSA key";
    if (has_certificate)
        return "no private key in this file; it holds a CERTIFICATE block";
    if (has_public)
        return "no private key in this file; it holds a PUBLIC KEY block";
    return what_instead(pem_text, "this is DER, not PEM; openssl pkey -inform DER converts it",
                        "no PEM block in this file");
}

void pem_write(struct writer *w, const char *label, struct bytes der)
{
    enum { LINE = 48 }; /* bytes, 64 characters */

    writer_str(w, "-----BEGIN ");
    writer_str(w, label);
    writer_str(w, "-----\n");
    while (der.n > 0) {
        size_t n = der.n < LINE ? der.n : LINE;

        text_base64_encode(w, bytes_of(der.p, n));
        writer_u8(w, '\n');
        der.p += n;
        der.n -= n;
    }
    writer_str(w, "-----END ");
    writer_str(w, label);
    writer_str(w, "-----\n");
}
