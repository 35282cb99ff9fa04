"""Cycles side by side."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from engines.models import Cycle
from engines.panels.compare import NOTHING
from tests.factories import make_cycle, make_engine, make_steps, make_team


def rows(client: Client, address: str) -> dict[str, list[str]]:
    """Return each shown row's cells by its label."""
    found = client.get(address).context["rows"]
    return {row["label"]: [cell["text"] for cell in row["cells"]] for row in found}


def trained(accuracy: float | None, **fields: Any) -> Cycle:
    """Make a cycle whose challenger was measured."""
    cycle = make_cycle(fields.pop("engine", None) or make_engine(), **fields)
    make_steps(cycle)
    result = {"verdict": "candidate", "challenger": {"metrics": {"accuracy": accuracy}, "params": {"C": 1}}}
    cycle.steps.filter(name="retrain").update(result=result, duration=30.0)
    return cycle


def test_only_what_differs_shows(viewer: Client) -> None:
    engine = make_engine()
    one, two = (trained(value, engine=engine) for value in (0.9, 0.95))
    Cycle.objects.all().update(duration=60.0)
    found = rows(viewer, f"/cycles/compare/?ids={one.pk},{two.pk}")
    assert found == {"accuracy": ["0.9", "0.95"]}


def test_everything_shows_on_demand(viewer: Client) -> None:
    one, two = trained(0.9), trained(0.9)
    found = rows(viewer, f"/cycles/compare/?ids={one.pk},{two.pk}&all=1")
    assert found["Trigger"] == ["manual", "manual"]
    assert found["C"] == ["1", "1"]
    assert "snapshot" in found


def test_numbers_say_how_far_they_are_from_the_first(viewer: Client) -> None:
    one, two, three = (make_cycle(roi_delta=value) for value in (1.0, 1.5, None))
    page = viewer.get(f"/cycles/compare/?ids={one.pk},{two.pk},{three.pk}")
    cells = next(row["cells"] for row in page.context["rows"] if row["label"] == "ROI delta")
    assert [(cell["text"], cell["change"]) for cell in cells] == [
        ("+1", ""),
        ("+1.5", "+0.5"),
        ("not measured", ""),
    ]


def test_the_order_of_the_address_names_the_baseline(viewer: Client) -> None:
    one, two = make_cycle(roi_delta=1.0), make_cycle(roi_delta=1.5)
    page = viewer.get(f"/cycles/compare/?ids={two.pk},{one.pk}")
    assert [cycle["id"] for cycle in page.context["cycles"]] == [two.pk, one.pk]
    assert f"?ids={one.pk},{two.pk}" in page.content.decode()


def test_differences_too_small_to_be_written_count_all_the_same(viewer: Client) -> None:
    one, two = trained(0.95), trained(0.95 + 1e-9)
    assert "accuracy" in rows(viewer, f"/cycles/compare/?ids={one.pk},{two.pk}")


def test_times_that_are_said_the_same_are_no_difference(viewer: Client) -> None:
    first, near, far = (make_cycle(duration=seconds).pk for seconds in (5.0, 5.0004, 6.0))
    assert "Duration" not in rows(viewer, f"/cycles/compare/?ids={first},{near}")
    assert rows(viewer, f"/cycles/compare/?ids={first},{far}")["Duration"] == ["5.0 s", "6.0 s"]


def test_a_parameter_that_one_lacks_is_a_dash_and_a_metric_was_not_measured(viewer: Client) -> None:
    one, two = trained(0.9), make_cycle()
    found = rows(viewer, f"/cycles/compare/?ids={one.pk},{two.pk}")
    assert found["accuracy"] == ["0.9", "not measured"]
    assert found["C"] == ["1", NOTHING]


@pytest.mark.parametrize("query", ["", "ids=", "ids=x", "ids=1", "ids=0,00", "ids=" + "9" * 40])
def test_without_two_cycles_it_says_how_to_choose(viewer: Client, query: str) -> None:
    response = viewer.get(f"/cycles/compare/?{query}")
    assert response.status_code == 200
    assert "Two cycles make a comparison" in response.content.decode()


def test_a_cycle_that_is_not_there_is_told(viewer: Client) -> None:
    foreign = make_cycle(make_engine(team=make_team()))
    one, two = make_cycle(), make_cycle()
    page = viewer.get(f"/cycles/compare/?ids={one.pk},{two.pk},{foreign.pk},x")
    assert [cycle["id"] for cycle in page.context["cycles"]] == [one.pk, two.pk]
    text = page.content.decode()
    assert f"There is no cycle {foreign.pk}, or you may not see it." in text
    assert "&#x27;x&#x27; is no cycle" in text


def test_no_more_than_five_stand_side_by_side(viewer: Client) -> None:
    ids = ",".join(str(make_cycle().pk) for _ in range(6))
    page = viewer.get(f"/cycles/compare/?ids={ids}")
    assert len(page.context["cycles"]) == 5
    assert "the first 5 are shown" in page.content.decode()


def test_what_a_bot_wrote_is_escaped_and_its_shape_not_trusted(viewer: Client) -> None:
    one, two = make_cycle(message="<script>1</script>"), make_cycle()
    make_steps(one)
    result = {"verdict": "<b>", "challenger": {"metrics": [1], "params": {"<i>": {"a": 1}}}}
    one.steps.filter(name="retrain").update(result=result)
    text = viewer.get(f"/cycles/compare/?ids={one.pk},{two.pk}").content.decode()
    assert "&lt;script&gt;" in text
    assert "&lt;i&gt;" in text
    assert "<script>1" not in text


def test_it_can_be_taken_along_as_csv(viewer: Client) -> None:
    one, two = trained(0.9, message="=1+1"), trained(0.95)
    response = viewer.get(f"/cycles/compare.csv?ids={one.pk},{two.pk}")
    lines = list(csv.reader(io.StringIO(response.content.decode())))
    assert lines[0] == ["group", "fact", f"cycle {one.pk}", f"cycle {two.pk}"]
    assert ["Metrics", "accuracy", "0.9", "0.95"] in lines
    assert ["Course", "Message", "'=1+1", NOTHING] in lines
    assert f"compare-{one.pk}-{two.pk}.csv" in response["Content-Disposition"]
