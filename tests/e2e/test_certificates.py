# SPDX-License-Identifier: MIT
"""Keys and certificates in the forms that people have them in, what is said of those that are wrong, and those that
the program makes by itself."""
import hashlib
import os
import re
import shutil
import ssl
import subprocess

import pytest

from certificates import EC, P384, RSA, append, fingerprint, openssl
from proxy import run


# --- keys and certificates ---


def serves(proxy, cert, key):
    p = proxy("site localhost { tls cert %s key %s\n respond 200 ok }" % (cert, key))
    assert p.get().body == b"ok"
    return p


def convert(authority, tmp, algorithm, *how):
    cert, key = authority.leaf("localhost", algorithm=algorithm)
    out = os.path.join(tmp, "converted.key")
    openssl(*how, "-in", key, "-out", out)
    return cert, out


def first_line(path):
    with open(path) as f:
        return f.readline().strip()


def test_key_pkcs8_ec(proxy, authority):
    cert, key = authority.leaf("localhost")
    assert first_line(key) == "-----BEGIN PRIVATE KEY-----"
    serves(proxy, cert, key)


def test_key_pkcs8_rsa(proxy, authority):
    cert, key = authority.leaf("localhost", algorithm=RSA)
    assert first_line(key) == "-----BEGIN PRIVATE KEY-----"
    serves(proxy, cert, key)


def test_key_sec1(proxy, authority, tmp):
    cert, key = convert(authority, tmp, EC, "ec")
    assert first_line(key) == "-----BEGIN EC PRIVATE KEY-----"
    serves(proxy, cert, key)


def test_key_sec1_with_parameters(proxy, authority, tmp):
    cert, key = convert(authority, tmp, EC, "ec")
    parameters = openssl("ecparam", "-name", "prime256v1")
    with open(key) as f:
        text = f.read()
    with open(key, "w") as f:
        f.write(parameters + text)
    serves(proxy, cert, key)


def test_key_pkcs1(proxy, authority, tmp):
    cert, key = convert(authority, tmp, RSA, "rsa", "-traditional")
    assert first_line(key) == "-----BEGIN RSA PRIVATE KEY-----"
    serves(proxy, cert, key)


def test_key_p384(proxy, authority):
    serves(proxy, *authority.leaf("localhost", algorithm=P384))


def test_certificate_with_text_and_crlf(proxy, authority, tmp):
    cert, key = authority.leaf("localhost")
    path = os.path.join(tmp, "text.pem")
    with open(path, "w", newline="") as f:
        f.write(openssl("x509", "-in", cert, "-text").replace("\n", "\r\n"))
    append(path, authority.intermediate[0])
    serves(proxy, path, key)


def test_key_and_certificate_in_one_file(proxy, authority, tmp):
    cert, key = authority.leaf("localhost")
    path = os.path.join(tmp, "both.pem")
    append(path, key, cert)
    serves(proxy, path, path)


def validate(tmp, cert, key, names="localhost"):
    conf = os.path.join(tmp, "v.conf")
    with open(conf, "w") as f:
        f.write("state %s\nlisten 127.0.0.1:1\nsite %s { tls cert %s key %s\n respond 200 ok }\n" % (
            tmp, names, cert, key))
    return run("--config", conf, "--validate")


def test_key_of_another_certificate(tmp, authority):
    r = validate(tmp, authority.leaf("localhost")[0], authority.leaf("other.test")[1])
    assert r.returncode == 1 and re.search(r"v\.conf:3:\d+: .*(match|not the one)", r.stderr)


def test_expired_certificate(tmp, authority):
    r = validate(tmp, *authority.leaf("localhost", expired=True))
    assert "expired" in r.stdout + r.stderr


def test_chain_out_of_order(tmp, authority):
    cert, key = authority.leaf("localhost", chain=False)
    path = os.path.join(tmp, "chain.pem")
    append(path, authority.intermediate[0], cert)
    r = validate(tmp, path, key)
    assert re.search("order|first|match", r.stdout + r.stderr)
    path = os.path.join(tmp, "chain2.pem")
    append(path, cert, authority.root[0], authority.intermediate[0])
    r = validate(tmp, path, key)
    assert re.search("order|issue|chain", r.stdout + r.stderr)


def test_name_not_covered(tmp, authority):
    r = validate(tmp, *authority.leaf("other.test"), names="localhost")
    assert re.search(r"localhost.*(not cover|cover)|cover.*localhost", r.stdout + r.stderr)


@pytest.mark.parametrize("text", ["", "hello\n", "-----BEGIN PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n"
                                  "-----END PRIVATE KEY-----\n"])
def test_broken_key(tmp, authority, text):
    path = os.path.join(tmp, "broken.key")
    with open(path, "w") as f:
        f.write(text)
    r = validate(tmp, authority.leaf("localhost")[0], path)
    assert r.returncode == 1 and "broken.key" in r.stderr


def test_encrypted_key_is_named_as_such(tmp, authority):
    cert, key = authority.leaf("localhost")
    path = os.path.join(tmp, "encrypted.key")
    openssl("pkcs8", "-topk8", "-in", key, "-out", path, "-passout", "pass:x")
    r = validate(tmp, cert, path)
    assert r.returncode == 1 and "encrypt" in r.stderr.lower()


def test_missing_key_file(tmp, authority):
    r = validate(tmp, authority.leaf("localhost")[0], tmp + "/none.key")
    assert r.returncode == 1 and "none.key" in r.stderr and "No such file" in r.stderr


# --- self-signed ---


def test_self_signed(proxy, tmp):
    p = proxy("site localhost 127.0.0.1 example.test *.example.test { tls self-signed\n respond 200 ok }")
    pem = ssl.DER_cert_to_PEM_cert(p.connect().tls.getpeercert(True))
    path = os.path.join(tmp, "self.pem")
    with open(path, "w") as f:
        f.write(pem)
    text = openssl("x509", "-in", path, "-noout", "-text")
    assert "Version: 3" in text and "ASN1 OID: prime256v1" in text and "ecdsa-with-SHA256" in text
    for name in ("DNS:localhost", "IP Address:127.0.0.1", "DNS:example.test", "DNS:*.example.test"):
        assert name in text
    assert subprocess.run(["openssl", "x509", "-in", path, "-noout", "-checkend", str(91 * 86400)],
                          stdout=subprocess.DEVNULL).returncode == 1
    assert subprocess.run(["openssl", "x509", "-in", path, "-noout", "-checkend", str(80 * 86400)],
                          stdout=subprocess.DEVNULL).returncode == 0
    # A client that is given the certificate accepts the connection for those names.
    r = subprocess.run(["curl", "-q", "-sS", "--cacert", path, "--resolve", "x.example.test:%d:127.0.0.1" % p.port,
                        "https://x.example.test:%d/" % p.port, "https://127.0.0.1:%d/" % p.port],
                       capture_output=True, text=True, timeout=20)
    assert r.stdout == "okok", r.stderr


def test_self_signed_outlives_a_restart(proxy):
    conf = "site localhost { tls self-signed\n respond 200 ok }"
    p = proxy(conf)
    first = p.connect().tls.getpeercert(True)
    q = proxy(conf, globals="state " + p.state, wait=None)
    shutil.copytree(p.state, q.state, dirs_exist_ok=True)
    q.preamble = q.preamble.replace("state " + p.state, "state " + q.state)
    q.write_conf(conf)
    q.start()
    assert q.connect().tls.getpeercert(True) == first
    key = [os.path.join(d, f) for d, _, fs in os.walk(q.state) for f in fs if "key" in f]
    assert key and all(os.stat(k).st_mode & 0o077 == 0 for k in key)


def test_self_signed_is_kept_in_the_state_folder(proxy):
    p = proxy("site localhost { tls self-signed\n respond 200 ok }")
    found = [os.path.join(d, f) for d, _, fs in os.walk(p.state) for f in fs if f == "cert.pem"]
    assert len(found) == 1
    der = p.connect().tls.getpeercert(True)

    assert fingerprint(found[0]) == hashlib.sha256(der).hexdigest()
