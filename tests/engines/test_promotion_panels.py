"""Words and figures of the pages of promotions, without rows: gaps are said, nothing unseen stays."""

from typing import Any

import pytest
from django.http import QueryDict

from engines.charts import impact_figure
from engines.domain.wording import MINUS
from engines.filters.promotions import PromotionFilter
from engines.forms import PolicyForm
from engines.panels.forecasts import percent, probabilities, risk_of, told
from engines.panels.promotion_page import (
    alarm,
    compared,
    facts,
    flags,
    gain,
    moment,
    rollback_preview,
    text,
)
from engines.panels.promotions import reasons, state_word


class TestEvidence:
    """Frozen JSON in words."""

    def test_a_gain_that_was_not_measured_says_so(self) -> None:
        found = gain({})
        assert (found["gain"], found["significant"], found["state"]) == (
            "not measured",
            "not measured",
            "not_configured",
        )

    @pytest.mark.parametrize(("significant", "state"), [(True, "done"), (False, "failed")])
    def test_significance_is_told_with_its_interval(self, significant: bool, state: str) -> None:
        found = gain({"significant": significant, "roi_gain": -0.5, "low": -1.0, "high": 0.0})
        assert (found["state"], found["sign"], found["interval"]) == (state, "down", f"{MINUS}1 to 0")

    def test_values_only_one_side_has_stay_apart(self) -> None:
        old, new = {"depth": 3, "gone": 1}, {"depth": 4, "fresh": True}
        rows = {row["name"]: row for row in compared(old, new)}
        assert rows["depth"]["change"] == "+1"
        assert (rows["gone"]["new"], rows["fresh"]["new"]) == ("", "yes")
        assert all(row["differs"] for row in rows.values())

    def test_flags_without_a_flagger_are_not_configured(self) -> None:
        assert flags(None)["configured"] is False
        found = flags({"severity": 0.7, "flags": [{"rule": "secret\u202e"}, "x"]})
        assert (found["severity"], found["rows"]) == ("0.70", [{"rule": "secret\\u202e"}])

    @pytest.mark.parametrize(
        ("value", "said"),
        [(None, "not measured"), (True, "yes"), (0.25, "0.25"), ("a\u200bb", "a\\u200bb")],
    )
    def test_values_are_read_aloud(self, value: Any, said: str) -> None:
        assert text(value) == said

    def test_nested_values_are_left_to_the_api(self) -> None:
        assert facts({"p_value": 0.01, "folds": [1, 2], "more": {}}) == [("p value", "0.01")]

    @pytest.mark.parametrize("given", [None, 7, "yesterday", "2026-01-01T00:00:00"])
    def test_what_is_no_moment_with_a_zone_is_none(self, given: Any) -> None:
        assert moment(given) is None

    def test_an_alarm_without_a_text_tells_its_facts(self) -> None:
        assert alarm({"text": "left the band"}) == "left the band"
        assert alarm({"below": 3}) == "below 3"
        assert alarm(None) == ""

    def test_a_preview_names_what_goes(self) -> None:
        change = {"path": "champion.params", "before": {"C": 1}, "after": None}
        found = rollback_preview(
            {"possible": True, "changes": [change], "now_sha256": "a", "then_sha256": "b"}
        )
        assert found["changes"] == [{"path": "champion.params", "now": '{"C":1}', "then": "nothing"}]


class TestReasons:
    """What speaks for it, against it, and what nobody measured."""

    @pytest.mark.parametrize(
        ("row", "state", "word"),
        [
            ({"ok": True, "allows": "promote"}, "done", "speaks for it"),
            ({"ok": None, "allows": "promote"}, "not_configured", "not measured"),
            ({"ok": None, "allows": "hold"}, "late", "not measured"),
            ({"ok": False, "allows": "block"}, "failed", "blocks"),
        ],
    )
    def test_each_has_its_mark(self, row: dict[str, Any], state: str, word: str) -> None:
        (found,) = reasons({"reasons": [{**row, "code": "p_collapse"}]})
        assert (found["state"], found["word"], found["code"]) == (state, word, "collapse")

    @pytest.mark.parametrize("decision", [None, [], {"reasons": 3}, {"reasons": ["x"]}])
    def test_a_damaged_decision_has_none(self, decision: Any) -> None:
        assert reasons(decision) == []

    def test_states_are_words(self) -> None:
        assert (state_word("waiting"), state_word("rolled_back")) == ("waits for a person", "rolled back")


class TestForecasts:
    """Collapse verdicts and probabilities."""

    def test_an_empty_row_claims_nothing(self) -> None:
        found = told({})
        for key in ("risk", "p_collapse", "brittle", "confidence", "growth", "seen", "model"):
            assert found[key] == "not measured"

    def test_the_likeliest_course_comes_first(self) -> None:
        rows = probabilities({"Stable": 0.2, "Volatile": 0.8, "odd": "x", "none": None})
        assert [row["name"] for row in rows] == ["Volatile", "Stable"]
        assert probabilities("x") == []

    def test_low_evidence_is_marked(self) -> None:
        assert risk_of({"risk": "Volatile", "evidence": "low"})["evidence"].startswith("low")
        assert percent(None) == "not measured"


class TestFigure:
    """Boxes and arrows of an impact."""

    @staticmethod
    def drawn(names: str, *ties: str) -> dict[str, Any] | None:
        nodes = [{"name": name, "delta": 0.1, "text": "+0.1", "sign": "up"} for name in names]
        edges = [{"source": tie[0], "target": tie[1]} for tie in ties]
        return impact_figure({"start": names[0], "nodes": nodes, "edges": edges})

    def test_each_stands_behind_what_it_feels(self) -> None:
        figure = self.drawn("abcd", "ab", "bc", "ac")
        assert figure is not None
        places = {box["name"]: box["x"] for box in figure["boxes"]}
        assert places["a"] < places["b"] < places["c"]
        assert places["d"] == places["b"]  # nothing ties it: it feels the change directly
        assert len(figure["arrows"]) == 3

    def test_without_dependants_there_is_none(self) -> None:
        assert self.drawn("a") is None

    def test_a_cycle_in_damaged_rows_ends(self) -> None:
        figure = self.drawn("abc", "ab", "bc", "cb", "ba")
        assert figure is not None
        assert len(figure["boxes"]) == 3


class TestInput:
    """Addresses and forms."""

    def test_the_list_opens_with_what_needs_somebody(self) -> None:
        assert set(PromotionFilter().states) == {"waiting", "held", "blocked", "approved", "applying"}
        assert PromotionFilter(state=("all",)).states == ()
        assert PromotionFilter(alarm=("1",)).states == ()

    def test_a_filter_survives_its_address(self) -> None:
        found = PromotionFilter.parse(QueryDict("state=applied&engine=alpha,beta&kind=model&alarm=1"))
        assert PromotionFilter.parse(QueryDict(found.query())) == found
        assert found.without("alarm", "state").active

    def test_a_policy_keeps_its_limits(self) -> None:
        form = PolicyForm(
            {"mode": "manual", "tau": "1.5", "roi_floor": "-1", "auto_per_day": "0.5", "why": ""}
        )
        assert {"tau", "roi_floor", "auto_per_day", "why"} <= set(form.errors)
