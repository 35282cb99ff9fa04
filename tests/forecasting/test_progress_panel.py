"""What pages and API show of modules' progress: sums, means, and ranks of what was measured."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forecasting.domain.rankings import Limits
from forecasting.models import ModuleProgress
from forecasting.panels.progress import module_progress, module_rankings, progress_row
from forecasting.services.modules import Brought, expected, move_on

pytestmark = pytest.mark.django_db
LIMITS = Limits()


def brought(cycle: int, **gains: float | None) -> None:
    paths = {f"{name}.py": Brought(roi=roi, entropy=2.0) for name, roi in gains.items()}
    move_on("alpha", cycle, paths, limits=LIMITS, scale=1.0)


def test_a_module_that_no_cycle_counted_has_no_progress() -> None:
    brought(1, a=1.0)
    assert module_progress("alpha", "b.py") is None
    assert module_progress("beta", "a.py") is None


def test_a_mean_is_over_what_was_measured_alone() -> None:
    for cycle, roi in enumerate((1.0, None, 3.0), start=1):
        brought(cycle, a=roi)
    row = module_progress("alpha", "a.py")
    assert row is not None
    assert (row["samples"], row["roi_total"], row["roi_count"], row["roi_mean"]) == (3, 4.0, 2, 2.0)


def test_what_was_never_measured_has_no_mean() -> None:
    brought(1, a=None)
    row = module_progress("alpha", "a.py")
    assert row is not None
    assert (row["samples"], row["roi_total"], row["roi_mean"]) == (1, None, None)


def test_recent_runs_come_oldest_first_with_what_each_measured() -> None:
    brought(2, a=0.5)
    brought(1, a=None)
    row = module_progress("alpha", "a.py")
    assert row is not None
    assert row["recent"] == [
        {"order": 1, "roi": None, "entropy": 2.0, "moved": None},
        {"order": 2, "roi": 0.5, "entropy": 2.0, "moved": 0.0},
    ]


def test_ranks_go_by_what_modules_brought_in_all() -> None:
    for cycle in (1, 2):
        brought(cycle, small=0.1, much=1.0, harm=-1.0, unknown=None)
    move_on("beta", 1, {"other.py": Brought(roi=9.0)}, limits=LIMITS, scale=1.0)
    assert [row["path"] for row in module_rankings("alpha")] == ["much.py", "small.py", "harm.py"]
    assert [row["path"] for row in module_rankings("alpha", limit=1)] == ["much.py"]
    assert module_rankings("gamma") == []


def test_of_modules_that_brought_the_same_the_older_is_first() -> None:
    for name in ("z", "a", "m"):
        brought(1, **{name: 1.0})
    assert [row["path"] for row in module_rankings("alpha")] == ["z.py", "a.py", "m.py"]


def test_ranks_of_many_modules_are_one_statement() -> None:
    for cycle in range(3):
        brought(cycle, **{f"m{number}": float(number) for number in range(30)})
    with CaptureQueriesContext(connection) as asked:
        assert len(module_rankings("alpha", limit=20)) == 20
    assert len(asked) == 1


def test_what_is_expected_is_what_then_happens_and_nothing_is_written() -> None:
    for cycle in (1, 2):
        brought(cycle, a=0.0, b=1.0)
    before = [progress_row(row) for row in ModuleProgress.objects.order_by("id")]
    told = {"a.py": Brought(roi=0.0, entropy=2.0), "b.py": Brought(roi=1.0), "new.py": Brought(roi=0.0)}
    ahead = expected("alpha", 3, told, limits=LIMITS, scale=1.0)
    assert [progress_row(row) for row in ModuleProgress.objects.order_by("id")] == before
    assert ahead == move_on("alpha", 3, told, limits=LIMITS, scale=1.0)
    assert list(ahead) == ["a.py"]


def test_expecting_of_nothing_asks_nothing() -> None:
    with CaptureQueriesContext(connection) as asked:
        assert expected("alpha", 1, {}, limits=LIMITS, scale=1.0) == {}
    assert len(asked) == 0


@pytest.mark.parametrize("subject", ["", "s" * 200])
def test_a_subject_that_no_row_can_have_is_refused_before_it_is_asked_for(subject: str) -> None:
    with pytest.raises(ValueError, match="a subject of 1 to"):
        expected(subject, 1, {"a.py": Brought(roi=1.0)}, limits=LIMITS, scale=1.0)


def test_more_modules_than_a_cycle_may_tell_are_refused() -> None:
    many = {f"{number}.py": Brought(roi=1.0) for number in range(1_001)}
    for tell in (expected, move_on):
        with pytest.raises(ValueError, match="at most 1000 modules"):
            tell("alpha", 1, many, limits=LIMITS, scale=1.0)
    assert not ModuleProgress.objects.exists()
