"""Names that lead elsewhere, against all that takes a path from outside: none gets out, none is read."""

import argparse
import json
import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from engines.domain.errors import InvalidInput, MenaceError
from engines.domain.results import Actor
from engines.models import Engine
from engines.services.registry import register_engine
from orphans.discovery import cli
from orphans.files import FileRefused, read_json, write_json
from orphans.models import OrphanModule, SelfTestRun
from orphans.roots import PathRefusedError, resolve_path
from orphans.sandbox.cli import add_run_options, spec_of
from orphans.sandbox.spec import SpecError
from orphans.services import presets
from orphans.services.scanning import file_hash
from tests.engines.repositories import make_repository
from tests.hostile_paths import ESCAPES

CANARY = "c4n4ry-c0nt3nt"
PERSON = Actor(user_id=1, label="eve", kind="person")
WEIRD = ["link", "loop", "pipe", "folder", "missing"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root with nothing in it, a canary outside of it, and links and pipes that lead there."""
    (tmp_path / "secret.txt").write_text(CANARY)
    root = tmp_path / "a" / "root"
    (root / "folder").mkdir(parents=True)
    (root / "link").symlink_to(tmp_path / "secret.txt")
    (root / "loop").symlink_to(root / "loop")
    os.mkfifo(root / "pipe")
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize("must_exist", [True, False, None])
@pytest.mark.parametrize("name", ESCAPES)
def test_no_name_resolves_out_of_its_root(place: Path, name: str, must_exist: bool | None) -> None:
    try:
        found = resolve_path(name, root=place, must_exist=must_exist)
    except (PathRefusedError, FileNotFoundError):
        return
    assert found.is_relative_to(place)
    assert found.resolve().is_relative_to(place)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "~root/x", "a\0b", "a/../../x", "..\\x"])
def test_a_name_that_climbs_is_refused_even_if_nothing_is_there(place: Path, name: str) -> None:
    for must_exist in (True, False, None):
        with pytest.raises(PathRefusedError):
            resolve_path(name, root=place, must_exist=must_exist)


@pytest.mark.parametrize("name", [*ESCAPES, *WEIRD])
def test_no_content_of_another_file_is_hashed(place: Path, name: str) -> None:
    if "\0" in name or len(name) > 4000:
        return
    outside = file_hash(place, name)
    assert outside == "" or (place / name).resolve().is_relative_to(place)


@pytest.mark.parametrize("kind", WEIRD)
def test_no_document_is_read_through_a_link_or_from_a_pipe(place: Path, kind: str) -> None:
    if kind == "missing":
        assert read_json(place / kind) is None
        return
    opened = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(FileRefused) as caught:
        read_json(place / kind)
    assert len(list(Path("/proc/self/fd").iterdir())) == opened
    assert CANARY not in str(caught.value)


def test_a_document_that_is_a_link_is_replaced_not_followed(place: Path) -> None:
    assert write_json(place / "link", {"a": 1}) is True
    assert json.loads((place / "link").read_text()) == {"a": 1}
    assert not (place / "link").is_symlink()
    assert (place.parent.parent / "secret.txt").read_text() == CANARY


def test_a_document_that_can_not_be_written_leaves_the_old_one(place: Path) -> None:
    write_json(place / "x.json", {"a": 1})
    for bad in (float("nan"), object(), {1: {2}}):
        with pytest.raises((TypeError, ValueError)):
            write_json(place / "x.json", {"a": bad})
    assert json.loads((place / "x.json").read_text()) == {"a": 1}
    assert not list(place.glob(".x.json*"))


def test_the_same_document_is_not_written_again(place: Path) -> None:
    write_json(place / "x.json", {"b": 1, "a": [2]})
    before = (place / "x.json").stat().st_ino
    assert write_json(place / "x.json", {"a": [2], "b": 1}) is False
    assert (place / "x.json").stat().st_ino == before


@pytest.mark.parametrize("name", [*ESCAPES, *WEIRD, "link/x"])
def test_no_preset_file_gives_its_content_away(place: Path, name: str) -> None:
    """A command's user may read any file; what is no preset must still not be shown or waited for."""
    try:
        presets.read_file(Path(name) if name.startswith("/") else place / name)
    except InvalidInput as error:
        said = str(error)
    assert CANARY not in said


def scan_code(path: str) -> int:
    return cli.main([path, "--no-cache", "--json"])


@pytest.mark.parametrize(
    "name", ["nowhere", "link", "loop", "pipe", "../../secret.txt", "/etc/passwd", "x" * 300]
)
def test_a_scan_of_what_is_no_folder_is_refused(
    place: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scan_code(name) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert CANARY not in told.err
    assert len(told.err.splitlines()) == 1


def test_a_scan_does_not_leave_its_folder(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "mod.py").write_text("X = 1\n")
    (place.parent / "outside.py").write_text(f"'{CANARY}'\n")
    (place / "out").symlink_to(place.parent)
    (place / "out.py").symlink_to(place.parent / "outside.py")
    assert scan_code(str(place)) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["modules"] <= 2
    assert CANARY not in json.dumps(told)
    assert not any("outside" in path or path.startswith("out/") for path in told["orphans"])


@pytest.mark.parametrize("name", [*ESCAPES, "~nobody-of-this-name/x", "/proc/self/root/../x", "LOOP"])
def test_a_person_registers_nothing_by_a_name_that_leads_elsewhere(
    db: None, place: Path, settings: Settings, name: str
) -> None:
    settings.DATA_DIR = place
    with pytest.raises(MenaceError) as caught:
        register_engine(path=name.replace("LOOP", str(place / "loop")), actor=PERSON)
    assert CANARY not in str(caught.value)
    assert not Engine.objects.exists()


@pytest.mark.parametrize("name", ["nowhere", "pipe", "folder", "loop", "--", "../nowhere", "x" * 200])
def test_a_sandboxed_run_of_what_is_no_file_is_refused(place: Path, name: str) -> None:
    parser = argparse.ArgumentParser()
    add_run_options(parser)
    options = parser.parse_args(["x.py"])
    options.file = Path(name)
    with pytest.raises((SpecError, OSError, RuntimeError)):
        spec_of(options)


@pytest.fixture
def checkout(tmp_path: Path, settings: Settings) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return make_repository(tmp_path / "bot", {"mod.py": "X = 1\n"})


def commanded(*words: str) -> Any:
    out = StringIO()
    call_command(*words, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.mark.parametrize("subject", ["../../x", "..", ".", "", "a/b", "/etc", "../data/orphans/other"])
def test_a_subject_names_no_other_place(db: None, checkout: Path, tmp_path: Path, subject: str) -> None:
    with pytest.raises(InvalidInput, match="no name of a subject"):
        commanded("orphans", "export", "--subject", subject)
    assert sorted(tmp_path.iterdir()) == [checkout]


@pytest.mark.parametrize("name", [each for each in ESCAPES if each and "\0" not in each and len(each) < 3000])
def test_no_self_test_runs_a_file_from_elsewhere(db: None, checkout: Path, name: str) -> None:
    for word in (name, f"{name}/x.py"):
        with pytest.raises(InvalidInput):
            commanded("self_test", "run", "--checkout", str(checkout), "--", word)
    assert not SelfTestRun.objects.exists()
    assert not OrphanModule.objects.exists()
