#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes a container image without a container engine: one tar that is an OCI image layout (index.json) and what
`docker save` writes (manifest.json) at once, so that podman, skopeo, containerd and an old `docker load` take it.

    oci.py FILE --name NAME --version V --revision R --time SECONDS PLATFORM=BINARY...

What the image says of itself is read from the last stage of Dockerfile.scratch. Nothing comes from the clock, the user
or a hash's order: the same arguments give the same bytes. Layers are not compressed, since two zlibs may differ; what
pushes an image compresses them. With several PLATFORMs (os is linux: arm64/v8) the image is an index of all;
manifest.json, which knows no such thing, then names the first.
"""

import argparse
import hashlib
import io
import json
import re
import shlex
import tarfile
import time
from pathlib import Path

DOCKERFILE = Path(__file__).resolve().parent.parent / "Dockerfile.scratch"
OCI = "application/vnd.oci.image."


def instructions(text, values):
    """(keyword, rest) of the last stage, with ${NAME} replaced."""
    text = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.M))
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    last = max(i for i, line in enumerate(lines) if line[0] == "FROM")
    return [(k, re.sub(r"\$\{(\w+)\}", lambda m: values[m.group(1)], rest)) for k, rest in lines[last + 1:]]


def nanoseconds(text):
    return int(text.rstrip("s")) * 10**9


def health_check(rest):
    options, command = rest.split(" CMD ")
    given = dict(o[2:].split("=") for o in options.split())
    return {"Test": ["CMD", *json.loads(command)], "Interval": nanoseconds(given["interval"]),
            "Timeout": nanoseconds(given["timeout"]), "StartPeriod": nanoseconds(given["start-period"]),
            "Retries": int(given["retries"])}


def settings(steps):
    config = {"Env": ["PATH=/"], "WorkingDir": "/", "Labels": {}}
    for keyword, rest in steps:
        if keyword == "LABEL":
            config["Labels"].update(word.split("=", 1) for word in shlex.split(rest))
        elif keyword == "VOLUME":
            config["Volumes"] = {path: {} for path in rest.split()}
        elif keyword == "EXPOSE":
            config["ExposedPorts"] = {port + "/tcp": {} for port in rest.split()}
        elif keyword == "USER":
            config["User"] = rest
        elif keyword == "ENTRYPOINT":
            config["Entrypoint"] = json.loads(rest)
        elif keyword == "HEALTHCHECK":
            config["Healthcheck"] = health_check(rest)
        elif keyword not in ("ARG", "COPY"):
            raise SystemExit("oci.py: Dockerfile.scratch has %s, which this does not know" % keyword)
    return config


def copies(steps):
    """{path in the image: (mode, user, group)}; what ends in /proxy is the binary, all else an empty folder."""
    out = {}
    for keyword, rest in steps:
        if keyword == "COPY":
            words = rest.split()
            options = dict(w[2:].split("=") for w in words if w.startswith("--"))
            user, group = (int(n) for n in options.get("chown", "0:0").split(":"))
            out[words[-1]] = (int(options["chmod"], 8), user, group)
    return out


def add(tar, name, mtime, data=None, mode=0o644, uid=0, gid=0):
    info = tarfile.TarInfo(name)
    info.mtime, info.mode, info.uid, info.gid = mtime, mode, uid, gid
    if data is None:
        info.type = tarfile.DIRTYPE
    else:
        info.size = len(data)
    tar.addfile(info, None if data is None else io.BytesIO(data))


def layer(steps, binary, mtime):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, (mode, uid, gid) in sorted(copies(steps).items()):
            data = binary if path == "/proxy" else None
            add(tar, path.lstrip("/"), mtime, data, mode, uid, gid)
    return out.getvalue()


class Layout:
    def __init__(self):
        self.blobs = {}

    def put(self, data, kind, **more):
        """Stores bytes, or an object as JSON; its descriptor."""
        if not isinstance(data, bytes):
            data = json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
        digest = hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return {"mediaType": OCI + kind, "digest": "sha256:" + digest, "size": len(data), **more}


def image(layout, steps, platform, binary, mtime):
    """(descriptor of the manifest, of the configuration, of the layer)"""
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(mtime))
    architecture, _, variant = platform.partition("/")
    where = {"architecture": architecture, "os": "linux", **({"variant": variant} if variant else {})}
    config = settings(steps)
    config["Labels"]["org.opencontainers.image.created"] = created
    content = layout.put(layer(steps, binary, mtime), "layer.v1.tar")
    about = layout.put({**where, "created": created, "config": config,
                        "rootfs": {"type": "layers", "diff_ids": [content["digest"]]},
                        "history": [{"created": created, "created_by": "Dockerfile.scratch"}]}, "config.v1+json")
    manifest = layout.put({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": about,
                           "layers": [content]}, "manifest.v1+json", platform=where)
    return manifest, about, content


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("file")
    for option in ("--name", "--version", "--revision", "--time"):
        parser.add_argument(option, required=True)
    parser.add_argument("binaries", nargs="+")
    args = parser.parse_args()

    steps = instructions(DOCKERFILE.read_text(), {"VERSION": args.version, "REVISION": args.revision})
    mtime, layout = int(args.time), Layout()
    parts = [image(layout, steps, *(lambda p, f: (p, Path(f).read_bytes()))(*b.split("=", 1)), mtime)
             for b in args.binaries]
    manifests = [p[0] for p in parts]
    top = manifests[0] if len(parts) == 1 else layout.put(
        {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": manifests}, "index.v1+json")
    top = {**top, "annotations": {"org.opencontainers.image.ref.name": args.name}}

    def blob(descriptor):
        return "blobs/sha256/" + descriptor["digest"].split(":")[1]

    files = {blob({"digest": ":" + d}): data for d, data in layout.blobs.items()}
    for name, value in (
            ("oci-layout", {"imageLayoutVersion": "1.0.0"}),
            ("index.json", {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [top]}),
            ("manifest.json", [{"Config": blob(parts[0][1]), "RepoTags": [args.name], "Layers": [blob(parts[0][2])]}])):
        files[name] = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    with tarfile.open(args.file, "w", format=tarfile.USTAR_FORMAT) as tar:
        for folder in ("blobs", "blobs/sha256"):
            add(tar, folder, mtime, mode=0o755)
        for name in sorted(files):
            add(tar, name, mtime, files[name])
    print("%s: %s %s" % (args.file, args.name, top["digest"]))


if __name__ == "__main__":
    main()
