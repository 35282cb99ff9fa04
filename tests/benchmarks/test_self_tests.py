"""The command that tests many modules, hangs and bombs among them: a small run, and its judgement."""

import importlib
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings

from orphans.models import OrphanModule
from orphans.services import self_tests


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(settings.BASE_DIR / "benchmarks"))
    return importlib.import_module("self_tests")


def test_half_of_the_modules_are_plain_and_every_bad_kind_comes_up(bench: ModuleType) -> None:
    kinds = [bench.kind_of(number) for number in range(1000)]

    assert set(kinds) == set(bench.KINDS)
    assert kinds.count("good") + kinds.count("own words") == 500


@pytest.mark.django_db(transaction=True)
def test_every_kind_gets_its_verdict_and_nothing_is_left(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setitem(bench.LIMITS, "wall_seconds", 2.0)
    kinds = bench.write_modules(tmp_path / "checkout", 20)
    assert set(kinds.values()) == set(bench.KINDS)

    batch = self_tests.work_off(bench.begin(tmp_path / "checkout", kinds, wake=False).pk, parallel=2)

    found = bench.verdicts(batch, kinds) | bench.leftovers(tmp_path / "checkout", scratch, {os.getpid()})
    assert found["with a verdict"] == 20
    assert found["wrong verdicts"] == []
    assert (found["processes left"], found["mounts left"], found["files left"]) == ([], [], [])
    assert OrphanModule.objects.filter(classification="heavy_side_effects").exists()


def test_a_broken_promise_is_said(bench: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    good: dict[str, Any] = {
        "modules": 2,
        "with a verdict": 2,
        "page, longest ms": 9.0,
        "page, median ms": 9.0,
    }
    good |= {name: [] for name in ("wrong verdicts", "processes left", "mounts left", "files left")}

    assert bench.tell(good, None) == 0
    assert bench.tell({**good, "with a verdict": 1, "files left": ["x"]}, None) == 1
    assert "broken: files left, modules without a verdict" in capsys.readouterr().out
