# SPDX-License-Identifier: MIT
"""A real browser loads the built-in page and a site behind the proxy."""
import os
import re
import shutil
import subprocess

import pytest

from ports import free_port
from test_config import plain
from upstreams import reply
from waiting import until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def load(url, tmp, *args):
    """The page as the browser has it after its scripts ran."""
    r = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                        "--ignore-certificate-errors", "--no-first-run", "--disable-extensions",
                        "--disable-background-networking", "--no-proxy-server", "--user-data-dir=" + tmp + "/profile",
                        "--virtual-time-budget=5000", *args, url],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                       env=dict(os.environ, HOME=tmp))
    assert r.returncode == 0, r.stderr[-2000:]
    return r.stdout


def test_built_in_page(proxy, tmp):
    port = free_port()
    p = proxy(None, tls=False, args=["--listen", "127.0.0.1:%d" % port, "--state", tmp, "--admin", "off", *plain()],
              cwd=tmp)
    until(lambda: p.listens(port), 20, "listening")
    dom = load("https://localhost:%d/shown?here" % port, tmp, "--dump-dom")
    for said in ("It works", "/shown?here", "TLSv1.3", "X-Forwarded-Proto", "Mozilla/"):
        assert said in dom, dom
    picture = os.path.join(tmp, "page.png")
    load("https://localhost:%d/" % port, tmp, "--screenshot=" + picture, "--window-size=1000,900")
    assert os.path.getsize(picture) > 5000
    keep = os.environ.get("PROXY_TEST_PICTURE")
    if keep:
        shutil.copy(picture, keep)


def test_page_with_parts(site, tmp):
    """A page that fetches twenty things at once over the browser's connections and posts one back."""
    page = b"""<!doctype html><title>t</title><body><script>
        const get = i => fetch('/part/' + i).then(r => r.text());
        Promise.all([...Array(20).keys()].map(get))
            .then(parts => fetch('/sum', {method: 'POST', body: parts.join(',')}))
            .then(r => r.text()).then(t => document.body.innerHTML = '<p id=done>' + t + '</p>');
        </script>"""

    def answer(r):
        if r.target.startswith("/part/"):
            return reply(r.target[6:])
        if r.target == "/sum":
            return reply(b"got " + r.body)
        return reply(page, fields=[("Content-Type", "text/html")])
    p, u = site(answer)
    dom = load(p.url("/"), tmp, "--dump-dom")
    assert "got " + ",".join(map(str, range(20))) in dom
    lines = re.findall(r'"(?:GET|POST) /.* 200 .*', p.out())
    assert len(lines) >= 22 and all("tls=TLSv1.3" in line for line in lines)
