# SPDX-License-Identifier: MIT
"""What is agreed on in a TLS handshake, as OpenSSL sees it: versions, ciphers, groups, signatures, names."""
import re
import subprocess

import pytest

from proxy import Proxy
from tlsclients import FLAG, s_client, s_client_get

SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
CIPHERS = ["ECDHE-%s-%s" % (a, c) for a in ("ECDSA", "RSA") for c in (
    "AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")]
REFUSED = ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-CCM",
           "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "AES128-GCM-SHA256", "AES128-SHA",
           "DHE-RSA-AES128-GCM-SHA256"]


def subject(out):
    return re.search(r"^subject=(.*)$", out, re.M).group(1).replace(" ", "")


def chosen(out):
    """(version, cipher)"""
    return re.search(r"^New, (\S+), Cipher is (\S+)$", out, re.M).groups()


def refused(out):
    return "Cipher is (NONE)" in out


# --- versions ---


def test_the_newest_version_is_taken(sites):
    assert chosen(s_client(sites.port, sni="ec.test"))[0] == "TLSv1.3"


def test_tls_1_2(sites):
    out = s_client(sites.port, "-tls1_2", sni="ec.test")
    assert "Protocol  : TLSv1.2" in out and "Secure Renegotiation IS supported" in out
    assert "Compression: NONE" in out


def test_tls_1_3(sites):
    out = s_client_get(sites.port, "-tls1_3", sni="ec.test")
    assert "Protocol  : TLSv1.3" in out and "Compression: NONE" in out and "Max Early Data: 0" in out
    assert out.rstrip().endswith("closed") and "\n\r\nec" in out


@pytest.mark.parametrize("flag", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(sites, flag):
    out = s_client(sites.port, flag, "-cipher", "ALL:@SECLEVEL=0", sni="ec.test")
    assert refused(out) or "no protocols available" in out
    assert "alert" in out or "no protocols" in out


def test_1_3_alone(proxy):
    p = proxy("site localhost { tls self-signed\n respond 200 ok }", globals="tls-min 1.3")
    assert chosen(s_client(p.port, "-tls1_3"))[0] == "TLSv1.3"
    out = s_client(p.port, "-tls1_2")
    assert refused(out) and "alert protocol version" in out


# --- suites, groups, signatures ---


@pytest.mark.parametrize("cipher", CIPHERS)
def test_ciphers_of_1_2(sites, cipher):
    name = "rsa" if "RSA" in cipher.split("-")[1] else "ec"
    out = s_client(sites.port, "-tls1_2", "-cipher", cipher, sni=name + ".test")
    assert chosen(out) == ("TLSv1.2", cipher) and subject(out) == "CN=%s.test" % name


@pytest.mark.parametrize("cipher", REFUSED)
def test_ciphers_of_1_2_refused(sites, cipher):
    name = "ec" if "ECDSA" in cipher else "rsa"
    out = s_client(sites.port, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0", sni=name + ".test")
    assert refused(out) and "alert handshake failure" in out


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("name", ["ec", "rsa"])
def test_suites_of_1_3(sites, suite, name):
    out = s_client_get(sites.port, "-tls1_3", "-ciphersuites", suite, sni=name + ".test")
    assert chosen(out) == ("TLSv1.3", suite) and out.count("\n\r\n%s" % name) == 1


@pytest.mark.parametrize("suite", ["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"])
def test_suites_of_1_3_refused(sites, suite):
    out = s_client(sites.port, "-tls1_3", "-ciphersuites", suite, sni="ec.test")
    assert refused(out) and "alert handshake failure" in out


@pytest.mark.parametrize("version, option, aes128, aes256, chacha", [
    ("TLSv1.2", "-cipher", *CIPHERS[:3]), ("TLSv1.3", "-ciphersuites", *SUITES)])
def test_servers_preference(sites, version, option, aes128, aes256, chacha):
    """The client's order decides nothing between the AES suites; ChaCha20 put first is taken, as a client without
    fast AES asks for it that way."""
    def with_order(*order):
        return chosen(s_client(sites.port, FLAG[version], option, ":".join(order), sni="ec.test"))[1]
    assert with_order(aes128, aes256) == with_order(aes256, aes128) == aes128
    assert with_order(chacha, aes256, aes128) == chacha


@pytest.mark.parametrize("group, shown", [("X25519", "X25519"), ("P-256", "ECDH, prime256v1")])
def test_groups(sites, version, group, shown):
    out = s_client(sites.port, FLAG[version], "-groups", group, sni="ec.test")
    assert "Server Temp Key: " + shown in out


@pytest.mark.parametrize("group", ["P-521", "P-384:X448"])
def test_other_groups_alone_are_refused(sites, version, group):
    out = s_client(sites.port, FLAG[version], "-groups", group, sni="rsa.test")
    assert refused(out) and "alert handshake failure" in out


# Signatures that the two versions name alike, by the key that makes them.
SIGNATURES = {
    "TLSv1.2": [("ec", "ECDSA+SHA256"), ("ec", "ECDSA+SHA384"), ("p384", "ECDSA+SHA256"), ("p384", "ECDSA+SHA384"),
                ("rsa", "RSA+SHA256"), ("rsa", "RSA+SHA512")],
    "TLSv1.3": [("ec", "ECDSA+SHA256"), ("p384", "ECDSA+SHA384"), ("p521", "ECDSA+SHA512"),
                ("rsa", "rsa_pss_rsae_sha256"), ("rsa", "rsa_pss_rsae_sha384"), ("rsa", "rsa_pss_rsae_sha512")],
}


@pytest.mark.parametrize("version, name, algorithm", [(v, *s) for v in SIGNATURES for s in SIGNATURES[v]])
def test_signatures(sites, authority, version, name, algorithm):
    out = s_client_get(sites.port, FLAG[version], "-sigalgs", algorithm, "-CAfile", authority.root[0],
                       "-verify_return_error", sni=name + ".test")
    digest = re.search("SHA[0-9]+", algorithm.upper()).group()
    assert "Peer signing digest: " + digest in out and "Verify return code: 0 (ok)" in out
    kind = "RSA-PSS" if "pss" in algorithm else algorithm.split("+")[0]
    assert "Peer signature type: " + kind in out and "\n\r\n" + name in out


@pytest.mark.parametrize("name, algorithm", [
    ("ec", "ECDSA+SHA384"), ("p384", "ECDSA+SHA256"), ("ec", "rsa_pss_rsae_sha256"),
    ("rsa", "ECDSA+SHA256"), ("rsa", "RSA+SHA256"), ("rsa", "rsa_pss_pss_sha256")])
def test_signatures_that_1_3_does_not_allow_a_key(sites, name, algorithm):
    """There a curve comes with its hash, and RSA with PSS (RFC 8446 §4.2.3)."""
    out = s_client(sites.port, "-tls1_3", "-sigalgs", algorithm, sni=name + ".test")
    assert refused(out) and ("alert handshake failure" in out or "no suitable signature algorithm" in out)


@pytest.mark.parametrize("bits", [3072, 4096])
def test_longer_rsa_keys(proxy, authority, version, bits):
    p = proxy("site localhost { tls cert %s key %s\n respond 200 ok }" % authority.leaf(
        "localhost", algorithm=["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:%d" % bits]))
    out = s_client_get(p.port, FLAG[version], "-CAfile", authority.root[0], "-verify_return_error")
    assert "Server public key is %d bit" % bits in out and "\n\r\nok" in out


def test_no_renegotiation(sites):
    out = s_client(sites.port, "-tls1_2", sni="ec.test", stdin="R\n")
    assert "RENEGOTIATING" in out
    assert re.search("no renegotiation|unexpected|alert|error", out.split("RENEGOTIATING")[1], re.I)
    assert sites.get(sni="ec.test", host="ec.test").body == b"ec"


# --- ALPN ---


@pytest.mark.parametrize("offer", ["http/1.1", "h2,http/1.1", "spdy/3,http/1.1", "http/1.0,http/1.1"])
def test_alpn(sites, version, offer):
    out = s_client(sites.port, FLAG[version], "-alpn", offer, sni="ec.test")
    assert "ALPN protocol: http/1.1" in out and not refused(out)


def test_alpn_none(sites, version):
    assert "No ALPN negotiated" in s_client(sites.port, FLAG[version], sni="ec.test")


@pytest.mark.parametrize("offer", ["h2", "http/1.0,http/0.9", "http/1.1x"])
def test_alpn_without_a_match(sites, version, offer):
    """RFC 7301 §3.2"""
    out = s_client(sites.port, FLAG[version], "-alpn", offer, sni="ec.test")
    assert refused(out) and "alert no application protocol" in out


# --- names ---


NAMES = [("a.test", "a.test"), ("A.Test", "a.test"), ("b.test", "b.test"), ("x.w.test", "*.w.test"),
         ("exact.w.test", "exact.w.test"), (None, "default.test")]


@pytest.fixture(scope="module")
def names(authority):
    text = ""
    for i, n in enumerate(("a.test", "b.test", "*.w.test", "exact.w.test", "default.test")):
        text += "site %s { tls cert %s key %s\n respond 200 %d }\n" % ((
            n if n != "default.test" else "default.test default",) + authority.leaf(n) + (i,))
    p = Proxy(text)
    yield p
    wrong = p.finish()
    if wrong:
        pytest.fail(wrong, pytrace=False)


@pytest.mark.parametrize("sni, want", NAMES)
def test_sni(names, version, sni, want):
    assert subject(s_client(names.port, FLAG[version], sni=sni)) == "CN=" + want


@pytest.mark.parametrize("sni", ["unknown.test", "w.test", "y.x.w.test"])
def test_unknown_name_gets_the_default_or_an_alert(names, version, sni):
    out = s_client(names.port, FLAG[version], sni=sni)
    assert "unrecognized name" in out or subject(out) == "CN=default.test"


def test_unknown_name_without_a_default(sites, version):
    out = s_client(sites.port, FLAG[version], sni="unknown.test")
    assert refused(out) and "alert unrecognized name" in out or "unrecognized name" in out


def test_chain_is_sent(names, authority, version):
    out = s_client(names.port, FLAG[version], "-showcerts", "-CAfile", authority.root[0], "-verify_return_error",
                   sni="a.test")
    assert out.count("BEGIN CERTIFICATE") == 2 and "Verify return code: 0 (ok)" in out


@pytest.mark.parametrize("option", ["--tls-max=1.2", "--tlsv1.3"])
def test_curl_verifies(names, authority, option):
    r = subprocess.run(["curl", "-q", "-sS", "-v", *option.split("="), "--cacert", authority.root[0], "--resolve",
                        "a.test:%d:127.0.0.1" % names.port, "https://a.test:%d/" % names.port],
                       capture_output=True, text=True, timeout=20)
    assert r.returncode == 0 and r.stdout == "0", r.stderr
    assert "SSL connection using TLSv" + option[-3:] in r.stderr


def test_python_verifies(names, authority, version):
    ctx = names.context(version=version, ca=authority.root[0])
    with names.connect(sni="x.w.test", context=ctx) as c:
        assert c.tls.version() == version and c.get(host="x.w.test").body == b"2"
