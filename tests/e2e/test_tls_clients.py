# SPDX-License-Identifier: MIT
"""TLS with clients that are not OpenSSL's: GnuTLS and NSS, and with curl. (Chromium is in test_browser.py.)"""
import re
import subprocess

import pytest

from between import DATA, extension
from tlsclients import Nss, gnutls
from upstreams import reply

GNUTLS = {"TLSv1.2": "NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLSv1.3": "NORMAL:-VERS-ALL:+VERS-TLS1.3"}
GNUTLS_CIPHERS = ["AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305"]
NSS = {"TLSv1.2": "tls1.2:tls1.2", "TLSv1.3": "tls1.3:tls1.3"}
NSS_SUITES = {"TLSv1.2": ["c02b", "c02c", "cca9"], "TLSv1.3": ["1301", "1302", "1303"]}
TAG = 16
RECORD_SIZE_LIMIT = 28


# --- GnuTLS ---


@pytest.mark.parametrize("cipher", GNUTLS_CIPHERS)
@pytest.mark.parametrize("group", ["X25519", "SECP256R1"])
def test_gnutls(sites, authority, version, cipher, group):
    out = gnutls(sites.port, "--priority", "%s:-CIPHER-ALL:+%s:-GROUP-ALL:+GROUP-%s" % (GNUTLS[version], cipher, group),
                 sni="ec.test", authority=authority)
    assert "certificate is trusted" in out and "\n\r\nec" in out
    assert re.search(r"Description: \(%s-X.509\)-\(ECDHE-%s\)-\(ECDSA-(SECP256R1-)?SHA256\)-\(%s\)" % (
        version.replace("v", ""), group, cipher), out)


@pytest.mark.parametrize("name, signature", [
    ("ec", "ECDSA-SECP256R1-SHA256"), ("p384", "ECDSA-SECP384R1-SHA384"), ("p521", "ECDSA-SECP521R1-SHA512"),
    ("rsa", "RSA-PSS-RSAE-SHA256"), ("rsa", "RSA-PSS-RSAE-SHA384"), ("rsa", "RSA-PSS-RSAE-SHA512")])
def test_gnutls_signatures(sites, authority, name, signature):
    """The chain's own signatures are by ECDSA with SHA-256, which a client of that chain has to allow too."""
    out = gnutls(sites.port, "--priority", "%s:-SIGN-ALL:+SIGN-%s:+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SECP256R1-SHA256" % (
        GNUTLS["TLSv1.3"], signature), sni=name + ".test", authority=authority)
    assert "certificate is trusted" in out and "\n\r\n" + name in out and "-(%s)-" % signature in out


def test_gnutls_retry(sites, authority):
    """Its first share is of a group that we do not have."""
    out = gnutls(sites.port, "--priority", "%s:-GROUP-ALL:+GROUP-SECP384R1:+GROUP-SECP256R1" % GNUTLS["TLSv1.3"],
                 "--single-key-share", sni="ec.test", authority=authority)
    assert "(ECDHE-SECP256R1)" in out and "\n\r\nec" in out


@pytest.mark.parametrize("groups", ["X25519:+GROUP-SECP256R1", "SECP384R1:+GROUP-SECP256R1"])
def test_gnutls_resumes(sites, authority, version, groups):
    """Once more when it has closed, by a session id or a ticket. It waits for the ticket, and then sends the request
    in the second connection."""
    out = gnutls(sites.port, "--resume", "--priority", "%s:-GROUP-ALL:+GROUP-%s" % (GNUTLS[version], groups),
                 sni="ec.test", authority=authority)
    assert "*** This is a resumed session" in out


def test_gnutls_takes_new_keys(sites, authority):
    """Its own, then both."""
    out = gnutls(sites.port, "--inline-commands", "--priority", GNUTLS["TLSv1.3"], sni="ec.test", authority=authority,
                 before="^rekey^\n^rekey1^\n^rekey1^\n")
    assert out.count("Rekey was completed") == 3 and "\n\r\nec" in out


@pytest.mark.parametrize("size", [512, 1000, 4096])
def test_gnutls_record_size(site, between, authority, size):
    """RFC 8449: no record to the client holds more than it asked for, its type included."""
    body = "0123456789abcdef" * 16384
    p, u = site(reply(body))
    b = between(p.port)
    out = gnutls(b.port, "--insecure", "--recordsize", str(size), "--priority", GNUTLS["TLSv1.3"], sni="localhost",
                 authority=authority)
    assert body in out
    limit = int.from_bytes(extension(b.records(b.sent)[0][1], RECORD_SIZE_LIMIT), "big")
    assert limit == size + 1
    sizes = [len(text) - TAG for kind, text in b.records(b.received) if kind == DATA]
    assert max(sizes) == limit and sum(sizes) > len(body)


def test_gnutls_without_a_common_protocol(sites, authority):
    out = gnutls(sites.port, "--alpn", "h2", sni="ec.test", authority=authority)
    assert "No supported application protocol could be negotiated" in out


def test_gnutls_with_a_common_protocol(sites, authority, version):
    out = gnutls(sites.port, "--alpn", "h2", "--alpn", "http/1.1", "--priority", GNUTLS[version], sni="ec.test",
                 authority=authority)
    assert "- Application protocol: http/1.1" in out and "\n\r\nec" in out


def test_gnutls_of_1_2_alone_has_no_other_version(sites, authority):
    out = gnutls(sites.port, "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.1", sni="ec.test", authority=authority)
    assert "Handshake was completed" not in out


# --- NSS ---


@pytest.fixture(scope="module")
def nss(authority, tmp_path_factory):
    return Nss(str(tmp_path_factory.mktemp("nss")), authority)


@pytest.mark.parametrize("version, suite", [(v, s) for v in NSS for s in NSS_SUITES[v]])
@pytest.mark.parametrize("group, bits", [("x25519", 255), ("P256", 256)])
def test_nss(sites, nss, version, suite, group, bits):
    out = nss.get(sites.port, "-V", NSS[version], "-c", ":" + suite, "-I", group, sni="ec.test")
    assert "HTTP/1.1 200 OK" in out and "\n\r\nec" in out
    assert "SSL version 3.%d using" % (3 if version == "TLSv1.2" else 4) in out
    assert re.search(r"Key Exchange: %d-bit" % bits, out)


@pytest.mark.parametrize("name, scheme", [
    ("ec", "ecdsa_secp256r1_sha256"), ("p384", "ecdsa_secp384r1_sha384"), ("p521", "ecdsa_secp521r1_sha512"),
    ("rsa", "rsa_pss_rsae_sha256"), ("rsa", "rsa_pss_rsae_sha384"), ("rsa", "rsa_pss_rsae_sha512")])
def test_nss_signatures(sites, nss, name, scheme):
    out = nss.get(sites.port, "-V", NSS["TLSv1.3"], "-J", scheme, sni=name + ".test")
    assert "Signature Scheme: " + scheme in out and "\n\r\n" + name in out


@pytest.mark.parametrize("more", [[], ["-e"]])
def test_nss_retry(sites, nss, more):
    """With and without what middleboxes like to see."""
    out = nss.get(sites.port, "-V", NSS["TLSv1.3"], "-I", "P384,P256", *more, sni="ec.test")
    assert "Key Exchange: 256-bit" in out and "\n\r\nec" in out


@pytest.mark.parametrize("more", [[], ["-Z"], ["-I", "P384,P256"]])
def test_nss_resumes(proxy, authority, nss, version, more):
    """A second connection, in which it asks nothing; -Z: it would send early data, but our tickets allow none."""
    p = proxy("site ec.test { tls cert %s key %s\n respond 200 ec }" % authority.leaf("ec.test"),
              globals="header-timeout 1s")
    out = nss.get(p.port, "-V", NSS[version], "-L", "2", "-u", *more, sni="ec.test")
    assert "\n\r\nec" in out and re.findall("([0-9]+) cache hits", out) == ["0", "1"]


def test_nss_grease(sites, nss):
    out = nss.get(sites.port, "-V", NSS["TLSv1.3"], "-i", "100", sni="ec.test")
    assert "\n\r\nec" in out


# --- curl ---


CURL = {"TLSv1.2": ["--tls-max", "1.2"], "TLSv1.3": ["--tlsv1.3"]}


def curl(p, authority, *args):
    url = "https://ec.test:%d/" % p.port
    r = subprocess.run(["curl", "-q", "-sS", "-v", "--noproxy", "*", "--cacert", authority.root[0], "--resolve",
                        "ec.test:%d:127.0.0.1" % p.port, *[url if a == "{url}" else a for a in args]],
                       capture_output=True, text=True, timeout=30)
    assert r.returncode == 0, r.stderr
    return r


def test_curl_keeps_the_connection(sites, authority, version):
    r = curl(sites, authority, *CURL[version], "{url}", "{url}", "{url}")
    assert r.stdout == "ececec" and r.stderr.count("SSL connection using " + version) == 1


def test_curl_resumes(sites, authority, version):
    """Three connections of one process."""
    r = curl(sites, authority, *CURL[version], "-H", "Connection: close", "{url}", "{url}", "{url}")
    assert r.stdout == "ececec" and r.stderr.count("SSL connection using " + version) == 3
    assert r.stderr.count("SSL re-using session ID") == 2
