# SPDX-License-Identifier: MIT
"""The container image: what is in it, and that podman runs it as strictly as it can and it serves."""
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import uuid

import pytest

from ports import free_port
from proxy import BIN, ROOT, environment, is_listening
from rawhttp import Client, client_context
from upstreams import reply
from waiting import until

NAME = "localhost/proxy-under-test:1"
STRICT = ["--network", "host", "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges"]
WHEN = 1700000000


def platform_of(machine):
    with open(os.path.join(ROOT, "deps", "targets")) as f:
        return next(line.split()[4] for line in f if line.startswith(machine + " "))


def make(path, *platforms, version="1.2.3"):
    subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "image", "oci.py"), str(path), "--name", NAME,
                    "--version", version, "--revision", "abc", "--time", str(WHEN),
                    *("%s=%s" % (p, BIN) for p in platforms)], check=True, capture_output=True, env=environment())
    with tarfile.open(path) as tar:
        assert tar.getnames() == sorted(tar.getnames())
        return {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}


def blob(files, descriptor):
    data = files["blobs/" + descriptor["digest"].replace(":", "/")]
    assert len(data) == descriptor["size"]
    assert descriptor["digest"] == "sha256:" + hashlib.sha256(data).hexdigest()
    return data


def chosen(files, descriptor):
    """(configuration, layer) of a manifest."""
    manifest = json.loads(blob(files, descriptor))
    config = json.loads(blob(files, manifest["config"]))
    content = blob(files, manifest["layers"][0])
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(content).hexdigest()]
    return config, content


def test_what_is_in_it(tmp):
    own = platform_of(os.uname().machine)
    files = make(os.path.join(tmp, "image.tar"), own)
    index = json.loads(files["index.json"])
    assert index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] == NAME
    config, content = chosen(files, index["manifests"][0])
    assert config["architecture"] == own.split("/")[0] and config["os"] == "linux"
    run = config["config"]
    assert run["Entrypoint"] == ["/proxy"] and run["User"] == "65532:65532"
    assert set(run["ExposedPorts"]) == {"80/tcp", "443/tcp"} and set(run["Volumes"]) == {"/state"}
    assert run["Healthcheck"]["Test"] == ["CMD", "/proxy", "--health"]
    labels = {k.replace("org.opencontainers.image.", ""): v for k, v in run["Labels"].items()}
    assert labels["version"] == "1.2.3" and labels["revision"] == "abc" and labels["licenses"] == "MIT"
    assert labels["created"] == config["created"] == "2023-11-14T22:13:20Z"
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        entries = {m.name: (m.mode, m.uid, m.gid, m.isdir(), m.mtime) for m in tar}
        assert entries == {"proxy": (0o755, 0, 0, False, WHEN), "state": (0o700, 65532, 65532, True, WHEN)}
        with open(BIN, "rb") as f:
            assert tar.extractfile("proxy").read() == f.read()

    # What `docker save` writes, for those that read nothing else.
    [old] = json.loads(files["manifest.json"])
    assert old["RepoTags"] == [NAME]
    assert json.loads(files[old["Config"]]) == config and [files[x] for x in old["Layers"]] == [content]


def test_an_index_of_platforms(tmp):
    platforms = ["amd64", "arm/v7", "mipsle"]
    files = make(os.path.join(tmp, "image.tar"), *platforms)
    [top] = json.loads(files["index.json"])["manifests"]
    assert top["mediaType"] == "application/vnd.oci.image.index.v1+json"
    seen = []
    for descriptor in json.loads(blob(files, top))["manifests"]:
        config, _ = chosen(files, descriptor)
        where = descriptor["platform"]
        assert where["architecture"] == config["architecture"] and where.get("variant") == config.get("variant")
        seen.append("/".join([where["architecture"], *filter(None, [where.get("variant")])]))
    assert seen == platforms


def test_the_same_arguments_give_the_same_bytes(tmp):
    first, second, other = (os.path.join(tmp, n) for n in ("a.tar", "b.tar", "c.tar"))
    make(first, "amd64", "arm/v7")
    make(second, "amd64", "arm/v7")
    make(other, "amd64", "arm/v7", version="1.2.4")
    with open(first, "rb") as a, open(second, "rb") as b, open(other, "rb") as c:
        one = a.read()
        assert one == b.read() and one != c.read()


# --- podman ---

CONTAINERS = """[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1024:1024"]
netns = "host"
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class Podman:
    """An engine of its own, all of it in one folder."""

    def __init__(self, folder):
        self.dir = folder
        self.env = environment({"CONTAINERS_CONF": os.path.join(folder, "containers.conf"),
                                "CONTAINERS_STORAGE_CONF": os.path.join(folder, "storage.conf")})
        with open(self.env["CONTAINERS_CONF"], "w") as f:
            f.write(CONTAINERS)
        with open(self.env["CONTAINERS_STORAGE_CONF"], "w") as f:
            f.write('[storage]\ndriver = "vfs"\nrunroot = "%s/run"\ngraphroot = "%s/root"\n' % (folder, folder))

    def argv(self, *args):
        return ["podman", "--tmpdir", os.path.join(self.dir, "tmp"), *args]

    def __call__(self, *args, check=True, timeout=60):
        r = subprocess.run(self.argv(*args), env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=timeout)
        assert not check or r.returncode == 0, "podman %s: %s" % (" ".join(args), r.stdout + r.stderr)
        return r


@pytest.fixture(scope="module")
def podman(tmp_path_factory):
    if not shutil.which("podman") or not shutil.which("runc", path=os.environ["PATH"] + ":/usr/sbin"):
        pytest.skip("no podman or no runc here")
    # Without root, podman wants a range of users that the machine gives to this one.
    if os.geteuid() != 0:
        pytest.skip("podman is tried as root")
    folder = tmp_path_factory.mktemp("podman")
    engine = Podman(str(folder))
    make(folder / "image.tar", platform_of(os.uname().machine))
    r = engine("load", "-i", str(folder / "image.tar"), check=False)
    if r.returncode == 0:
        r = engine("run", "--rm", *STRICT, NAME, "--version", check=False)
    if r.returncode != 0:
        pytest.skip("podman cannot run a container here: %s" % (r.stderr.strip().splitlines() or ["?"])[-1][:200])
    yield engine
    engine("rm", "-fa", check=False)
    engine("volume", "prune", "-f", check=False)
    shutil.rmtree(folder, ignore_errors=True)


class Container:
    def __init__(self, engine, options, args):
        self.engine = engine
        self.name = "proxy-" + uuid.uuid4().hex[:8]
        self.port, self.http_port = free_port(), free_port()
        self.out = open(os.path.join(engine.dir, self.name + ".log"), "w+")
        self.process = subprocess.Popen(
            engine.argv("run", "--rm", "--name", self.name, *STRICT, *options, NAME, "--listen",
                        "127.0.0.1:%d" % self.port, "--listen-http", "127.0.0.1:%d" % self.http_port, *args),
            env=engine.env, stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.STDOUT)
        until(self.ready, 30, "listening on port %d" % self.port)

    def ready(self):
        assert self.process.poll() is None, self.log()
        return is_listening(self.port)

    def log(self):
        with open(self.out.name) as f:
            return f.read()

    def get(self, host="localhost"):
        """(body, certificate)"""
        with Client(("127.0.0.1", self.port), client_context(), host) as c:
            return c.get("/", host=host).body, c.tls.getpeercert(True)

    def proxy(self, *args):
        return self.engine("exec", self.name, "/proxy", *args, check=False)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self.out.close()
        return status


@pytest.fixture
def container(podman):
    """container([podman's options], [the proxy's])"""
    started = []

    def start(options=(), args=()):
        started.append(Container(podman, options, args))
        return started[-1]

    yield start
    for c in started:
        if c.process.poll() is None:
            c.stop()


def test_a_volume_keeps_what_was_made(container, upstream):
    u = upstream(lambda r: reply(b"well"))
    seen = []
    for _ in range(2):
        c = container(["-v", "kept:/state"], ["localhost=" + u.address])
        seen.append(c.get())
        r = c.proxy("--health")
        assert r.returncode == 0, r.stderr
        assert c.stop() == 0
        assert " error " not in c.log(), c.log()
    assert seen[0] == seen[1] and seen[0][0] == b"well"


def test_without_a_volume_the_engine_makes_one(container, upstream):
    u = upstream(lambda r: reply(b"well"))
    c = container([], ["localhost=" + u.address])
    assert c.get()[0] == b"well"
    assert c.proxy("--health").returncode == 0
    assert c.stop() == 0


def test_without_any_state_it_serves_and_says_so(container, upstream):
    u = upstream(lambda r: reply(b"well"))
    c = container(["--image-volume", "ignore"], ["localhost=" + u.address])
    assert c.get()[0] == b"well"
    assert "cannot be kept" in c.log()
    assert c.stop() == 0


def test_everything_from_the_environment(container, upstream):
    """The authority is one that does not answer: until it does, the site has a certificate of its own."""
    u = upstream(lambda r: reply(b"well"))
    c = container(["--env", "PROXY_SITES=example.com=" + u.address, "--env", "ACME_EMAIL=admin@example.com", "--env",
                   "ACME_CA=https://127.0.0.1:1/directory"])
    assert c.get("example.com")[0] == b"well"
    r = c.proxy("acme", "status")
    assert r.returncode == 0 and "example.com" in r.stdout, r.stdout + r.stderr
    assert c.stop() == 0


def test_the_engine_reads_what_the_image_says(podman):
    [about] = json.loads(podman("image", "inspect", NAME).stdout)
    assert about["User"] == "65532:65532" and set(about["Config"]["Volumes"]) == {"/state"}
    assert set(about["Config"]["ExposedPorts"]) == {"80/tcp", "443/tcp"}
    assert about["Labels"]["org.opencontainers.image.version"] == "1.2.3"


def test_the_index_is_taken_too(podman, tmp):
    """Of several platforms, the engine takes its own."""
    path = os.path.join(tmp, "index.tar")
    own = platform_of(os.uname().machine)
    make(path, own, "mips64le")
    podman("load", "-i", path)
    [about] = json.loads(podman("image", "inspect", NAME).stdout)
    assert about["Architecture"] == own.split("/")[0]


@pytest.mark.long
def test_skopeo_reads_both_forms(tmp):
    if not shutil.which("skopeo"):
        pytest.skip("no skopeo here")
    path = os.path.join(tmp, "image.tar")
    make(path, platform_of(os.uname().machine))
    for form in ("oci-archive", "docker-archive"):
        r = subprocess.run(["skopeo", "inspect", "%s:%s" % (form, path)], capture_output=True, text=True, timeout=60)
        assert r.returncode == 0, r.stderr
        assert json.loads(r.stdout)["Labels"]["org.opencontainers.image.version"] == "1.2.3"
