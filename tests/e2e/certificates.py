# SPDX-License-Identifier: MIT
"""Keys and certificates in the forms that people have them in, made by openssl."""
import os
import subprocess

EC = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
P384 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]
P521 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]
RSA = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]


def openssl(*args, **kw):
    r = subprocess.run(["openssl", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=60, **kw)
    assert r.returncode == 0, "openssl %s: %s" % (" ".join(args), r.stderr.decode())
    return r.stdout.decode("utf-8", "replace")


class Authority:
    """A root, an intermediate below it, and leaves below that."""

    def __init__(self, folder):
        self.dir = folder
        self.n = 0
        self.root = self._issue("root", ["CN=Test Root"], EC, None, ca=True)
        self.intermediate = self._issue("intermediate", ["CN=Test Intermediate"], EC, self.root, ca=True)
        self._leaves = {}

    def _issue(self, name, subject, algorithm, issuer, ca=False, names=(), days=("-days", "30"), dates=None):
        self.n += 1
        base = os.path.join(self.dir, "%s-%d" % (name, self.n))
        key, csr, cert, ext = base + ".key", base + ".csr", base + ".pem", base + ".ext"
        openssl("genpkey", *algorithm, "-out", key)
        with open(ext, "w") as f:
            f.write("basicConstraints=critical,CA:%s\n" % ("TRUE" if ca else "FALSE"))
            if ca:
                f.write("keyUsage=critical,keyCertSign,cRLSign\n")
            if names:
                f.write("subjectAltName=%s\n" % ",".join(
                    ("IP:" if n.replace(".", "").isdigit() or ":" in n else "DNS:") + n for n in names))
        openssl("req", "-new", "-key", key, "-subj", "/" + "/".join(subject), "-out", csr)
        if dates:
            self._issue_dated(csr, key, cert, ext, issuer, dates)
        else:
            by = ["-CA", issuer[0], "-CAkey", issuer[1], "-CAcreateserial"] if issuer else ["-signkey", key]
            openssl("x509", "-req", "-in", csr, *by, *days, "-sha256", "-extfile", ext, "-out", cert)
        return cert, key

    def _issue_dated(self, csr, key, cert, ext, issuer, dates):
        """With dates in the past, which only `openssl ca` can do."""
        base = cert + ".ca"
        open(base + ".db", "w").close()
        with open(base + ".conf", "w") as f:
            f.write("[ca]\ndefault_ca=c\n[c]\ndatabase=%s.db\nnew_certs_dir=%s\nrand_serial=yes\ndefault_md=sha256\n"
                    "policy=p\n[p]\ncommonName=optional\n" % (base, self.dir))
        openssl("ca", "-batch", "-config", base + ".conf", "-in", csr, "-cert", issuer[0], "-keyfile", issuer[1],
                "-startdate", dates[0], "-enddate", dates[1], "-extfile", ext, "-out", cert, "-notext")

    def leaf(self, *names, algorithm=EC, chain=True, expired=False):
        """(certificate file, key file) for those names; the file holds leaf and intermediate."""
        wanted = (names, tuple(algorithm), chain, expired)
        if wanted not in self._leaves:
            dates = ("20200101000000Z", "20210101000000Z") if expired else None
            cert, key = self._issue("leaf", ["CN=" + names[0]], algorithm, self.intermediate, names=names,
                                    dates=dates)
            if chain:
                append(cert, self.intermediate[0])
            self._leaves[wanted] = cert, key
        return self._leaves[wanted]

    def other(self, *names, **kw):
        """As leaf, but never the same twice."""
        found = self.leaf(*names, **kw)
        self._leaves = {k: v for k, v in self._leaves.items() if v is not found}
        return found


def append(to, *files):
    text = "".join(open(f).read() for f in files)
    with open(to, "a") as f:
        f.write(text)


def fingerprint(pem_file):
    """SHA-256 of a certificate, as lower-case hex without colons."""
    return openssl("x509", "-in", pem_file, "-noout", "-fingerprint", "-sha256").split("=")[1].strip(
        ).replace(":", "").lower()
