# SPDX-License-Identifier: MIT
"""TLS as OpenSSL and Python see it: versions, ciphers, names, certificates, and how it ends."""
import hashlib
import os
import re
import shutil
import ssl
import subprocess

import pytest

from certificates import EC, RSA, append, fingerprint, openssl
from proxy import run
from rawhttp import CLOSE_NOTIFY, FIN, RESET, Client, Ended, client_context
from upstreams import echo, reply

CIPHERS = ["ECDHE-%s-%s" % (a, c) for a in ("ECDSA", "RSA") for c in (
    "AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")]
REFUSED = ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-CCM",
           "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "AES128-GCM-SHA256", "AES128-SHA",
           "DHE-RSA-AES128-GCM-SHA256"]


def s_client(p, *args, stdin="", sni="localhost", port=None):
    """openssl s_client: its output. It ends at the end of stdin."""
    name = ["-servername", sni] if sni else ["-noservername"]
    r = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % (port or p.port), *name, *args],
                       input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                       timeout=20)
    return r.stdout


def subject(out):
    return re.search(r"^subject=(.*)$", out, re.M).group(1).replace(" ", "")


@pytest.fixture(scope="module")
def both(authority):
    """A site with an EC key and one with an RSA key, for the whole table."""
    from proxy import Proxy
    ec, rsa = authority.leaf("ec.test"), authority.leaf("rsa.test", algorithm=RSA)
    p = Proxy('site ec.test { tls cert %s key %s\n respond 200 ec }\nsite rsa.test { tls cert %s key %s\n'
              ' respond 200 rsa }' % (ec + rsa))
    yield p
    wrong = p.finish()
    if wrong:
        pytest.fail(wrong, pytrace=False)


# --- versions, ciphers, curves ---


def test_tls_1_2(both):
    out = s_client(both, "-tls1_2", sni="ec.test")
    assert "Protocol  : TLSv1.2" in out and "Secure Renegotiation IS supported" in out
    assert "Compression: NONE" in out


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(both, version):
    out = s_client(both, version, "-cipher", "ALL:@SECLEVEL=0", sni="ec.test")
    assert "New, (NONE), Cipher is (NONE)" in out or "no protocols available" in out
    assert "alert" in out or "no protocols" in out


@pytest.mark.parametrize("cipher", CIPHERS)
def test_ciphers(both, cipher):
    name = "rsa" if "RSA" in cipher.split("-")[1] else "ec"
    out = s_client(both, "-tls1_2", "-cipher", cipher, sni=name + ".test")
    assert "Cipher    : " + cipher in out
    assert subject(out) == "CN=%s.test" % name


@pytest.mark.parametrize("cipher", REFUSED)
def test_ciphers_refused(both, cipher):
    name = "ec" if "ECDSA" in cipher else "rsa"
    out = s_client(both, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0", sni=name + ".test")
    assert "Cipher is (NONE)" in out and "alert handshake failure" in out


def test_servers_preference(both):
    """The client's order decides nothing between the AES suites; ChaCha20 put first is taken, as a client without
    fast AES asks for it that way."""
    def chosen(order):
        out = s_client(both, "-tls1_2", "-cipher", ":".join(order), sni="ec.test")
        return re.search(r"Cipher    : (\S+)", out).group(1)
    aes128, aes256, chacha = CIPHERS[:3]
    assert chosen([aes128, aes256]) == chosen([aes256, aes128])
    assert chosen([chacha, aes256, aes128]) == chacha


@pytest.mark.parametrize("curve", ["X25519", "P-256"])
def test_curves(both, curve):
    out = s_client(both, "-tls1_2", "-groups", curve, sni="ec.test")
    assert "Server Temp Key: " + ("X25519" if curve == "X25519" else "ECDH, prime256v1") in out


def test_other_curves_alone_are_refused(both):
    out = s_client(both, "-tls1_2", "-groups", "P-521", sni="rsa.test")
    assert "Cipher is (NONE)" in out


@pytest.mark.parametrize("algorithms", ["ECDSA+SHA256", "ECDSA+SHA384", "RSA+SHA256", "RSA+SHA512"])
def test_signature_algorithms(both, algorithms):
    out = s_client(both, "-tls1_2", "-sigalgs", algorithms, sni="ec.test" if "ECDSA" in algorithms else "rsa.test")
    assert "Cipher    : ECDHE" in out


def test_no_renegotiation(both):
    out = s_client(both, "-tls1_2", sni="ec.test", stdin="R\n")
    assert "RENEGOTIATING" in out
    assert re.search("no renegotiation|unexpected|alert|error", out.split("RENEGOTIATING")[1], re.I)
    assert both.get(sni="ec.test", host="ec.test").body == b"ec"


# --- ALPN ---


@pytest.mark.parametrize("offer, want", [("http/1.1", "http/1.1"), ("h2,http/1.1", "http/1.1"), ("spdy/3,http/1.1", "http/1.1")])
def test_alpn(both, offer, want):
    assert "ALPN protocol: " + want in s_client(both, "-tls1_2", "-alpn", offer, sni="ec.test")


def test_alpn_none(both):
    assert "No ALPN negotiated" in s_client(both, "-tls1_2", sni="ec.test")


def test_alpn_without_a_match(both):
    """RFC 7301 §3.2 says no_application_protocol; going on without ALPN is what some do. Never a made-up choice."""
    out = s_client(both, "-tls1_2", "-alpn", "h2", sni="ec.test")
    assert "no application protocol" in out or "No ALPN negotiated" in out


# --- names ---


NAMES = [("a.test", "a.test"), ("A.Test", "a.test"), ("b.test", "b.test"), ("x.w.test", "*.w.test"),
         ("exact.w.test", "exact.w.test"), (None, "default.test")]


@pytest.fixture(scope="module")
def names(authority):
    from proxy import Proxy
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
def test_sni(names, sni, want):
    assert subject(s_client(names, sni=sni)) == "CN=" + want


@pytest.mark.parametrize("sni", ["unknown.test", "w.test", "y.x.w.test"])
def test_unknown_name_gets_the_default_or_an_alert(names, sni):
    out = s_client(names, sni=sni)
    assert "unrecognized name" in out or subject(out) == "CN=default.test"


def test_chain_is_sent(names, authority):
    out = s_client(names, "-showcerts", "-CAfile", authority.root[0], "-verify_return_error", sni="a.test")
    assert out.count("BEGIN CERTIFICATE") == 2 and "Verify return code: 0 (ok)" in out


def test_curl_verifies(names, authority):
    r = subprocess.run(["curl", "-q", "-sS", "--cacert", authority.root[0], "--resolve",
                        "a.test:%d:127.0.0.1" % names.port, "https://a.test:%d/" % names.port],
                       capture_output=True, text=True, timeout=20)
    assert r.returncode == 0 and r.stdout == "0", r.stderr


# --- resumption ---


def test_session_resumption(names, tmp):
    path = os.path.join(tmp, "session")
    assert "New, TLSv1.2" in s_client(names, "-tls1_2", "-no_ticket", "-sess_out", path, sni="a.test")
    assert "Reused, TLSv1.2" in s_client(names, "-tls1_2", "-no_ticket", "-sess_in", path, sni="a.test")


def test_session_of_one_site_is_not_resumed_at_another(names, tmp):
    path = os.path.join(tmp, "session")
    s_client(names, "-tls1_2", "-no_ticket", "-sess_out", path, sni="a.test")
    out = s_client(names, "-tls1_2", "-no_ticket", "-sess_in", path, sni="b.test")
    assert "New, TLSv1.2" in out and subject(out) == "CN=b.test"
    assert "Reused, TLSv1.2" in s_client(names, "-tls1_2", "-no_ticket", "-sess_in", path, sni="a.test")


def test_resumed_connection_serves(names):
    ctx = client_context()
    with names.connect(sni="a.test", context=ctx) as c:
        assert c.get(host="a.test").body == b"0"
        session = c.tls.session
    with names.connect(sni="a.test", context=ctx, session=session) as c:
        assert c.tls.session_reused and c.get(host="a.test").body == b"0"


def test_session_cache_is_bounded(proxy):
    p = proxy("site localhost { tls self-signed\n respond 200 x }", globals="session-cache 4")
    ctx, sessions = client_context(), []
    for _ in range(12):
        with p.connect(context=ctx) as c:
            c.get()
            sessions.append(c.tls.session)
    reused = []
    for s in sessions:
        with p.connect(context=ctx, session=s, handshake=False) as c:
            c.handshake()
            reused.append(c.tls.session_reused)
    assert sum(reused[:-4]) == 0


# --- what comes in ---


@pytest.mark.parametrize("request_bytes", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"POST /x HTTP/1.0\r\n\r\n",
                                           b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_plain_http_on_the_tls_port(both, request_bytes):
    with Client(("127.0.0.1", both.port)) as c:
        c.send(request_bytes)
        r = c.response()
        assert r.status == 400 and "HTTPS" in r.text and r.get("Content-Type").startswith("text/plain")
        assert c.wait_end() == FIN


def test_curl_http_to_the_tls_port(both):
    r = subprocess.run(["curl", "-q", "-sS", "--noproxy", "*", "-i", "http://127.0.0.1:%d/" % both.port],
                       capture_output=True, text=True, timeout=20)
    assert r.stdout.startswith("HTTP/1.1 400") and "HTTPS" in r.stdout


@pytest.mark.parametrize("junk", [b"\0" * 100, b"SSH-2.0-OpenSSH\r\n", b"\x16\x03\x01\xff\xff" + b"a" * 100,
                                  b"\x16\x03\x01\x00\x00", b"\x15\x03\x03\x00\x02\x02\x28", b"\x80\x2e\x01\x00\x02",
                                  b"\x17\x03\x03\x00\x05hello", b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",
                                  b"\x14\x03\x03\x00\x01\x01", b"\x16\x03\x03\x40\x01" + b"\x01" * 16385])
def test_junk_ends(both, junk):
    with Client(("127.0.0.1", both.port)) as c:
        c.try_send(junk)
        try:
            c.truncate()
        except OSError:
            pass
        assert c.wait_end() in (FIN, RESET)
    assert both.get(sni="ec.test", host="ec.test").body == b"ec"


def test_handshake_in_single_bytes(both):
    with both.connect(sni="ec.test", handshake=False) as c:
        c.handshake(piece=1)
        assert c.get(host="ec.test").body == b"ec"


def split_records(flight, size):
    """The handshake messages in a flight, in records of so many bytes each."""
    out, i = b"", 0
    while i < len(flight):
        kind, version, n = flight[i:i + 1], flight[i + 1:i + 3], int.from_bytes(flight[i + 3:i + 5], "big")
        body = flight[i + 5:i + 5 + n]
        step = size if kind == b"\x16" else n
        for k in range(0, n, step):
            part = body[k:k + step]
            out += kind + version + len(part).to_bytes(2, "big") + part
        i += 5 + n
    return out


@pytest.mark.parametrize("size", [1, 7, 100])
def test_client_hello_over_several_records(both, size):
    with both.connect(sni="ec.test", handshake=False) as c:
        with pytest.raises(ssl.SSLWantReadError):
            c.tls.do_handshake()
        c.send_wire(split_records(c.outgoing.read(), size))
        c.handshake()
        assert c.get(host="ec.test").body == b"ec"


def test_hello_in_one_piece_with_the_rest_cut(both):
    """Each prefix of a hello, then the end: no crash, no hang, no answer but an alert."""
    with both.connect(sni="ec.test", handshake=False) as c:
        with pytest.raises(ssl.SSLWantReadError):
            c.tls.do_handshake()
        hello = c.outgoing.read()
    for n in range(1, len(hello), max(1, len(hello) // 20)):
        with Client(("127.0.0.1", both.port)) as c:
            c.send(hello[:n])
            c.truncate()
            assert c.wait_end() in (FIN, RESET)


def test_records_in_single_bytes(both):
    with both.connect(sni="ec.test") as c:
        c.send_wire(c.wire_of(b"GET / HTTP/1.1\r\nHost: ec.test\r\n\r\n"), piece=1)
        assert c.response().body == b"ec"


def test_many_records_in_one_segment(both):
    with both.connect(sni="ec.test") as c:
        c.send_wire(b"".join(c.wire_of(bytes([b])) for b in b"GET / HTTP/1.1\r\nHost: ec.test\r\n\r\n"))
        assert c.response().body == b"ec"


def test_empty_records(both):
    with both.connect(sni="ec.test") as c:
        c.send(b"GET / HTTP/1.1\r\n")
        c.send(b"Host: ec.test\r\n\r\n")
        assert c.response().body == b"ec"


@pytest.mark.parametrize("at", [5, 12, -1])
def test_damaged_record(both, at):
    with both.connect(sni="ec.test") as c:
        wire = bytearray(c.wire_of(b"GET / HTTP/1.1\r\nHost: ec.test\r\n\r\n"))
        wire[at] ^= 1
        c.send_wire(bytes(wire))
        try:
            got = c.rest()
        except ssl.SSLError as e:  # the alert
            assert "alert bad record mac" in str(e).lower().replace("_", " ")
        else:
            assert got == b"" and c.ended != CLOSE_NOTIFY


# --- how it ends ---


def test_close_notify_is_sent(both):
    with both.connect(sni="ec.test") as c:
        assert c.get(host="ec.test", fields=[("Connection", "close")]).body == b"ec"
        assert c.wait_end() == CLOSE_NOTIFY


def test_close_notify_is_answered(both):
    with both.connect(sni="ec.test") as c:
        c.get(host="ec.test")
        c.close_notify()
        assert c.wait_end() in (CLOSE_NOTIFY, FIN)


def test_truncated_request_body_is_not_complete(site):
    """A body that ends with the connection is none in a request; a truncation is told from an end in the log."""
    p, u = site(echo)
    c = p.connect()
    c.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345")
    u.wait_requests(1)
    c.truncate()
    c.wait_end()
    assert u.whole == []


def test_truncation_is_logged(site):
    p, u = site(echo)
    with p.connect() as c:
        c.get()
        c.truncate()
        assert c.wait_end() in (CLOSE_NOTIFY, FIN)
    p.wait_log(r"truncat|without close_notify")


def test_truncated_response_has_no_close_notify(site):
    def script(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    p, u = site(script=script)
    with p.connect() as c:
        c.request()
        with pytest.raises(Ended) as e:
            c.response()
        assert e.value.how in (FIN, RESET)


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
    serves(proxy, *authority.leaf("localhost", algorithm=[
        "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]))


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
        f.write("state %s\nlisten 127.0.0.1:1\nsite %s { tls cert %s key %s\n respond 200 ok }\n" % (tmp, names, cert, key))
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


def test_response_over_many_records(proxy, upstream):
    body = os.urandom(1 << 20)
    u = upstream(reply(body))
    p = proxy("site localhost { tls self-signed\n upstream %s }" % u.address)
    assert p.get().body == body
