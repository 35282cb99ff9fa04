"""Scans remember files and results: the same answer for less work, whatever happens to what they wrote."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orphans.discovery import Reading, scan
from orphans.discovery.cli import HOME, judged, main
from orphans.domain.findings import Scan
from tests.orphans.discovery.trees import BODY, write

MAIN = "import pkg\n\nif __name__ == '__main__':\n    print(pkg)\n"
BASE = {
    "run.py": MAIN,
    "pkg/__init__.py": "from pkg import used_part\n",
    "pkg/used_part.py": "",
    "pkg/lost_part.py": "",
}


def age(root: Path, seconds: float = 60) -> None:
    """Make all files look as if they were written a while ago; the change time still tells the truth."""
    for place in root.rglob("*"):
        at = place.stat().st_mtime - seconds
        os.utime(place, (at, at))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("orphans.discovery.store.FRESH_NS", -1)
    return write(tmp_path / "tree", BASE)


def found(tree: Path, reading: Reading = Reading.AUTO) -> list[str]:
    return judged(scan(tree, reading=reading, cache=tree.parent / "memory"))


def test_a_second_scan_answers_the_same(tree: Path) -> None:
    first = scan(tree, cache=tree.parent / "memory")
    second = scan(tree, cache=tree.parent / "memory")

    assert {**first.to_json(), "seconds": 0} == {**second.to_json(), "seconds": 0}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"pkg/used_part.py": "from pkg import lost_part\n"}, []),
        ({"pkg/__init__.py": "x = 1\n"}, ["pkg/lost_part.py", "pkg/used_part.py"]),
        ({"pkg/new_part.py": BODY}, ["pkg/lost_part.py", "pkg/new_part.py"]),
        ({"Makefile": "x:\n\tpython -m pkg.lost_part\n"}, []),
    ],
)
def test_every_change_is_seen(tree: Path, change: dict[str, str], wanted: list[str]) -> None:
    found(tree)

    write(tree, change)

    assert found(tree) == wanted


def test_a_removed_file_is_seen(tree: Path) -> None:
    found(tree)

    (tree / "pkg/lost_part.py").unlink()

    assert found(tree) == []


def test_a_change_with_old_times_and_the_same_size_is_seen(tree: Path) -> None:
    found(tree)
    place = tree / "pkg/__init__.py"
    before = place.stat()

    place.write_text("from pkg import lost_part\n")
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert found(tree) == ["pkg/used_part.py"]


def test_what_changed_just_now_is_not_remembered(tmp_path: Path) -> None:
    scan(write(tmp_path / "tree", BASE), cache=tmp_path / "memory")

    assert not (tmp_path / "memory").exists()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"key": 1, "scan": 2}', b"\xff\xfe", b"[" * 100_000]
)
def test_broken_memory_is_no_memory(tree: Path, content: bytes) -> None:
    wanted = found(tree)
    for place in (tree.parent / "memory").iterdir():
        place.write_bytes(content)

    assert found(tree) == wanted


def test_memory_of_another_shape_is_no_memory(tree: Path) -> None:
    wanted = found(tree)
    for place in (tree.parent / "memory").glob("*.files.json"):
        rows = json.loads(place.read_text())
        rows["files"] = {path: {**row, "facts": [1], "detail": [[]]} for path, row in rows["files"].items()}
        place.write_text(json.dumps(rows))
    for place in (tree.parent / "memory").glob("*.result.json"):
        place.unlink()

    assert found(tree) == wanted


def test_a_folder_that_cannot_be_written_costs_no_answer(tree: Path) -> None:
    (tree.parent / "memory").write_text("a file")

    assert found(tree) == ["pkg/lost_part.py"]


def test_other_readings_are_other_results(tree: Path) -> None:
    assert found(tree) == ["pkg/lost_part.py"]
    assert found(tree, reading=Reading.LIBRARY) == []


def test_scans_at_the_same_time_agree(tree: Path) -> None:
    answers: list[list[str]] = []
    threads = [threading.Thread(target=lambda: answers.append(found(tree))) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert answers == [["pkg/lost_part.py"]] * 6


def test_a_scan_survives_its_json(tree: Path) -> None:
    made = scan(tree)

    assert Scan.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_the_command_prints_json_paths_and_a_table(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tree), "--no-cache", "--paths"])
    paths = json.loads(capsys.readouterr().out)
    main([str(tree), "--no-cache", "--json"])
    everything = json.loads(capsys.readouterr().out)
    main([str(tree), "--no-cache", "--library"])
    table = capsys.readouterr().out

    assert paths == ["pkg/lost_part.py"]
    assert set(everything) == {"modules", "edges", "orphans", "isolated", "unreadable", "seconds"}
    assert "public_unreferenced" in table


def test_a_missing_folder_ends_with_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "gone"), "--no-cache"]) == 2
    assert "is no folder" in capsys.readouterr().err


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HOME / "manage.py"), "orphans", "scan", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_process_of_its_own_prints_everything_before_it_ends(tmp_path: Path) -> None:
    files = {f"pkg/module_{number}.py": "" for number in range(200)}
    done = _run(str(write(tmp_path, files)), "--json", "--no-cache")
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["orphans"]) == len(files)
    refused = _run(str(tmp_path / "nothing"), "--json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "is no folder" in refused.stderr
