"""Any order of scans, verdicts and decisions leaves rows, map, tallies and files in agreement."""

import json
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from orphans.domain.acting import Actor
from orphans.domain.errors import InvalidInput
from orphans.domain.findings import Classification, Finding, Scan
from orphans.domain.states import SETTLED, UNDOABLE, ModuleState
from orphans.models import ModuleMapEntry, OrphanModule, OrphanTally, ScanRun
from orphans.services import decisions, documents, including, scanning, tallies

pytestmark = pytest.mark.django_db

ADA = Actor(label="ada", kind="person")
PATHS = ("a.py", "pkg/b.py", "pkg/c.py")
KINDS = (Classification.ORPHAN, Classification.ISOLATED, Classification.LEGACY, Classification.TEST_ONLY)

scans = st.tuples(st.just("scan"), st.dictionaries(st.sampled_from(PATHS), st.sampled_from(KINDS)))
edits = st.tuples(st.just("edit"), st.sampled_from(PATHS))
removals = st.tuples(st.just("remove"), st.sampled_from(PATHS))
verdicts = st.tuples(st.just("verdict"), st.sampled_from([*PATHS, *PATHS]))
acts = st.tuples(st.sampled_from(["include", "retire", "restore", "take_out"]), st.sampled_from(PATHS))
stories = st.lists(scans | edits | removals | verdicts | acts | acts | acts, min_size=4, max_size=14)


class World:
    """One checkout and what was done about its modules."""

    def __init__(self, root: Path) -> None:
        self.checkout = root / "bot"
        self.changes = 0
        self.reintroduced = 0
        for path in PATHS:
            self._write(path)

    def _write(self, path: str) -> None:
        self.changes += 1
        place = self.checkout / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"VALUE = {self.changes}\n")

    def act(self, what: str, given: object) -> None:
        getattr(self, what)(given)

    def edit(self, path: str) -> None:
        self._write(path)

    def remove(self, path: str) -> None:
        (self.checkout / path).unlink(missing_ok=True)

    def scan(self, kinds: dict[str, Classification]) -> None:
        self.changes += 1
        there = {path: kind for path, kind in kinds.items() if (self.checkout / path).exists()}
        findings = {
            path: Finding(path=path, classification=kind, chain=(path,), confidence=0.9, reason="alone")
            for path, kind in there.items()
        }
        isolated = tuple(path for path, kind in there.items() if kind is Classification.ISOLATED)
        found = Scan(modules=3, edges=0, findings=findings, isolated=isolated, seconds=0.1)
        scanning.record_scan("bot", found, checkout=self.checkout, source=f"test:{self.changes}")

    def verdict(self, path: str) -> None:
        """Pass a module that waits, as a self-test would."""
        waiting = (ModuleState.FOUND, ModuleState.RESTORED, ModuleState.FAILED)
        rows = OrphanModule.objects.filter(path=path, state__in=waiting)
        rows.update(state=ModuleState.PASSED, side_effects=0.0)

    def include(self, path: str) -> None:
        included = including.include("bot", [path], by="ada", source="test")
        self.reintroduced += len(included.added)

    def take_out(self, path: str) -> None:
        including.take_out("bot", [path], by="ada")

    def retire(self, path: str) -> None:
        self._decide(path, decisions.retire)

    def restore(self, path: str) -> None:
        before = OrphanModule.objects.filter(path=path).values_list("state", flat=True).first()
        decided = self._decide(path, decisions.restore)
        assert bool(decided.changed) is (before in UNDOABLE)

    def _decide(self, path: str, act: object) -> decisions.Decided:
        ids = list(OrphanModule.objects.filter(path=path).values_list("pk", flat=True))
        decided: decisions.Decided = act(ids, actor=ADA)  # type: ignore[operator]
        assert len(decided.changed) + len(decided.refused) == len(ids)
        return decided


def check_rows(world: World) -> None:
    active = ModuleMapEntry.objects.filter(removed_at=None)
    mapped = sorted(active.values_list("path", flat=True))
    assert len(mapped) == len(set(mapped))
    integrated = OrphanModule.objects.filter(state=ModuleState.INTEGRATED)
    assert sorted(integrated.values_list("path", flat=True)) == mapped
    assert OrphanModule.objects.count() == OrphanModule.objects.values("path").distinct().count()


def check_tallies(world: World) -> None:
    counts = dict(OrphanTally.objects.filter(subject="bot").values_list("name", "count"))
    assert counts.get(tallies.REINTRODUCED, 0) == world.reintroduced == ModuleMapEntry.objects.count()
    new = [path for scan in ScanRun.objects.order_by("id") for path in scan.changes["new"]]
    assert len(new) == len(set(new)) == OrphanModule.objects.count()


def check_files(world: World) -> None:
    folder = documents.export("bot")
    papers = {
        name: json.loads((folder / f"{name}.json").read_text()) for name in ("orphan_modules", "module_map")
    }
    active = ModuleMapEntry.objects.filter(removed_at=None)
    assert papers["module_map"] == dict(active.values_list("path", "group"))
    out = (ModuleState.LIVE, ModuleState.GONE, ModuleState.RETIRED)
    rows = OrphanModule.objects.exclude(state__in=out)
    listed = {path: entry["state"] for path, entry in papers["orphan_modules"].items()}
    assert listed == dict(rows.values_list("path", "state"))
    assert not list(folder.glob(".*"))


@settings(
    deadline=None, max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(story=stories)
def test_any_story_keeps_rows_map_tallies_and_files_together(
    story: list[tuple[str, object]], settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("story")
    settings.DATA_DIR = root / "data"
    world = World(root)
    with transaction.atomic():
        for what, given_to in story:
            world.act(what, given_to)
            check_rows(world)
        check_tallies(world)
        check_files(world)
        transaction.set_rollback(True)


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> World:
    settings.DATA_DIR = tmp_path / "data"
    made = World(tmp_path)
    made.scan(dict.fromkeys(PATHS, Classification.ORPHAN))
    return made


def state(path: str) -> str:
    return OrphanModule.objects.get(path=path).state


def test_a_module_taken_out_can_come_in_again_with_a_second_entry(world: World) -> None:
    for _ in range(2):
        world.verdict("a.py")
        world.include("a.py")
        assert state("a.py") == ModuleState.INTEGRATED
        world.take_out("a.py")
        assert state("a.py") == ModuleState.RESTORED
    assert ModuleMapEntry.objects.filter(path="a.py").exclude(removed_at=None).count() == 2


def test_including_twice_adds_once(world: World) -> None:
    world.verdict("a.py")
    world.include("a.py")
    again = including.include("bot", ["a.py", "a.py"], by="ada", source="test")
    assert (again.added, dict(again.refused)) == ((), {})
    assert ModuleMapEntry.objects.count() == 1


def test_what_a_person_retired_comes_back_only_with_other_content(world: World) -> None:
    world.retire("a.py")
    world.scan(dict.fromkeys(PATHS, Classification.ORPHAN))
    assert state("a.py") == ModuleState.RETIRED
    world.edit("a.py")
    world.scan(dict.fromkeys(PATHS, Classification.ORPHAN))
    assert state("a.py") == ModuleState.FOUND


def test_a_scan_that_is_repeated_writes_nothing(world: World) -> None:
    first = ScanRun.objects.get()
    empty = Scan(modules=0, edges=0, seconds=0)
    again = scanning.record_scan("bot", empty, checkout=world.checkout, source=first.source)
    assert again.pk == first.pk
    assert set(OrphanModule.objects.values_list("state", flat=True)) == {ModuleState.FOUND}


def test_what_is_reached_again_is_live_and_what_is_removed_is_gone(world: World) -> None:
    world.remove("a.py")
    world.scan({"pkg/b.py": Classification.ORPHAN})
    assert (state("a.py"), state("pkg/b.py"), state("pkg/c.py")) == ("gone", "found", "live")
    assert {ModuleState.GONE, ModuleState.LIVE} < SETTLED


def test_a_module_of_the_map_whose_file_is_gone_leaves_the_map(world: World) -> None:
    world.verdict("a.py")
    world.include("a.py")
    world.remove("a.py")
    world.scan({})
    check_rows(world)
    assert ModuleMapEntry.objects.get().removed_label == "its file is gone"


def test_other_content_forgets_what_was_measured(world: World) -> None:
    world.verdict("a.py")
    world.edit("a.py")
    world.scan(dict.fromkeys(PATHS, Classification.ORPHAN))
    row = OrphanModule.objects.get(path="a.py")
    assert (row.state, row.side_effects, row.coverage, row.score) == ("found", None, None, None)


@pytest.mark.parametrize("ids", [[], [0], [10**12], [-5]])
def test_unknown_numbers_are_refused_one_by_one(world: World, ids: list[int]) -> None:
    decided = decisions.retire(ids, actor=ADA)
    assert decided.changed == ()
    assert decided.refused == dict.fromkeys(ids, "there is no such module")


def test_too_many_at_once_change_nothing(world: World) -> None:
    ids = [*OrphanModule.objects.values_list("pk", flat=True), *range(10**6, 10**6 + 1000)]
    with pytest.raises(InvalidInput, match="at most 1000"):
        decisions.retire(ids, actor=ADA)
    assert not OrphanModule.objects.filter(state=ModuleState.RETIRED).exists()
