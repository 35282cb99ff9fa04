"""Where a container's policy refuses namespaces: what holds then, what is said of it, and what is refused."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.orphans.sandbox import contained
from tests.orphans.sandbox.test_attacks import NOBODY, reachable_python

TRIES = """
import os, socket, resource
def tried(do):
    try: return do()
    except BaseException as error: return type(error).__name__
def writes():
    from sub import mod
    return {
        "outside": tried(lambda: open(os.path.join(os.path.dirname(__file__), "out"), "w").close()),
        "scratch": tried(lambda: open(os.environ["TMPDIR"] + "/x", "w").close()),
        "repository": tried(lambda: open("sub/.git/config").read()),
        "system": tried(lambda: open("/etc/passwd").read()[:4]),
        "module": mod.Y,
    }
def connects():
    address = ("127.0.0.1", 9)
    return [
        tried(lambda: socket.create_connection(address, 1)),
        tried(lambda: socket.socket(socket.AF_UNIX).connect("/x")),
        tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", address)),
    ]
def strangers():
    parent = os.getppid()
    return [
        tried(lambda: os.setpriority(os.PRIO_PROCESS, parent, 19)),
        tried(lambda: resource.prlimit(parent, resource.RLIMIT_FSIZE, (1, 1))),
        tried(lambda: os.sched_setaffinity(parent, {0})),
        tried(lambda: os.kill(parent, 19)),
        os.setpriority(os.PRIO_PROCESS, 0, 19),
    ]
def leaves():
    if os.fork() == 0:
        os.setsid()
        __import__("time").sleep(1000)
    return True
"""
NAMES = ("writes", "connects", "strangers", "leaves")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a user without rights is told where namespaces and mounts are refused by the kernel."""
    root = os.geteuid() == 0
    place = Path("/tmp") / f"contained-{os.getpid()}" if root else tmp_path_factory.mktemp("contained")
    (place / "sub" / ".git").mkdir(parents=True, exist_ok=True)
    (place / "tries.py").write_text(TRIES)
    (place / "sub" / "mod.py").write_text("Y = 1\n")
    (place / "sub" / ".git" / "config").write_text("c4n4ry")
    place.chmod(0o777)
    done = subprocess.run(
        [reachable_python() if root else sys.executable, "-I", "-S", "-B", contained.__file__, place, *NAMES],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd="/",
        env={"PATH": os.defpath, "TMPDIR": "/tmp"},
        user=NOBODY if root else None,
        group=NOBODY if root else None,
        extra_groups=[] if root else None,
    )
    assert done.returncode == 0, done.stderr
    assert not (place / "out").exists()
    yield json.loads(done.stdout)
    shutil.rmtree(place)


def test_the_missing_layer_is_named_and_the_others_hold(told: dict[str, Any]) -> None:
    held = {name: each["held"] for name, each in told["layers"].items()}
    assert held == {"namespaces": False, "landlock": True, "seccomp": True, "notify": True}
    assert "Operation not permitted" in told["layers"]["namespaces"]["reason"]
    for name in NAMES:
        lacking = [promise for promise, kept in told[name]["guarantees"].items() if not kept]
        assert lacking == ["namespaces"]


def test_files_are_kept_by_landlock_repositories_too(told: dict[str, Any]) -> None:
    assert told["writes"]["result"] == {
        "outside": "PermissionError",
        "scratch": None,
        "repository": "PermissionError",
        "system": "PermissionError",
        "module": 1,
    }, told["writes"]["told"]
    assert told["writes"]["counted"] == [2, 0, 0, True]


def test_the_network_is_refused_and_still_counted(told: dict[str, Any]) -> None:
    assert told["connects"]["result"] == ["OSError", "PermissionError", "PermissionError"]
    assert told["connects"]["counted"] == [0, 2, 0, True]


def test_processes_outside_are_out_of_reach(told: dict[str, Any]) -> None:
    assert told["strangers"]["result"] == [*["PermissionError"] * 4, None]
    assert (told["leaves"]["result"], told["leaves"]["counted"]) == (True, [0, 0, 1, True])


def test_where_namespaces_are_required_nothing_runs(told: dict[str, Any]) -> None:
    assert "SANDBOX_REQUIRE names namespaces, which this machine lacks" in told["refused"]
    assert told["probed"] is False
