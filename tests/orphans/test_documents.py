"""The JSON files that people edit: read, reported, never overwritten silently."""

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from orphans.domain.findings import Classification
from orphans.domain.states import ModuleState
from orphans.files import FileRefused, read_json, write_json
from orphans.models import ModuleMapEntry, OrphanModule
from orphans.services import documents
from tests.orphans.rows import make_module, make_scan

pytestmark = pytest.mark.django_db


@pytest.fixture
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    place = tmp_path / "checkout"
    place.mkdir()
    for name in ("a.py", "b.py"):
        (place / name).write_text("VALUE = 1\n")
    return place


def put(data: Path, name: str, content: Any, subject: str = "alpha") -> None:
    place = data / "orphans" / subject
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(content if isinstance(content, str) else json.dumps(content))


def paper(data: Path, name: str, subject: str = "alpha") -> Any:
    return json.loads((data / "orphans" / subject / name).read_text())


def test_without_files_there_is_nothing_to_say(data: Path, checkout: Path) -> None:
    taken = documents.include_orphan_modules("alpha", checkout)

    assert (taken.paths, taken.conflicts) == ((), ())
    assert documents.disagreements("alpha", taken) == []


def test_what_is_listed_is_queued_with_what_the_file_says(data: Path, checkout: Path) -> None:
    put(data, "orphan_modules.json", {"a.py": {"classification": "legacy", "redundant": True}})

    taken = documents.include_orphan_modules("alpha", checkout)

    module = OrphanModule.objects.get()
    assert taken.paths == ("a.py",)
    assert (module.classification, module.redundant, module.state) == ("legacy", True, "found")
    assert module.evidence[0]["path"] == "orphan_modules.json"


def test_the_shared_file_counts_for_whoever_has_the_module(data: Path, checkout: Path) -> None:
    data.mkdir()
    (data / "orphan_modules.json").write_text('["a.py", "elsewhere.py"]')

    taken = documents.include_orphan_modules("alpha", checkout)

    assert (taken.paths, taken.conflicts) == (("a.py",), ())


def test_a_missing_file_and_a_bad_path_are_reported(data: Path, checkout: Path) -> None:
    put(data, "orphan_modules.json", ["missing.py", "../etc.py"])

    taken = documents.include_orphan_modules("alpha", checkout)

    assert any("no such file" in each for each in taken.conflicts)
    assert any("../etc.py" in each for each in taken.conflicts)
    assert not OrphanModule.objects.exists()


@pytest.mark.parametrize("content", ["{", "", "\0", "[" * 100_000])
def test_a_torn_file_is_reported_and_left_alone(data: Path, checkout: Path, content: str) -> None:
    put(data, "orphan_modules.json", content)

    taken = documents.include_orphan_modules("alpha", checkout)

    assert "holds no JSON" in taken.conflicts[0]
    assert (data / "orphans/alpha/orphan_modules.json").read_text() == content


def test_a_persons_decision_stands_against_a_file(data: Path, checkout: Path) -> None:
    make_module(path="a.py", state=ModuleState.RETIRED, state_reason="moved")
    put(data, "orphan_modules.json", ["a.py"])

    taken = documents.include_orphan_modules("alpha", checkout)

    assert "it was retired (moved)" in taken.conflicts[0]
    assert OrphanModule.objects.get().state == ModuleState.RETIRED


def test_rows_and_files_that_disagree_are_named_both_ways(data: Path, checkout: Path) -> None:
    make_module(path="a.py", found_as=Classification.ISOLATED)
    for path in ("b.py", "c.py"):
        ModuleMapEntry.objects.create(subject="alpha", path=path, group=1)
    put(data, "orphan_modules.json", {"a.py": {"classification": "legacy"}})
    put(data, "module_map.json", {"c.py": 1, "new.py": 2})

    found = documents.disagreements("alpha", documents.include_orphan_modules("alpha", checkout))

    assert found == [
        "a.py: the file says legacy, the latest scan says isolated",
        "b.py: in the module map, but not in module_map.json; "
        "list it in orphan_modules.json to have it tested anew",
        "new.py: in module_map.json, but not in the module map; it enters once its self-test passes",
    ]


def test_a_conflict_is_noted_in_the_entry_and_not_lost(data: Path, checkout: Path) -> None:
    make_module(path="a.py", classification=Classification.ISOLATED)
    put(
        data, "orphan_modules.json", {"a.py": {"classification": "legacy"}, "unknown.py": {"redundant": True}}
    )
    taken = documents.include_orphan_modules("alpha", checkout)

    documents.export("alpha", taken=taken)

    entries = paper(data, "orphan_modules.json")
    assert entries["a.py"]["classification"] == "isolated"
    assert entries["a.py"]["conflict"] == "this file said legacy"
    assert entries["unknown.py"] == {"redundant": True}


def test_files_are_written_in_the_form_of_the_specification(data: Path) -> None:
    make_module(path="a.py", parents=["b.py"], redundant=True)
    ModuleMapEntry.objects.create(subject="alpha", path="c.py", group=4)

    documents.export("alpha")

    assert paper(data, "module_map.json") == {"c.py": 4}
    assert paper(data, "orphan_classifications.json") == {
        "a.py": {"parents": ["b.py"], "classification": "orphan", "redundant": True}
    }
    assert paper(data, "orphan_modules.json")["a.py"]["parents"] == ["b.py"]
    assert documents.include_orphan_modules("alpha", data).document.problems == ()


def test_two_subjects_have_folders_of_their_own_and_share_none(data: Path) -> None:
    make_scan("alpha")
    make_module(path="a.py")
    documents.export("alpha")
    assert (data / "module_map.json").exists()
    (data / "module_map.json").unlink()

    make_scan("beta")
    documents.export("alpha")

    assert not (data / "module_map.json").exists()


def test_a_file_is_replaced_whole_and_only_when_it_differs(tmp_path: Path) -> None:
    place = tmp_path / "x" / "a.json"

    assert write_json(place, {"a": 1}) is True
    before = place.stat().st_ino
    assert write_json(place, {"a": 1}) is False
    assert place.stat().st_ino == before
    assert write_json(place, {"a": 2}) is True
    assert read_json(place) == {"a": 2}
    assert list(place.parent.iterdir()) == [place]


def test_a_link_is_neither_read_nor_written_through(tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("{}")
    link.symlink_to(target)

    with pytest.raises(FileRefused):
        read_json(link)
    write_json(link, {"a": 1})

    assert (target.read_text(), link.is_symlink()) == ("{}", False)


def test_what_is_no_json_leaves_the_old_file(tmp_path: Path) -> None:
    place = tmp_path / "a.json"
    write_json(place, {"a": 1})

    with pytest.raises(ValueError, match="JSON"):
        write_json(place, {"a": float("nan")})

    assert read_json(place) == {"a": 1}
    assert list(tmp_path.iterdir()) == [place]
