"""Counts above a list: each state up to a cap, all in one statement."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engines.models import Cycle
from engines.panels import pills as module
from engines.panels.pills import PILL_CAP, Panel, capped_counts, matching, pills
from tests.factories import make_cycle, make_cycles, make_engine

pytestmark = pytest.mark.django_db
GROUPS = {"": (), "done": ("done",), "over": ("failed", "cancelled"), "queued": ("queued",)}


@pytest.fixture
def rows() -> None:
    engine = make_engine("alpha")
    make_cycles(3, engine)
    for state in ("failed", "cancelled"):
        make_cycle(engine, state)


def by_name(found: list[Panel]) -> dict[str, tuple[str, bool]]:
    return {pill["state"]: (pill["count"], pill["chosen"]) for pill in found}


@pytest.mark.usefixtures("rows")
def test_each_group_is_counted_over_its_states() -> None:
    found = by_name(pills(Cycle.objects.all(), GROUPS))
    assert found == {"": ("", True), "done": ("3", False), "over": ("2", False), "queued": ("0", False)}


@pytest.mark.usefixtures("rows")
def test_what_is_chosen_is_marked_and_counted_together() -> None:
    found = pills(Cycle.objects.all(), GROUPS, ("done", "over"))
    assert [pill["state"] for pill in found if pill["chosen"]] == ["done", "over"]
    assert matching(found) == "5"


@pytest.mark.usefixtures("rows")
def test_without_a_choice_all_states_count() -> None:
    assert matching(pills(Cycle.objects.all(), GROUPS)) == "5"
    assert matching(pills(Cycle.objects.none(), GROUPS)) == "0"


def test_a_choice_that_nothing_matches_is_zero_and_not_the_rest() -> None:
    make_cycle(state="failed")
    found = pills(Cycle.objects.all(), GROUPS, ("queued",))
    assert matching(found) == "0"


@pytest.mark.usefixtures("rows")
def test_any_number_of_groups_is_one_statement() -> None:
    many = {f"{number}": ("done",) for number in range(40)}
    with CaptureQueriesContext(connection) as asked:
        found = pills(Cycle.objects.all(), many)
    assert len(asked) == 1
    assert {pill["count"] for pill in found} == {"3"}


@pytest.mark.usefixtures("rows")
def test_counting_ends_behind_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PILL_CAP", 2)
    found = pills(Cycle.objects.all(), GROUPS)
    assert by_name(found)["done"] == ("2+", False)
    assert by_name(found)["over"] == ("2", False), "just as many as the cap"
    assert matching(found) == "4+"
    assert capped_counts([Cycle.objects.all()]) == [3], "one more than the cap, never all"


def test_a_thousand_has_its_comma() -> None:
    make_cycles(PILL_CAP + 1)
    (pill,) = pills(Cycle.objects.all(), {"done": ("done",)})
    assert (pill["count"], pill["number"]) == ("1,000+", PILL_CAP + 1)
    assert matching([pill]) == "1,000+"


@pytest.mark.usefixtures("rows")
def test_what_can_not_match_is_counted_without_asking() -> None:
    nothing, failed = Cycle.objects.none(), Cycle.objects.filter(state="failed")
    assert capped_counts([nothing, failed, nothing]) == [0, 1, 0]


@pytest.mark.parametrize("name", ["%s", "'; DROP TABLE engines_cycle; --", '"', "%%", "\\"])
def test_whatever_a_filter_looks_for_is_a_value(name: str) -> None:
    make_cycle(make_engine("alpha"))
    assert capped_counts([Cycle.objects.filter(message=name), Cycle.objects.all()]) == [0, 1]
