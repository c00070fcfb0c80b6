# SPDX-License-Identifier: MIT
"""image/compose.yaml and image/kubernetes.yaml: each option, path, port and variable that they name is one that the
binary and the image have, in what is switched on and in what can be."""
import json
import os
import re

import pytest
import yaml

from proxy import ROOT, run
from test_image import chosen, make, platform_of

NAMES = ["compose.yaml", "kubernetes.yaml"]


def text_of(name, everything=False):
    """everything: with all that is commented out switched on."""
    with open(os.path.join(ROOT, "image", name)) as f:
        text = f.read()
    return re.sub(r"^#(?=[^ \n]|  )", "", text, flags=re.M) if everything else text


def documents(name, everything=False):
    return [d for d in yaml.safe_load_all(text_of(name, everything)) if d]


def kind(name, what, everything=False):
    [document] = [d for d in documents(name, everything) if d["kind"] == what]
    return document


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """What the image says of itself."""
    files = make(tmp_path_factory.mktemp("image") / "image.tar", platform_of(os.uname().machine))
    return chosen(files, json.loads(files["index.json"])["manifests"][0])[0]["config"]


def container(name, everything=False):
    """(arguments, environment, ports, mounts, user, seconds to stop in, commands of probes, memory)"""
    if name == "compose.yaml":
        [document] = documents(name, everything)
        c = document["services"]["proxy"]
        assert c["read_only"] and c["cap_drop"] == ["ALL"] and c["security_opt"] == ["no-new-privileges:true"]
        assert set(document["volumes"]) == {c["volumes"][0].split(":")[0]}
        return (c.get("command", []), c["environment"], {int(p.split(":")[1]) for p in c["ports"]},
                [v.split(":")[1] for v in c["volumes"]], c["user"], c["stop_grace_period"],
                [c["healthcheck"]["test"][1:]])
    pod = kind(name, "Deployment", everything)["spec"]["template"]["spec"]
    [c] = pod["containers"]
    safe = c["securityContext"]
    assert safe["readOnlyRootFilesystem"] and safe["capabilities"] == {"drop": ["ALL"]}
    assert not safe["allowPrivilegeEscalation"] and pod["securityContext"]["runAsNonRoot"]
    assert {m["name"] for m in c["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
    user = "%(runAsUser)d:%(runAsGroup)d" % pod["securityContext"]
    probes = [c[p]["exec"]["command"] for p in ("startupProbe", "livenessProbe")]
    return (c.get("args", []), {e["name"]: e["value"] for e in c["env"]}, {p["containerPort"] for p in c["ports"]},
            [m["mountPath"] for m in c["volumeMounts"]], user, "%ds" % pod["terminationGracePeriodSeconds"], probes)


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_the_image_has(name, everything, image):
    _, env, ports, mounts, user, stop, probes = container(name, everything)
    assert {"%d/tcp" % p for p in ports} == set(image["ExposedPorts"])
    assert mounts[0] in image["Volumes"]
    assert user == image["User"]
    for probe in probes:
        assert probe == image["Healthcheck"]["Test"][1:]
    default = re.search(r"shutdown-timeout.*?(\d+)s", run("--help-config", asan=False).stdout, re.S)
    assert int(stop.rstrip("s")) > int(default.group(1))


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_the_binary_takes_the_variables(name, everything, tmp):
    _, env, *_ = container(name, everything)
    r = run("--validate", "--state", tmp, asan=False, env=env, cwd=tmp)
    assert r.returncode == 0, r.stdout + r.stderr
    assert "example.com -> app:8080" in r.stdout
    assert re.search(r"^HTTPS on .*:443$", r.stdout, re.M) and re.search(r"^HTTP on .*:80$", r.stdout, re.M)


@pytest.mark.parametrize("name", NAMES)
def test_every_word_is_one_that_the_binary_knows(name):
    text, helped, configured = text_of(name, True), run("--help", asan=False).stdout, run("--help-config", asan=False).stdout
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - {"--multiarch", "--all"}:
        assert re.search(r"%s\b" % option, helped), option
    variables = set(re.findall(r"\b(?:PROXY|ACME)_[A-Z_]+", text))
    assert variables == {"PROXY_SITES", "ACME_EMAIL", "ACME_CA"}
    for variable in variables:
        assert variable in helped, variable
    for directive in ("shutdown-timeout", "max-memory"):
        assert directive in configured
    for authority in re.findall(r"\bletsencrypt[a-z-]*|\bzerossl", text):
        assert re.search(r"\b%s\b" % authority, helped)
    # The release that they name is the one that this is.
    with open(os.path.join(ROOT, "VERSION")) as f:
        assert set(re.findall(r"/proxy:(\d\S+)", text)) == {f.read().strip()}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_in_place_of_the_variables(name, tmp):
    args, _, _, mounts, *_ = container(name, everything=True)
    assert args[0] == "--config" and os.path.dirname(args[1]) in mounts
    if name == "kubernetes.yaml":
        path = os.path.join(tmp, "proxy.conf")
        with open(path, "w") as f:
            f.write(kind(name, "ConfigMap", True)["data"][os.path.basename(args[1])])
        r = run("--validate", "--state", tmp, "--config", path, asan=False)
        assert r.returncode == 0 and "example.com -> app:8080" in r.stdout, r.stdout + r.stderr


def test_what_kubernetes_joins_by_name():
    name = "kubernetes.yaml"
    deployment, service = kind(name, "Deployment"), kind(name, "Service")["spec"]
    pod = deployment["spec"]["template"]
    labels = pod["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == service["selector"] == labels
    ports = {p["name"]: p["containerPort"] for p in pod["spec"]["containers"][0]["ports"]}
    assert {p["targetPort"]: p["port"] for p in service["ports"]} == ports
    assert pod["spec"]["containers"][0]["readinessProbe"]["tcpSocket"]["port"] in ports
    claims = [v["persistentVolumeClaim"]["claimName"] for v in pod["spec"]["volumes"] if "persistentVolumeClaim" in v]
    assert claims == [kind(name, "PersistentVolumeClaim")["metadata"]["name"]]
    maps = [v["configMap"]["name"] for v in kind(name, "Deployment", True)["spec"]["template"]["spec"]["volumes"]
            if "configMap" in v]
    assert maps == [kind(name, "ConfigMap", True)["metadata"]["name"]]
