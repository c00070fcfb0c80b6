# SPDX-License-Identifier: MIT
"""build.sh: what it makes, that it makes the same twice, and what it says when it cannot.

Everything happens in clones of the working tree, with the downloads of this one: a stub apt-get stands in PATH and
fails the test if it is ever asked.
"""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROXY = Path(os.environ.get("PROXY_BIN", ROOT / "build/proxy"))


def git(*args, cwd=ROOT):
    command = ["git", "-c", "safe.directory=*", *args]
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


def clone(to):
    """A clone with what is not committed yet laid over it; of a tarball, a copy."""
    if (ROOT / ".git").exists():
        git("clone", "-q", str(ROOT), str(to))
        for name in git("ls-files", "-dz").split("\0"):
            if name:
                (to / name).unlink(missing_ok=True)
        for name in git("ls-files", "-cozm", "--exclude-standard").split("\0"):
            if name and (ROOT / name).is_file():
                (to / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, to / name)
    else:
        shutil.copytree(ROOT, to, ignore=shutil.ignore_patterns("build", "__pycache__"))
    shutil.copytree(ROOT / "build/deps/download", to / "build/deps/download")
    return to


def stub(folder, name, script):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.unlink(missing_ok=True)
    path.write_text("#!/bin/sh\n" + script + "\n")
    path.chmod(0o755)
    return folder


def build(tree, *args, path=None, **env):
    """build.sh in TREE, as a fresh shell would start it."""
    clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "SOURCE_DATE_EPOCH", "V")}
    clean["PATH"] = path or f"{stub(tree.parent / 'no-apt', 'apt-get', 'exit 99')}:{clean['PATH']}"
    return subprocess.run(["./build.sh", *args], cwd=tree, env={**clean, **env}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=600)


def built(tree, *args, **env):
    run = build(tree, *args, **env)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def compiled(output):
    return set(re.findall(r"^  CC +(\S+)$", output, re.M))


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """Two clones, built, in folders whose names differ in length."""
    top = tmp_path_factory.mktemp("build")
    pair = [clone(top / "a"), clone(top / "another/folder with a blank")]
    for tree in pair:
        built(tree)
    return pair


@pytest.fixture
def tree(trees):
    """The first clone, whose deps/list is put back afterwards."""
    deps = trees[0] / "deps/list"
    kept = deps.read_bytes()
    yield trees[0]
    deps.write_bytes(kept)


def one_line_of_error(run):
    assert run.returncode not in (0, 99)
    lines = run.stderr.splitlines()
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("build.sh: ")
    return lines[0]


def test_two_clones_give_the_same_file(trees):
    sums = {hashlib.sha256((t / "build/proxy").read_bytes()).hexdigest() for t in trees}
    assert len(sums) == 1


def test_two_clones_give_the_same_image(trees):
    digests = {built(tree, "image").split()[-1] for tree in trees}
    assert len(digests) == 1 and re.fullmatch("sha256:[0-9a-f]{64}", digests.pop())
    assert len({hashlib.sha256((t / "build/image.tar").read_bytes()).hexdigest() for t in trees}) == 1


def test_the_second_build_does_nothing(tree):
    def times():
        return {p: p.stat().st_mtime_ns for p in (tree / "build").rglob("*") if p.suffix in (".o", ".a", "")
                and p.is_file() and p.name != ".lock"}

    before = times()
    assert built(tree) == ""
    assert times() == before


def test_a_changed_header_rebuilds_what_includes_it(tree):
    objects = tree / "build/musl/obj"
    header = sorted(tree.glob("base/*.h"))[-1].relative_to(tree)
    users = {str(d.relative_to(objects).with_suffix(".c")) for d in objects.rglob("*.d")
             if f" {header}" in d.read_text().replace("\\\n", "")}
    assert users
    with open(tree / header, "a") as f:
        f.write("/* changed */\n")
    assert compiled(built(tree)) == users


def test_changed_flags_rebuild_our_files_and_no_dependency(trees):
    tree = trees[1]

    def make(what):
        run = subprocess.run(["make", "-f", "build.mk", what, "V=1"], cwd=tree, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return run.stdout

    source = sorted(tree.glob("base/*.c"))[0].relative_to(tree)
    ours = f"build/musl/obj/{source.with_suffix('.o')}"
    theirs = "build/musl/lib/bearssl.a"
    assert " -c " not in make(ours)
    mk = tree / "build.mk"
    assert "-static-pie" not in make("build/proxy")
    mk.write_text(mk.read_text().replace("-z,noexecstack", "-z,noexecstack,-z,nodlopen"))
    linked = make("build/proxy")
    assert "-z,nodlopen" in linked and " -c " not in linked
    mk.write_text(mk.read_text().replace("WARN := ", "WARN := -DCHANGED "))
    assert "-DCHANGED" in make(ours)
    assert " -c " not in make(theirs)


def readelf(*args):
    return subprocess.run(["readelf", "-W", *args, str(PROXY)], check=True, capture_output=True, text=True).stdout


def test_the_file_is_static_and_hardened():
    segments = readelf("-l")
    assert "INTERP" not in segments
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK.* RW ", segments)
    assert not re.search(r"LOAD.* RWE ", segments)
    assert "DYN (Position-Independent" in readelf("-h")
    dynamic = readelf("-d")
    assert "BIND_NOW" in dynamic
    assert "NEEDED" not in dynamic
    assert "TEXTREL" not in dynamic
    assert ".symtab" not in readelf("-S")


def test_the_file_is_small():
    assert PROXY.stat().st_size < 700_000


def test_sizes_add_up(tree):
    built(tree)
    lines = [line.split(None, 1) for line in built(tree, "size").splitlines()]
    total = [int(n) for n, what in lines if what == "build/proxy"]
    assert total == [(tree / "build/proxy").stat().st_size]
    parts = {re.sub(r"^\d+ +", "", what): int(n) for n, what in lines if n.isdigit()}
    del parts["build/proxy"]
    assert sum(parts.values()) == total[0]
    assert parts["headers, padding, relocations"] < total[0] // 5
    assert parts["bearssl"] > 10_000 and parts["base/"] > 0
    assert 20_000 < parts["acme/"] < 60_000


def test_a_wrong_checksum_stops_the_build(tree):
    deps = tree / "deps/list"
    line = next(x for x in deps.read_text().splitlines() if ".orig.tar" in x)
    right = line.split()[-1]
    wrong = ("0" if right[0] != "0" else "1") + right[1:]
    deps.write_text(deps.read_text().replace(right, wrong))
    error = one_line_of_error(build(tree))
    assert line.split()[2] in error and right in error and wrong in error


def test_a_changed_download_stops_the_build(tree):
    archive = next((tree / "build/deps/download").glob("bearssl_*.orig.tar.*"))
    content = archive.read_bytes()
    stamp = next(p for p in (tree / "build/deps").glob("*.ok") if archive.name in p.read_text())
    stamp.rename(stamp.with_suffix(".kept"))
    archive.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        assert archive.name in one_line_of_error(build(tree))
    finally:
        archive.write_bytes(content)
        stamp.with_suffix(".kept").rename(stamp)


def test_an_unknown_target_is_one_line(trees):
    error = one_line_of_error(build(trees[0], "--target", "vax"))
    assert "vax" in error and "mipsel" in error


def test_the_own_target_is_the_own_build(trees):
    own = os.uname().machine
    built(trees[0], "--target", own)
    assert (trees[0] / "build" / own / "proxy").read_bytes() == (trees[0] / "build/proxy").read_bytes()


@pytest.mark.skipif(not os.environ.get("PROXY_TEST_ALL"), reason="builds for another machine twice: test --all")
@pytest.mark.parametrize("target", ["armv7", "riscv64"])
def test_two_clones_give_the_same_file_for_another_machine(trees, target):
    for tree in trees:
        built(tree, "--target", target)
    assert len({hashlib.sha256((t / "build" / target / "proxy").read_bytes()).hexdigest() for t in trees}) == 1


@pytest.fixture
def without_musl(tmp_path):
    """A PATH with every command but musl-gcc, sudo and apt-get, for a user who is not root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for source in ("/usr/bin", "/bin"):
        for command in Path(source).iterdir():
            link = folder / command.name
            if command.name not in ("musl-gcc", "sudo", "apt-get") and not link.exists() and not link.is_symlink():
                link.symlink_to(command)
    return stub(folder, "id", "echo 1000")


def test_a_missing_tool_without_apt_is_one_line(trees, without_musl):
    error = one_line_of_error(build(trees[0], path=str(without_musl)))
    assert "musl-gcc (musl-tools)" in error and "apt-get" in error


def test_a_missing_tool_without_root_is_one_line(trees, without_musl):
    stub(without_musl, "apt-get", "exit 99")
    error = one_line_of_error(build(trees[0], path=str(without_musl)))
    assert "musl-gcc (musl-tools)" in error and error.endswith("apt-get install --no-install-recommends musl-tools")


def test_a_missing_tool_is_installed_with_sudo(trees, without_musl):
    stub(without_musl, "apt-get", "exit 99")
    stub(without_musl, "sudo", f'echo "$*" >>"{without_musl}/asked"')
    run = build(trees[0], path=str(without_musl))
    assert "installing musl-tools" in run.stdout
    assert "still missing" in one_line_of_error(run)
    assert re.search(r"apt-get .*install --no-install-recommends musl-tools$",
                     (without_musl / "asked").read_text(), re.M)


def test_an_include_against_the_layers_is_reported(tree):
    planted = tree / "base/planted.c"
    planted.write_text('/* SPDX-License-Identifier: MIT */\n\n#include "relay/route.h"\n')
    try:
        run = subprocess.run(["tests/layers.sh"], cwd=tree, capture_output=True, text=True)
        assert run.returncode == 1
        assert run.stdout == 'base/planted.c:3: base/ may not include "relay/route.h"\n'
        summary = build(tree, "test", "layers")
        assert summary.returncode == 1
        assert summary.stdout.splitlines()[-1] == "0 passed, 1 failed"
    finally:
        planted.unlink()
    assert built(tree, "test", "layers").splitlines()[-1] == "1 passed, 0 failed"


@pytest.mark.skipif(not os.environ.get("PROXY_TEST_ALL"), reason="builds all dependencies once more: test --all")
def test_unit_tests_are_counted(tree):
    head = '/* SPDX-License-Identifier: MIT */\n#include "tests/unit/test.h"\n'
    bodies = {
        "good": "CHECK(true);",
        "bad": "CHECK_EQ(1, 2);",
        "crash": "*(volatile char *)1 = 0;",
        "broken": "no_such_function();",
    }
    for name, body in bodies.items():
        (tree / f"tests/unit/base/planted_{name}_test.c").write_text(
            f"{head}TEST(one)\n{{\n    {body}\n}}\nTEST(two)\n{{\n    CHECK(true);\n}}\nTEST_MAIN(RUN(two), RUN(one))\n")
    try:
        run = build(tree, "test", "unit", "planted")
    finally:
        for name in bodies:
            (tree / f"tests/unit/base/planted_{name}_test.c").unlink()
    assert run.returncode == 1
    # good 2, bad 1 and 1, crash 1 and 1, broken 0 and 1
    assert run.stdout.splitlines()[-1] == "4 passed, 3 failed"
    assert "planted_bad_test.c:5: 1 is 1 (0x1), but 2 is 2 (0x2)" in run.stdout


def test_a_tarball_takes_its_newest_file_as_the_time(tmp_path, trees):
    tarball = tmp_path / "tarball"
    shutil.copytree(trees[0], tarball, ignore=shutil.ignore_patterns("build", ".git"))
    shutil.copytree(ROOT / "build/deps/download", tarball / "build/deps/download")
    # The header is written before anything is compiled; what is compiled here fails at once.
    (tarball / "proxy.c").write_text("#error\n")
    for path in tarball.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    os.utime(tarball / "LICENSE", (1_200_000_000, 1_200_000_000))
    run = build(tarball, JOBS="1")
    assert run.returncode == 1
    assert re.search(r"PROXY_BUILD_TIME +1200000000$", (tarball / "build/gen/version.h").read_text(), re.M)
