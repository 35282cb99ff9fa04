"""Progress of modules as rows: counted once, marked complete, reopened by a person."""

import math

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from engines.domain.results import Actor
from forecasting.domain.rankings import CEILING, DIMINISHING, Limits
from forecasting.models import ModuleProgress
from forecasting.services.modules import Brought, complete_of, move_on, reopen
from menace_site.models import AuditEntry
from tests.factories import make_user

pytestmark = pytest.mark.django_db
LIMITS = Limits()
ADA = Actor(label="ada", kind="person")


def moved(cycle: int, **modules: Brought) -> dict[str, str]:
    """Count what a cycle brought `a` and `b`; return the kinds of new marks."""
    paths = {f"{name}.py": each for name, each in modules.items()}
    return {
        path: mark.kind for path, mark in move_on("alpha", cycle, paths, limits=LIMITS, scale=1.0).items()
    }


def test_a_cycle_moves_the_sums_of_its_modules_on_however_often_it_is_told() -> None:
    for cycle in (1, 2, 2, 1, 2):
        moved(cycle, a=Brought(roi=float(cycle), entropy=cycle / 2), b=Brought(entropy=1.0))
    a, b = ModuleProgress.objects.order_by("path")
    assert (a.samples, a.roi_total, a.roi_count, a.entropy, a.entropy_change) == (2, 3.0, 2, 1.0, 0.5)
    assert (b.samples, b.roi_total, b.roi_count, b.entropy_change) == (2, None, 0, 0.0)


def test_a_module_that_brings_nothing_more_is_complete_from_the_cycle_that_says_so() -> None:
    kinds = [moved(cycle, a=Brought(roi=0.0), b=Brought(roi=1.0)) for cycle in (1, 2, 3, 4)]
    assert kinds == [{}, {}, {"a.py": DIMINISHING}, {}]
    row = ModuleProgress.objects.get(path="a.py")
    assert (row.complete, row.completed_by) == (True, "cycle 3")
    assert row.completed_at is not None
    assert complete_of("alpha") == {"a.py": row.reason}


def test_complexity_that_does_not_pay_hits_the_ceiling() -> None:
    gains = (0.02, 0.0, 0.0, 0.02, 0.0, 0.0)
    kinds = [moved(cycle, a=Brought(roi=gain, entropy=cycle * 1.0)) for cycle, gain in enumerate(gains)]
    assert {"a.py": CEILING} in kinds


def test_a_reopened_module_needs_a_full_new_streak() -> None:
    for cycle in (1, 2, 3):
        moved(cycle, a=Brought(roi=0.0))
    row = ModuleProgress.objects.get()
    assert [each.path for each in reopen([row.pk, 10**9], actor=ADA, reason="new customers")] == ["a.py"]
    assert reopen([row.pk], actor=ADA) == []
    row.refresh_from_db()
    assert (row.complete, row.reopened_by, row.reopened_reason) == (False, "ada", "new customers")
    kinds = [moved(cycle, a=Brought(roi=0.0)) for cycle in (3, 4, 5, 6)]
    assert kinds == [{}, {}, {}, {"a.py": DIMINISHING}]
    assert ModuleProgress.objects.get().samples == 6


def test_without_knowing_what_a_cycle_brings_no_module_is_complete() -> None:
    for cycle in range(9):
        assert move_on("alpha", cycle, {"a.py": Brought(roi=0.0)}, limits=LIMITS, scale=None) == {}


def test_a_cycle_costs_the_same_statements_for_one_module_and_for_many() -> None:
    asked = []
    for count in (1, 100):
        paths = {f"{count}/{place}.py": Brought(roi=1.0) for place in range(count)}
        with CaptureQueriesContext(connection) as statements:
            move_on("alpha", 1, paths, limits=LIMITS, scale=1.0)
        asked.append(len(statements))
    assert asked[0] == asked[1] <= 6
    assert move_on("alpha", 1, {}, limits=LIMITS, scale=1.0) == {}


def test_bad_values_are_refused() -> None:
    for subject, brought in (("", {}), ("a", {"a.py": Brought(roi=math.nan)})):
        with pytest.raises(ValueError):
            move_on(subject, 1, brought, limits=LIMITS, scale=1.0)
    with pytest.raises(ValueError):
        reopen(range(2_000), actor=ADA)


def test_a_superuser_opens_modules_again_in_the_admin(client: Client) -> None:
    for cycle in (1, 2, 3):
        moved(cycle, a=Brought(roi=0.0))
    row = ModuleProgress.objects.get()
    client.force_login(make_user("admin"))
    chosen = {"action": "reopen_chosen", "_selected_action": [row.pk]}
    assert client.post("/admin/forecasting/moduleprogress/", chosen).status_code == 302
    row.refresh_from_db()
    assert (row.complete, row.reopened_reason) == (False, "in the admin")
    assert AuditEntry.objects.get(verb="module.reopen").actor == row.reopened_by
