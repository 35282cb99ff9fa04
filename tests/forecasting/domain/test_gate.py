"""The gate: each rule, and that worse or missing evidence never gets a better verdict."""

import math
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.gate import OPTIONAL, RULES, STRICTNESS, Decision, Evidence, Policy, decide

GOOD = Evidence(
    significant=True,
    gain=5.0,
    cycles=20,
    risk="Stable",
    brittle=False,
    p_collapse=0.05,
    mean=(5.0, 5.0, 5.0),
    upper80=(6.0, 6.0, 6.0),
    confidence=0.9,
    impact={"other": 0.1},
    changes_code=True,
    flags=0.0,
    tests_passed=3,
    tests_failed=0,
    age_hours=1.0,
)
POLICY = Policy()


def told(policy: Policy = POLICY, **changes: Any) -> Decision:
    return decide(replace(GOOD, **changes), policy)


def reason(code: str, decision: Decision) -> Any:
    return next(each for each in decision.reasons if each.code == code)


def test_good_evidence_is_promoted_with_a_reason_for_each_rule() -> None:
    decision = told()

    assert decision.verdict == "promote"
    assert len({each.code for each in decision.reasons}) == len(RULES)
    assert all(each.ok and each.text and not each.what_would_change for each in decision.reasons)
    assert decision.against == ()
    assert decision.unmeasured == ()


def test_nothing_known_is_never_promoted() -> None:
    decision = decide(Evidence(), POLICY)

    assert decision.verdict == "hold"
    assert len(decision.unmeasured) == len(RULES)
    assert all(each.what_would_change for each in decision.reasons)


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("gain", {"significant": False}, "block"),
    ("gain", {"gain": 0.0}, "block"),
    ("gain", {"gain": -3.0}, "block"),
    ("gain", {"gain": math.nan}, "block"),
    ("gain", {"significant": None}, "hold"),
    ("history", {"cycles": 2}, "hold"),
    ("history", {"cycles": 3}, "hold"),
    ("history", {"cycles": 7}, "hold"),
    ("history", {"cycles": 8}, "promote"),
    ("risk", {"risk": "Slow decay"}, "promote"),
    ("risk", {"risk": "Insufficient data"}, "hold"),
    ("risk", {"risk": ""}, "hold"),
    ("risk", {"risk": "Volatile"}, "block"),
    ("risk", {"risk": "Immediate collapse risk"}, "block"),
    ("risk", {"risk": "stable"}, "block"),
    ("brittle", {"brittle": True}, "block"),
    ("brittle", {"brittle": None}, "hold"),
    ("brittle", {"brittle": None, "changes_code": False}, "promote"),
    ("brittle", {"brittle": True, "changes_code": False}, "block"),
    ("p_collapse", {"p_collapse": 0.25}, "promote"),
    ("p_collapse", {"p_collapse": 0.26}, "block"),
    ("p_collapse", {"p_collapse": math.nan}, "hold"),
    ("p_collapse", {"p_collapse": -1.0}, "hold"),
    ("projection", {"mean": (5.0, 5.0, -0.1)}, "hold"),
    ("projection", {"mean": (-3.0,) * 3, "upper80": (-3.0,) * 3}, "block"),
    ("projection", {"mean": (0.0,) * 3, "upper80": (0.0,) * 3}, "block"),
    ("projection", {"mean": (0.0,) * 3}, "hold"),
    ("projection", {"mean": (5.0, math.nan, 5.0)}, "hold"),
    ("projection", {"upper80": ()}, "hold"),
    ("confidence", {"confidence": 0.49}, "hold"),
    ("confidence", {"confidence": 0.5}, "promote"),
    ("impact", {"impact": {}}, "promote"),
    ("impact", {"impact": {"a": 1.0, "b": -0.1}}, "block"),
    ("impact", {"impact": {"a": math.nan}}, "block"),
    ("flags", {"flags": 0.5}, "hold"),
    ("flags", {"flags": 0.9}, "block"),
    ("self_tests", {"tests_failed": 1}, "block"),
    ("self_tests", {"tests_passed": 0}, "hold"),
    ("self_tests", {"tests_passed": None}, "hold"),
    ("freshness", {"age_hours": 73.0}, "hold"),
    ("freshness", {"age_hours": math.nan}, "hold"),
    ("freshness", {"stale": ("the bot has a new commit",)}, "hold"),
]


@pytest.mark.parametrize(("code", "changes", "allows"), CASES)
def test_each_rule(code: str, changes: dict[str, Any], allows: str) -> None:
    decision = told(**changes)

    assert decision.verdict == reason(code, decision).allows == allows
    assert [each.code for each in decision.against] == ([] if allows == "promote" else [code])
    assert bool(reason(code, decision).what_would_change) == (allows != "promote")


def test_entropy_that_nobody_measured_does_not_speak_for_a_model() -> None:
    decision = told(brittle=None, changes_code=False)

    assert (decision.verdict, reason("brittle", decision).ok) == ("promote", None)
    assert "brittle" in decision.unmeasured


def test_too_few_cycles_say_how_many_are_missing() -> None:
    assert "Insufficient data" in reason("history", told(cycles=1)).text
    assert reason("history", told(cycles=1)).what_would_change.startswith("2 cycles more for a first verdict")
    assert reason("history", told(cycles=7)).what_would_change == "1 cycle more."


def test_a_constant_loser_is_never_promoted() -> None:
    for level in (-3.0, -0.5, -1e-9, 0.0):
        for width in (0.0, 1.0):
            verdict = told(mean=(level,) * 5, upper80=(level + width,) * 5).verdict
            assert verdict == ("hold" if level + width > 0 else "block")


def test_what_may_be_missing_is_said_and_holds_when_the_policy_requires_it() -> None:
    for name in OPTIONAL:
        missing: dict[str, Any] = {name: None}
        decision = told(**missing)
        assert (decision.verdict, decision.unmeasured) == ("promote", (name,))
        assert "not" in reason(name, decision).text
        assert decision.text == f"Promote: nothing speaks against it; not measured: {name}."
        assert told(Policy(required=(name,)), **missing).verdict == "hold"


def test_without_new_code_there_is_nothing_to_flag_or_test() -> None:
    decision = told(changes_code=False, flags=None, tests_passed=None, tests_failed=None)

    assert (decision.verdict, decision.unmeasured) == ("promote", ())
    assert told(changes_code=False, flags=0.95, tests_passed=None).verdict == "block"


def test_the_verdict_does_not_depend_on_the_unit_of_the_roi() -> None:
    for mean in ((5.0,) * 3, (5.0, 5.0, -0.1), (-3.0,) * 3):
        upper = tuple(each + 1 for each in mean)
        scaled = tuple(1000 * each for each in mean), tuple(1000 * each for each in upper)
        assert told(mean=mean, upper80=upper).verdict == told(mean=scaled[0], upper80=scaled[1]).verdict


def test_the_sentence_names_the_strictest_reason_first() -> None:
    text = told(risk="Volatile", confidence=0.1).text

    assert text.startswith("Block: The forecast is “Volatile”")
    assert text.endswith("(and 1 more)")


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


share = st.floats(0, 1)
roi = st.floats(-10, 10)
LABELS = ("Stable", "Slow decay", "Volatile", "Immediate collapse risk")
evidences = st.builds(
    Evidence,
    significant=maybe(st.booleans()),
    gain=maybe(roi),
    cycles=maybe(st.integers(0, 20)),
    risk=maybe(st.sampled_from(LABELS)),
    brittle=maybe(st.booleans()),
    p_collapse=maybe(share),
    mean=st.just((5.0, 5.0)) | st.tuples(roi, roi),
    upper80=st.just((6.0, 6.0)) | st.tuples(roi, roi),
    confidence=maybe(share),
    impact=maybe(st.dictionaries(st.sampled_from("ab"), roi)),
    flags=maybe(share),
    tests_passed=maybe(st.integers(0, 3)),
    tests_failed=maybe(st.integers(0, 2)),
    age_hours=maybe(st.floats(0, 200)),
)
less = st.floats(0, 20)


def worsened(evidence: Evidence, name: str, by: float) -> Evidence:
    """Make one measured piece of evidence worse, by an amount."""
    value = getattr(evidence, name)
    if value is None or name == "changes_code":
        return evidence
    worse: dict[str, Any] = {
        "significant": False,
        "brittle": True,
        "stale": (*evidence.stale, "something"),
        "mean": tuple(each - by for each in evidence.mean),
        "upper80": tuple(each - by for each in evidence.upper80),
        "impact": {**(evidence.impact or {}), "worst": -by},
        "risk": LABELS[min(3, LABELS.index(value) + 1)] if name == "risk" else None,
    }
    if name in worse:
        return replace(evidence, **{name: worse[name]})
    up = name in ("p_collapse", "flags", "tests_failed", "age_hours")
    moved = value + by if up else value - by
    bounds = {"p_collapse": 1.0, "flags": 1.0, "confidence": 1.0}
    kept = max(0.0, min(bounds.get(name, 1e9), moved)) if name != "gain" else moved
    return replace(evidence, **{name: type(value)(kept)})


@settings(max_examples=50, deadline=None)
@given(evidences, st.sampled_from([field.name for field in fields(Evidence)]), less)
def test_worse_evidence_never_gets_a_better_verdict(evidence: Evidence, name: str, by: float) -> None:
    before, after = decide(evidence, POLICY), decide(worsened(evidence, name, by), POLICY)

    assert STRICTNESS[after.verdict] >= STRICTNESS[before.verdict], (before.text, after.text)


@settings(max_examples=50, deadline=None)
@given(evidences, st.sampled_from([f.name for f in fields(Evidence) if f.name != "changes_code"]))
def test_taking_evidence_away_never_makes_a_promotion_but_where_it_may_be_missing(
    evidence: Evidence, name: str
) -> None:
    empty: Any = () if name in ("mean", "upper80", "stale") else None
    required = Policy(required=OPTIONAL)

    if name != "stale" and decide(evidence, required).verdict != "promote":
        assert decide(replace(evidence, **{name: empty}), required).verdict != "promote"


@settings(max_examples=30, deadline=None)
@given(evidences, share, share, st.floats(0, 5))
def test_a_stricter_policy_never_gives_a_better_verdict(
    evidence: Evidence, tau: float, bears: float, floor: float
) -> None:
    strict = Policy(tau=max(tau, 0.5), max_p_collapse=min(bears, 0.25), roi_floor=floor, required=OPTIONAL)

    assert STRICTNESS[decide(evidence, strict).verdict] >= STRICTNESS[decide(evidence, POLICY).verdict]


def test_a_decision_is_plain_data() -> None:
    data = told(confidence=0.2).as_data()

    assert data["verdict"] == "hold"
    assert {"code", "ok", "text", "what_would_change", "allows"} == set(data["reasons"][0])
