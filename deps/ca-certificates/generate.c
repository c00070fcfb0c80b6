/* SPDX-License-Identifier: MIT
 *
 * generate FILE...: the certificates of these PEM files as the bytes of an array of trust anchors (certs/trust.h), on
 * standard output. Those that had expired before the program was made are left out: where its clock says so, its clock is
 * wrong (base/time.h). A part of the build, not of the program.
 */
#include "base/file.h"
#include "base/time.h"
#include "certs/pem.h"
#include "certs/trust.h"
#include "certs/x509.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_MAX (1024u * 1024u)

static void put(struct writer *w, struct bytes certificate)
{
    struct x509 x;

    if (x509_parse(&x, certificate) && x.not_after < time_floor())
        return;
    trust_put_anchor(w, certificate);
}

int main(int argc, char **argv)
{
    uint8_t *all = malloc(ALL_MAX);
    struct writer w = writer_of(all, all != NULL ? ALL_MAX : 0);

    if (argc < 2)
        fputs("no certificates: Debian's ca-certificates is not installed\n", stderr);
    for (int i = 1; i < argc; i++) {
        struct file f = {0};
        const char *why = NULL;
        size_t blocks = 0;
        int error = file_read(argv[i], PEM_MAX_FILE, &f);

        if (error == 0)
            why = pem_each_certificate(bytes_of(f.content.p, f.content.n), put, &w, &blocks);
        if (error != 0 || why != NULL || blocks != 1 || w.failed) {
            fprintf(stderr, "%s: %s\n", argv[i],
                    error ? strerror(error)
                    : why ? why
                          : "no anchor can be made of it");
            return 1;
        }
        file_release(&f);
    }
    for (size_t i = 0; i < writer_len(&w); i++)
        printf("%u,%s", all[i], i % 24 == 23 ? "\n" : "");
    putchar('\n');
    free(all);
    return argc > 1 && !ferror(stdout) ? 0 : 1;
}
