# SPDX-License-Identifier: MIT
"""testssl.sh, which people ask whether a server is set up well: it finds nothing but what comes of a private CA, and
of what a site says in its own header fields. It is kept off the network."""
import json
import os
import shutil
import subprocess

import pytest

from certificates import EC, P384, RSA

pytestmark = [pytest.mark.long, pytest.mark.real,
              pytest.mark.skipif(shutil.which("testssl") is None, reason="testssl.sh is not installed")]

# Why it is no finding about us, by the id.
ACCEPTED = {
    "engine_problem": "the OpenSSL that testssl.sh uses here has no GOST engine",
    "cert_revocation": "a private CA that offers neither CRL nor OCSP",
    "cert_expirationStatus": "certificates of the tests live for 30 days",
    "cert_notAfter": "the same",
    "sessionresumption_ticket": "it resumes by an OpenSSL that may have left before its ticket came",
    "security_headers": "which fields like Content-Security-Policy a site sends is its own affair",
}
GOOD = ("OK", "INFO", "LOW")


@pytest.mark.parametrize("name, algorithm, tls_min", [("ec", EC, "1.2"), ("rsa", RSA, "1.2"), ("p384", P384, "1.3")])
def test_testssl(proxy, authority, tmp, name, algorithm, tls_min):
    cert, key = authority.leaf(name + ".test", algorithm=algorithm)
    p = proxy("site %s.test { tls cert %s key %s\n respond 200 ok\n header set Strict-Transport-Security "
              '"max-age=31536000" }' % (name, cert, key), globals="tls-min " + tls_min)
    path = os.path.join(tmp, "findings.json")
    r = subprocess.run(["testssl", "--quiet", "--color", "0", "--warnings", "off", "--openssl", shutil.which("openssl"),
                        "--ip", "127.0.0.1", "--nodns", "none", "--add-ca", authority.root[0], "--full",
                        "--jsonfile", path, "https://%s.test:%d/" % (name, p.port)],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900, cwd=tmp)
    with open(path) as f:
        findings = json.load(f)
    bad = ["%(severity)s %(id)s: %(finding)s" % f for f in findings
           if f["severity"] not in GOOD and f["id"] not in ACCEPTED]
    assert not bad, "\n".join(bad + [r.stdout[-3000:]])
    said = {f["id"]: f["finding"] for f in findings}
    # It got that far.
    assert said["TLS1_3"].startswith("offered") and ("not offered" in said["TLS1_2"]) == (tls_min == "1.3")
    assert "passed" in said["cert_chain_of_trust"] and "not vulnerable" in said["heartbleed"]
    assert p.get(host=name + ".test", sni=name + ".test").body == b"ok"
