"""Acts on many cycles."""

import pytest
from django.test import Client

from engines.models import Cycle, Engine
from engines.views import bulk
from menace_site.models import AuditEntry
from tests.factories import make_cycle, make_engine, make_team


def states(cycles: list[Cycle]) -> list[str]:
    return [Cycle.objects.get(pk=cycle.pk).state for cycle in cycles]


def queued(count: int, engine: Engine) -> list[Cycle]:
    return [make_cycle(engine, state="queued") for _ in range(count)]


class TestTicked:
    """The rows that somebody ticked."""

    def test_it_acts_on_the_ticked_ones(self, operator: Client) -> None:
        cycles = queued(3, make_engine())
        operator.post("/cycles/bulk/cancel/", {"id": [cycles[0].pk, cycles[1].pk]})
        assert states(cycles) == ["cancelled", "cancelled", "queued"]

    def test_it_tells_how_many_were_left_alone(self, operator: Client) -> None:
        done, waiting = make_cycle(state="done"), make_cycle(state="queued")
        response = operator.post("/cycles/bulk/pause/", {"id": [done.pk, waiting.pk]}, follow=True)
        text = response.content.decode()
        assert "1 cycle paused" in text
        assert "1 left alone" in text

    def test_a_foreign_cycle_is_not_touched(self, operator: Client) -> None:
        foreign = make_cycle(make_engine(team=make_team()), state="queued")
        operator.post("/cycles/bulk/cancel/", {"id": foreign.pk})
        assert states([foreign]) == ["queued"]

    def test_a_viewer_may_not(self, viewer: Client) -> None:
        assert viewer.post("/cycles/bulk/cancel/", {"id": make_cycle(state="queued").pk}).status_code == 403

    def test_getting_it_is_refused(self, operator: Client) -> None:
        assert operator.get("/cycles/bulk/cancel/").status_code == 405


class TestAllThatMatch:
    """All rows that a filter lets through: counted first, then taken in batches."""

    def test_first_it_only_says_what_would_happen(self, operator: Client) -> None:
        alpha = make_engine("alpha")
        cycles = queued(3, alpha)
        make_cycle(alpha, state="done")
        response = operator.post("/cycles/bulk/cancel/?engine=alpha", {"all": "1"})
        assert states(cycles) == ["queued"] * 3
        assert str(response.context["total"]) == "3"
        assert "Cancel 3 cycles" in response.content.decode()

    def test_a_yes_takes_all_that_match_and_nothing_else(self, operator: Client) -> None:
        alpha, beta = make_engine("alpha"), make_engine("beta")
        mine, other = queued(3, alpha), queued(1, beta)
        top = mine[-1].pk
        operator.post("/cycles/bulk/cancel/?engine=alpha", {"all": "1", "top": top, "total": "3"})
        assert states(mine + other) == ["cancelled"] * 3 + ["queued"]

    def test_what_came_after_the_question_is_left_alone(self, operator: Client) -> None:
        before, after = queued(2, make_engine())
        operator.post("/cycles/bulk/cancel/", {"all": "1", "top": before.pk, "total": "1"})
        assert states([before, after]) == ["cancelled", "queued"]

    def test_many_are_taken_batch_by_batch_to_the_last(
        self, operator: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bulk, "BATCH", 2)
        cycles = queued(5, make_engine())
        data = {"all": "1", "top": cycles[-1].pk, "total": "5"}
        response = operator.post("/cycles/bulk/cancel/", data)
        seen = [states(cycles).count("cancelled")]
        while response.status_code == 200:
            response = operator.post("/cycles/bulk/cancel/", {"all": "1", **response.context["state"]})
            seen.append(states(cycles).count("cancelled"))
        assert seen == [2, 4, 5]
        assert "5 cycles cancelled" in operator.get(response["Location"]).content.decode()

    def test_the_page_fetches_the_next_batch_by_itself(
        self, operator: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bulk, "BATCH", 2)
        cycles = queued(3, make_engine())
        data = {"all": "1", "top": cycles[-1].pk, "total": "3"}
        part = operator.post("/cycles/bulk/pause/?trigger=manual", data, headers={"HX-Request": "true"})
        assert 'hx-post="/cycles/bulk/pause/?trigger=manual"' in part.content.decode()
        assert "<html" not in part.content.decode()
        more = {"all": "1", **part.context["state"]}
        last = operator.post("/cycles/bulk/pause/?trigger=manual", more, headers={"HX-Request": "true"})
        assert last["HX-Redirect"] == "/cycles/?trigger=manual"

    def test_each_cycle_and_the_whole_are_written_down_once(
        self, operator: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bulk, "BATCH", 2)
        cycles = queued(3, make_engine())
        data = {"all": "1", "top": cycles[-1].pk, "total": "3"}
        first = operator.post("/cycles/bulk/cancel/?trigger=manual", data)
        operator.post("/cycles/bulk/cancel/?trigger=manual", {"all": "1", **first.context["state"]})
        assert AuditEntry.objects.filter(verb="cycle.cancel").count() == 3
        (whole,) = AuditEntry.objects.filter(verb="cycles.cancel")
        assert whole.detail == {"act": "cancel", "filter": "trigger=manual", "cycles": "3"}

    def test_nothing_that_fits_is_said(self, operator: Client) -> None:
        make_cycle(state="done")
        text = operator.post("/cycles/bulk/resume/", {"all": "1"}).content.decode()
        assert "Nothing to resume" in text

    def test_a_filter_with_a_mistake_acts_on_nothing(self, operator: Client) -> None:
        make_cycle(state="queued")
        text = operator.post("/cycles/bulk/cancel/?state=quued", {"all": "1"}).content.decode()
        assert "The filter has a mistake" in text

    def test_a_mistake_in_the_filter_stops_a_yes_as_well(self, operator: Client) -> None:
        cycle = make_cycle(state="queued")
        operator.post("/cycles/bulk/cancel/?state=quued", {"all": "1", "top": cycle.pk, "total": "1"})
        assert states([cycle]) == ["queued"]

    @pytest.mark.parametrize("field", ["top", "after", "done", "refused"])
    def test_rubbish_in_its_state_does_nothing_bad(self, operator: Client, field: str) -> None:
        cycle = make_cycle(state="done")
        data = {"all": "1", "top": cycle.pk, "total": "1", field: "-1e9\0x"}
        assert operator.post("/cycles/bulk/cancel/", data).status_code in (200, 302)

    def test_foreign_cycles_are_not_touched(self, operator: Client) -> None:
        foreign = make_cycle(make_engine(team=make_team()), state="queued")
        operator.post("/cycles/bulk/cancel/", {"all": "1", "top": foreign.pk, "total": "1"})
        assert states([foreign]) == ["queued"]
