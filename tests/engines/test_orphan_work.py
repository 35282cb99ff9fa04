"""Work on orphan modules that a person asks for: a real scan, real self-tests, real files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import transaction

from engines.domain.errors import Conflict
from engines.domain.results import Actor
from engines.models import Engine
from engines.services import orphan_acts, orphan_work
from engines.signals import orphan_work_asked
from menace_site.models import AuditEntry
from orphans.models import ModuleMapEntry, OrphanModule, ScanRun, SelfTestRun
from orphans.services import self_tests, sweeping
from tests.engines.repositories import MANIFEST, make_repository
from tests.factories import make_engine
from tests.orphans.rows import make_module

pytestmark = pytest.mark.django_db
ADA = Actor(user_id=None, label="ada", kind="person")
FILES = {
    "pyproject.toml": MANIFEST,
    "bot.py": "import used\n\n\ndef build():\n    return used.VALUE\n",
    "used.py": "VALUE = 1\n",
    "forgotten.py": '"""Nobody imports it."""\n\n\ndef rate():\n    return 0.5\n',
}
Captured = Callable[..., Any]


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path / "data")
    cache.clear()


@pytest.fixture
def alpha(tmp_path: Path) -> Engine:
    """An engine whose repository has one module that nothing reaches."""
    return make_engine("alpha", repository=str(make_repository(tmp_path / "bot", FILES)))


def order(kind: str, engine: Engine, *paths: str) -> dict[str, Any]:
    by = {"user_id": None, "label": "ada", "kind": "person"}
    return {"kind": kind, "engine_id": engine.pk, "token": "t0k3n", "paths": list(paths), "by": by}


class TestAsking:
    """The request only says what is wanted."""

    def test_a_worker_gets_the_order_once_the_act_is_written_down(
        self, alpha: Engine, django_capture_on_commit_callbacks: Captured
    ) -> None:
        sent: list[dict[str, Any]] = []

        def note(order: dict[str, Any], **_: Any) -> None:
            sent.append(order)

        orphan_work_asked.connect(note)
        try:
            with django_capture_on_commit_callbacks():
                orphan_work.ask("scan", alpha, actor=ADA)
        finally:
            orphan_work_asked.disconnect(note)
        assert [each["kind"] for each in sent] == ["scan"]
        assert AuditEntry.objects.get().verb == "orphans.scan"
        assert orphan_work.noted(alpha.pk, "scan") is None  # nothing was committed

    def test_a_second_scan_has_to_wait_for_the_first(
        self, alpha: Engine, django_capture_on_commit_callbacks: Captured
    ) -> None:
        with django_capture_on_commit_callbacks() as callbacks:
            orphan_work.ask("scan", alpha, actor=ADA)
        callbacks[0]()
        with pytest.raises(Conflict, match="asked for by ada"):
            orphan_work.ask("scan", alpha, actor=ADA)

    def test_nothing_of_an_engine_that_is_switched_off_runs(self) -> None:
        with pytest.raises(Conflict, match="switched off"):
            orphan_work.ask("scan", make_engine(enabled=False), actor=ADA)

    def test_a_broker_that_is_away_is_told(
        self, alpha: Engine, django_capture_on_commit_callbacks: Captured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away() -> None:
            raise OSError("no broker")

        monkeypatch.setattr("engines.tasks._probe_broker", away)
        with django_capture_on_commit_callbacks(execute=True):
            orphan_work.ask("scan", alpha, actor=ADA)
        note = orphan_work.noted(alpha.pk, "scan")
        assert note is not None
        assert "broker is away" in note["failed"]


class TestScan:
    """A worker exports the commit, scans it and writes the rows."""

    def test_it_finds_what_nothing_reaches_and_leaves_no_file(self, alpha: Engine, tmp_path: Path) -> None:
        orphan_work.carry_out(order("scan", alpha))
        found = OrphanModule.objects.get(subject="alpha")
        assert (found.path, found.state) == ("forgotten.py", "found")
        assert ScanRun.objects.get().source.startswith("web:t0k3n:")
        assert list((tmp_path / "data/orphan_work").iterdir()) == []

    def test_the_same_order_twice_is_one_scan(self, alpha: Engine) -> None:
        orphan_work.carry_out(order("scan", alpha))
        orphan_work.carry_out(order("scan", alpha))
        assert ScanRun.objects.count() == 1

    def test_a_repository_that_is_gone_is_told(self) -> None:
        engine = make_engine("gone", repository="/nowhere/at/all")
        orphan_work.carry_out(order("scan", engine))
        note = orphan_work.noted(engine.pk, "scan")
        assert note is not None
        assert note["failed"]
        assert [each["engine"] for each in orphan_work.under_way([engine])] == ["gone"]

    def test_what_nobody_foresaw_is_noted_and_raised(
        self, alpha: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: Any) -> None:
            raise RuntimeError("a secret path")

        monkeypatch.setitem(orphan_work.WORK, "scan", broken)
        with pytest.raises(RuntimeError):
            orphan_work.carry_out(order("scan", alpha))
        note = orphan_work.noted(alpha.pk, "scan")
        assert note is not None
        assert "secret" not in note["failed"]


class TestTheWholeWay:
    """Found, tested in the sandbox, taken in, taken out."""

    def test_a_module_is_tested_and_taken_in(
        self, alpha: Engine, django_capture_on_commit_callbacks: Captured
    ) -> None:
        orphan_work.carry_out(order("scan", alpha))
        with django_capture_on_commit_callbacks(execute=True):
            orphan_work.carry_out(order("test", alpha, "forgotten.py"))
        batch = SelfTestRun.objects.get()
        assert Path(batch.checkout).is_dir()
        self_tests.work_off(batch.pk)
        module = OrphanModule.objects.get()
        assert module.state == "passed", module.state_reason
        assert module.tested_at is not None
        sweeping.sweep()
        assert not Path(batch.checkout).exists()

        tally = orphan_acts.act_on("integrate", [module], actor=ADA)
        assert tally.done == ((module.pk, "passed"),)
        assert ModuleMapEntry.objects.get(removed_at=None).path == "forgotten.py"

        orphan_work.carry_out(order("integrate", alpha, "forgotten.py"))
        assert (settings.DATA_DIR / "orphans/alpha/module_map.json").is_file()

        module.refresh_from_db()
        orphan_acts.act_on("restore", [module], actor=ADA)
        assert not ModuleMapEntry.objects.filter(removed_at=None).exists()


class TestActs:
    """Acts on many: what they don't fit is left alone and told."""

    def test_only_fitting_states_are_touched(self, alpha: Engine) -> None:
        rows = [make_module(state="found"), make_module(state="integrated", path="in.py")]
        tally = orphan_acts.act_on("retire", rows, actor=ADA, reason="no use")
        assert [pk for pk, _ in tally.done] == [rows[0].pk]
        assert tally.refused == ("in.py is integrated",)
        rows[0].refresh_from_db()
        assert (rows[0].state, rows[0].state_reason) == ("retired", "no use")

    def test_a_redundant_module_is_never_taken_in(self, alpha: Engine) -> None:
        module = make_module(state="passed", redundant=True, side_effects=0.0)
        tally = orphan_acts.act_on("integrate", [module], actor=ADA)
        assert tally.done == ()
        assert "never in the module map" in tally.refused[0]

    def test_a_module_of_no_engine_is_not_tested(self) -> None:
        assert orphan_acts.act_on("test", [make_module("nobody")], actor=ADA).done == ()

    @pytest.mark.parametrize(
        ("act", "before", "way"),
        [
            ("retire", "found", "restore"),
            ("integrate", "passed", "restore"),
            ("restore", "retired", "retire"),
            ("restore", "integrated", ""),
            ("test", "found", ""),
        ],
    )
    def test_the_way_back(self, act: str, before: str, way: str) -> None:
        assert orphan_acts.way_back(act, [(1, before)]) == ([(1, (way,))] if way else [])

    def test_a_note_of_work_that_was_rolled_back_is_not_left(self, alpha: Engine) -> None:
        def refused() -> None:
            with transaction.atomic():
                orphan_work.ask("scan", alpha, actor=ADA)
                raise Conflict("no")

        with pytest.raises(Conflict, match="no"):
            refused()
        assert orphan_work.noted(alpha.pk, "scan") is None
