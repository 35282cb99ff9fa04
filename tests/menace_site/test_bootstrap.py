"""The bootstrap reads locks as pip does, and the checks of locks and places find what they look for."""

import re
import subprocess
from pathlib import Path

import pytest

from scripts import bootstrap, check, check_locks, check_places

ROOT = Path(__file__).resolve().parents[2]
LOCK = """\
# made by uv
alpha==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via menace
beta[extra]==2.0 ; python_version < '3.12' \\
    --hash=sha256:cc
gamma==3.0 \\
    --hash=sha256:dd
"""


def test_one_package_is_cut_out_of_a_lock() -> None:
    assert (
        bootstrap.locked_block(LOCK, "alpha")
        == "alpha==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    )
    assert bootstrap.locked_block(LOCK, "gamma") == "gamma==3.0 \\\n    --hash=sha256:dd\n"


def test_the_lock_of_the_tools_holds_uv_with_hashes() -> None:
    block = bootstrap.locked_block((ROOT / "requirements-dev.txt").read_text(), "uv")
    assert block.startswith("uv==")
    assert block.count("--hash=sha256:") > 5


def test_a_changed_lock_changes_the_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in bootstrap.LOCKS["dev"]:
        (tmp_path / name).write_text(LOCK)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    run, dev = bootstrap.fingerprint("run"), bootstrap.fingerprint("dev")
    (tmp_path / "requirements-dev.txt").write_text(LOCK.replace("3.0", "3.1"))
    assert bootstrap.fingerprint("run") == run
    assert bootstrap.fingerprint("dev") != dev


def test_without_a_python_that_is_new_enough_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "bootstrap"), "run"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["run", "dev"]])
def test_a_wrong_call_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"usage: bootstrap run\|dev\|browser"):
        bootstrap.main(arguments)


def test_our_locks_are_whole() -> None:
    assert check_locks.main() == 0


def test_unpinned_and_unhashed_requirements_are_found() -> None:
    assert check_locks.faults_of(LOCK) == []
    assert check_locks.names_in(LOCK) == {"alpha", "beta", "gamma"}
    assert check_locks.faults_of("delta>=1\nepsilon==2.0\n") == [
        "delta>=1: not pinned to one version",
        "epsilon==2.0: no hash",
    ]
    assert check_locks.missing(["Alpha~=1.0", "Zeta_x>=2"], LOCK) == [
        "Zeta_x: in pyproject.toml but not in the lock; run make lock"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "see https://" + "pypi" + ".org/project/x",
        "path = '/" + "home/someone/menace'",
        "cd /" + "root/menace",
        "/" + "Users/Someone/menace",
    ],
)
def test_places_of_somebodys_machine_are_found(line: str) -> None:
    assert [number for number, _ in check_places.faults_in("fine\n" + line)] == [2]


@pytest.mark.parametrize(
    "line", ["~/menace", "/srv/menace", "docs/home/page", "{root}/home/x", "bot/root/file"]
)
def test_other_paths_are_no_fault(line: str) -> None:
    assert check_places.faults_in(line) == []


def test_every_check_names_a_tool_that_is_installed() -> None:
    for one in check.checks():
        assert Path(one.command[0]).is_file(), one.name


def test_every_target_of_the_makefile_is_listed() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert targets == set(re.findall(r"^  make (\S+)", listed, re.MULTILINE))
