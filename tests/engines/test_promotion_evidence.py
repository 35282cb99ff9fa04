"""The decision page over frozen evidence of any shape: it never fails, and no gap becomes a number."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.errors import InvalidInput
from engines.domain.promotion import digest
from engines.domain.promotion_policy import PromotionPolicy
from engines.domain.wording import MINUS, NOT_MEASURED
from engines.filters.promotions import PromotionFilter
from engines.models import Engine, Promotion
from engines.panels.forecasts import model_page, risk_of, told, told_steps
from engines.panels.promotion_page import (
    MAX_FACTS,
    compared,
    curve,
    decision_page,
    ended,
    facts,
    flags,
    forecast,
    gain,
    rollback_preview,
)
from engines.panels.promotions import MAX_REASONS, candidate, promotion_row, reasons
from forecasting.panels.outcomes import is_number, numbers

HUGE = 10**400
"""A whole number of JSON that no float can hold."""
MARKUP = "<script>alert(1)</script>\u202e"
SHOWN = "<script>alert(1)</script>\\u202e"
"""The template escapes markup; what is unseen the panel shows."""
ODD: tuple[Any, ...] = (None, True, 3, HUGE, -HUGE, 1e308, "", MARKUP, [], [None, HUGE], {}, {"a": {"b": []}})
PARTS = ("gain", "flags", "self_tests", "candidate", "live", "history", "at", "commit", "forecast", "impact")
JSON = st.recursive(
    st.sampled_from([None, True, 0, HUGE, -1e308, MARKUP, "gain", 0.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def unsaved(evidence: Any, **fields: Any) -> Promotion:
    """Return a promotion that no database holds; what has no forecast reads no row."""
    given: dict[str, Any] = {
        "kind": "model",
        "state": "held",
        "verdict": "hold",
        "decision": {},
        "policy": {},
    }
    return Promotion(
        pk=7, engine=Engine(pk=3, name="alpha"), subject="alpha", evidence=evidence, **{**given, **fields}
    )


def texts(value: Any) -> list[str]:
    """Return every text in a page's mapping."""
    if isinstance(value, Mapping):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


class TestPage:
    """Everything that was frozen, whatever it became."""

    @pytest.mark.parametrize("kind", ["model", "workflow"])
    @pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:12])
    def test_each_part_may_be_anything(self, odd: Any, kind: str) -> None:
        for evidence in (odd, dict.fromkeys(set(PARTS) - {"forecast"}, odd)):
            page = decision_page(
                unsaved(evidence, kind=kind, decision=odd, policy=odd, alarm=odd, state="applied")
            )
            assert json.dumps(page, default=str)
            assert not any("\u202e" in text for text in texts(page))
            assert page["gain"]["gain"] == page["gain"]["cost"] == page["flags"]["severity"] == NOT_MEASURED
            assert page["diff"]["kind"] == kind

    @settings(max_examples=30, deadline=None)
    @given(st.dictionaries(st.sampled_from(PARTS[:5]), JSON), JSON)
    def test_no_document_breaks_it(self, evidence: dict[str, Any], decision: Any) -> None:
        page = decision_page(unsaved(evidence, decision=decision))

        assert json.dumps(page, default=str)
        assert page["engine"] == "alpha"

    def test_without_a_forecast_there_is_none_and_the_history_stays(self) -> None:
        promotion = unsaved({"history": [0.5, None, HUGE, "x", 0.25]})

        assert forecast(promotion) is None
        drawn = curve(promotion)
        assert [row["position"] for row in drawn["history"]] == [-4, -3, -2, -1, 0]
        assert [row["value"] for row in drawn["history"]] == [0.5, None, None, None, 0.25]
        assert (drawn["steps"], drawn["subject"]) == ([], "alpha")

    @pytest.mark.django_db
    def test_bands_that_are_missing_stay_gaps_beside_the_mean(self) -> None:
        frozen = {
            "subject": MARKUP,
            "mean": [0.5, None, HUGE],
            "lower80": [0.1],
            "upper80": "x",
            "at": "then",
        }
        promotion = unsaved({"forecast": frozen})
        card = forecast(promotion)

        assert card is not None
        assert [step["mean"] for step in card["steps"]] == ["+0.5", NOT_MEASURED, NOT_MEASURED]
        assert {step["band80"] for step in card["steps"]} == {NOT_MEASURED}
        assert {(step["actual"], step["inside"]) for step in card["steps"]} == {("", "")}
        assert (card["subject"], card["at"], curve(promotion)["subject"]) == (SHOWN, None, SHOWN)


class TestParts:
    """The parts of the page by themselves."""

    @pytest.mark.parametrize("odd", [None, True, "0.5", HUGE, [], {}, float("nan")])
    def test_a_gain_of_no_number_is_a_gap_and_has_no_direction(self, odd: Any) -> None:
        names = ("roi_gain", "low", "high", "value", "cost", "before", "after")
        found = gain(dict.fromkeys(names, odd))

        assert [found[name] for name in ("gain", "value", "cost", "before", "after")] == [NOT_MEASURED] * 5
        assert (found["sign"], found["interval"]) == ("", "")

    def test_a_measured_zero_is_a_zero(self) -> None:
        found = gain({"roi_gain": 0, "low": -0.5, "high": 0.5})
        assert (found["gain"], found["sign"], found["interval"]) == ("0", "", f"{MINUS}0.5 to +0.5")

    @pytest.mark.parametrize("odd", [None, 1, "true", 0, []])
    def test_what_is_no_verdict_of_a_test_is_not_measured(self, odd: Any) -> None:
        assert gain({"significant": odd})["significant"] == NOT_MEASURED

    def test_changes_are_told_of_numbers_alone(self) -> None:
        rows = compared({"C": 1, "solver": "a", "depth": HUGE}, {"C": 3, "solver": MARKUP, "depth": 1})
        assert [row["change"] for row in rows] == ["+2", "", ""]
        assert rows[1]["new"] == SHOWN

    def test_long_lists_are_cut(self) -> None:
        many = {f"n{number}": number for number in range(MAX_FACTS + 5)}
        assert len(compared(many, {})) == len(facts(many)) == MAX_FACTS
        assert len(flags({"severity": 1, "flags": [{"rule": "a"}] * 99})["rows"]) == MAX_FACTS
        assert len(reasons({"reasons": [{"code": "a"}] * 99})) == MAX_REASONS

    def test_a_preview_counts_what_it_leaves_out(self) -> None:
        change = {"path": MARKUP, "before": "", "after": [MARKUP]}
        found = rollback_preview(
            {"possible": False, "changes": [change] * (MAX_FACTS + 2), "now_sha256": "", "then_sha256": ""}
        )
        assert (len(found["changes"]), found["more"]) == (MAX_FACTS, 2)
        assert found["changes"][0] == {"path": SHOWN, "now": "nothing", "then": f'["{SHOWN}"]'}

    def test_a_reason_from_a_damaged_row_speaks_for_nothing(self) -> None:
        (found,) = reasons({"reasons": [{"ok": 1, "allows": MARKUP, "text": MARKUP}]})
        assert (found["ok"], found["allows"], found["word"]) == (None, SHOWN, NOT_MEASURED)
        assert (found["state"], found["text"]) == ("late", SHOWN)

    def test_what_happened_is_told_in_order_with_who_and_why(self) -> None:
        noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        said = {"decided_label": MARKUP, "decided_at": noon, "reason": "too thin", "state": "rejected"}
        rows = ended(unsaved({}, created_at=noon, **said))

        assert [(row["what"], row["who"], row["why"]) for row in rows] == [
            ("opened", "the schedule", ""),
            ("rejected", SHOWN, "too thin"),
        ]

    def test_a_candidate_that_is_gone_is_named_by_its_kind(self) -> None:
        row = promotion_row(unsaved({}, decision={"reasons": [{"allows": "hold", "text": "thin"}] * 3}))

        assert candidate(unsaved({}, kind="workflow")) == "workflow"
        assert (row["candidate"], row["why"], row["more"]) == ("model", "thin", 2)
        assert (row["open"], row["moving"], row["word"]) == (True, False, "held")


class TestForecasts:
    """A forecast in words, from a row or from frozen evidence."""

    @pytest.mark.parametrize("odd", [HUGE, MARKUP, [], {}, True, float("inf")])
    def test_no_figure_is_made_of_what_is_none(self, odd: Any) -> None:
        found = told(dict.fromkeys(("seen", "confidence", "p_collapse", "collapse_in"), odd))

        assert [found[name] for name in ("seen", "confidence", "p_collapse")] == [NOT_MEASURED] * 3
        assert found["collapse_in"] is None

    @pytest.mark.parametrize(
        ("brittle", "said"),
        [
            (True, "brittle"),
            (False, "not brittle"),
            (None, NOT_MEASURED),
            ("no", NOT_MEASURED),
            ([], NOT_MEASURED),
        ],
    )
    def test_brittleness_is_told_where_it_was_measured(self, brittle: Any, said: str) -> None:
        found = risk_of({"brittle": brittle})
        assert (found["brittle"], found["is_brittle"]) == (said, brittle is True)

    @pytest.mark.parametrize(
        ("came", "inside"), [(0.5, "inside"), (1.0, "inside"), (1.5, "outside"), (None, "")]
    )
    def test_what_came_is_held_against_the_band(self, came: float | None, inside: str) -> None:
        bands = {"lower80": 0.0, "upper80": 1.0, "lower95": None, "upper95": 2.0}
        (step,) = told_steps([{"position": 1, "mean": 0.5, "actual": came, **bands}])
        assert (step["inside"], step["band80"], step["band95"]) == (inside, "0 to +1", NOT_MEASURED)

    def test_a_model_card_shows_what_is_unseen_and_its_gaps(self) -> None:
        scores = {"first": 0.5, "mase": None, "crps": 0.25, "inside80": 0.801, "inside95": None}
        row = {"recipe": MARKUP, "used": True, "cases": 1234, **scores}
        words = dict.fromkeys(("name", "digest", "recipe", "parent", "at", "made_by"), MARKUP)
        counts = {
            "series": 1000,
            "points": 0,
            "rows": 5,
            "families": {"b": 2, "a": 1},
            "fields": {"a_b": -0.5},
        }
        page = model_page({**words, **counts, "state": "live", "backtest": [row]})

        assert {page[name] for name in words} == {SHOWN}
        assert (page["series"], page["families"]) == ("1,000", [("a", "1"), ("b", "2")])
        assert page["fields"] == [("a b", f"{MINUS}0.5")]
        assert page["backtest"][0]["scores"] == ["0.5", NOT_MEASURED, "0.25", "80.1%", NOT_MEASURED]


class TestNumbers:
    """What counts as a number of JSON, and what a policy takes."""

    @pytest.mark.parametrize("odd", [True, None, "1", HUGE, -HUGE, float("nan"), float("-inf")])
    def test_these_are_no_numbers(self, odd: Any) -> None:
        assert not is_number(odd)
        assert numbers([odd, 1]) == [None, 1.0]

    @pytest.mark.parametrize("name", ["tau", "roi_floor", "impact_floor", "auto_per_day"])
    @pytest.mark.parametrize("odd", [HUGE, -HUGE, float("nan"), float("inf"), [], None])
    def test_a_knob_of_no_such_size_is_refused_by_name(self, name: str, odd: Any) -> None:
        with pytest.raises(InvalidInput, match="lies between") as caught:
            PromotionPolicy().changed({name: odd})
        assert caught.value.field == name

    def test_knobs_reach_the_gate(self) -> None:
        asked = {"tau": 0.25, "max_p_collapse": 0.125, "roi_floor": 2.0, "evidence_hours": 5.0}
        policy = PromotionPolicy().changed({**asked, "require_impact": True})
        knobs = policy.knobs(flag_warning=0.1, flag_failure=0.2)

        assert {name: getattr(knobs, name) for name in asked} == asked
        assert (knobs.required, knobs.flag_warning, knobs.flag_failure) == (("impact",), 0.1, 0.2)
        assert set(policy.as_data()) == set(PromotionPolicy.names())
        assert digest(policy.as_data()) != digest(PromotionPolicy().as_data())


@pytest.mark.parametrize("query", ["state=nope", "kind=engine", "verdict=yes", "alarm=2"])
def test_a_filter_names_what_it_refused_and_filters_nothing(query: str) -> None:
    found = PromotionFilter.parse(QueryDict(query))

    assert list(found.errors) == [query.partition("=")[0]]
    assert not found.active
    assert found.query(page="2") == "page=2"
