"""Every attack is contained and every side effect counted exactly, as root and as a user without rights."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orphans.sandbox import SubprocessRunner
from tests.orphans.sandbox import suite

SUITE = Path(suite.__file__)
PLACES = (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3")
NOBODY = 65534


@pytest.mark.parametrize("name", suite.ATTACKS)
def test_an_attack_is_contained(name: str) -> None:
    assert suite.attack(name, SubprocessRunner()) == []


@pytest.mark.parametrize("name", suite.EFFECTS + suite.LIBRARY_EFFECTS)
def test_side_effects_are_counted_exactly(name: str) -> None:
    assert suite.effect(name, SubprocessRunner()) == []


@pytest.mark.parametrize("what", ["attacks", "effects"])
def test_a_user_without_rights_gets_the_same(what: str, tmp_path: Path) -> None:
    """Run by root: the same once more as nobody. Run by anybody else: those above were it already."""
    told = carried_out(what, tmp_path)
    assert (told["failed"], told["user"] != 0) == ({}, True)
    assert told["of"] == len(suite.ATTACKS if what == "attacks" else suite.EFFECTS)


def carried_out(what: str, place: Path) -> dict[str, object]:
    root = os.geteuid() == 0
    command = [reachable_python() if root else sys.executable, "-I", "-S", "-B", str(SUITE), what]
    place.chmod(0o777)
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        cwd="/",
        env={"PATH": os.defpath, "TMPDIR": "/tmp"},
        user=NOBODY if root else None,
        group=NOBODY if root else None,
        extra_groups=[] if root else None,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def reachable_python() -> str:
    """Return an interpreter that every user may start; one in root's home is nobody else's."""
    wanted = f"import sys; sys.exit(sys.version_info < {sys.version_info[:2]})"
    for place in filter(shutil.which, PLACES):
        try:
            done = subprocess.run([place, "-c", wanted], user=NOBODY, group=NOBODY, check=False, cwd="/")
        except PermissionError:
            continue
        if done.returncode == 0:
            return place
    raise AssertionError("no Python of this version can be started by another user on this machine")
