"""What the gate says: counts, signs, plurals and limits in its sentences, and that no name is too long."""

import pytest

from forecasting.domain import gate_words as words
from forecasting.domain.gate import Evidence, Policy, decide


@pytest.mark.parametrize(
    ("word", "against", "unmeasured", "said"),
    [
        ("promote", [], [], "Promote: nothing speaks against it."),
        ("promote", [], ["flags", "age"], "Promote: nothing speaks against it; not measured: flags, age."),
        ("hold", ["Few cycles."], ["age"], "Hold: Few cycles."),
        ("block", ["It loses.", "It is old.", "It harms."], [], "Block: It loses. (and 2 more)"),
        ("block", [], [], "Block"),
    ],
)
def test_a_verdict_is_one_sentence(word: str, against: list[str], unmeasured: list[str], said: str) -> None:
    assert words.verdict(word, against, unmeasured) == said


def test_each_rule_has_words_for_what_was_not_measured() -> None:
    decision = decide(Evidence(), Policy())
    said = {each.code: (each.text, each.what_would_change) for each in decision.reasons}
    assert said == dict(words.MISSING)


@pytest.mark.parametrize(
    ("seen", "first", "full"),
    [(0, "3 cycles", "8 cycles"), (1, "2 cycles", "7 cycles"), (2, "1 cycle", "6 cycles")],
)
def test_missing_cycles_are_counted(seen: int, first: str, full: str) -> None:
    text, change = words.insufficient(seen, 3, 8)
    assert text.endswith(f"{seen} cycle{'' if seen == 1 else 's'} measured, and a verdict takes 3.")
    assert change == f"{first} more for a first verdict, {full} more for a full one."


def test_low_evidence_says_what_it_stands_on() -> None:
    text, change = words.low_evidence(7, 8)
    assert text == "Low evidence: the forecast stands on 7 cycles, and 8 are needed."
    assert change == "1 cycle more."


def test_worth_has_its_sign() -> None:
    assert "worth +12.35 after" in words.gain(12.3456)
    assert "worth -0.5 after" in words.never_pays(-0.5)[0]
    assert "worth +0 after" in words.never_pays(0.0)[0]


def test_events_ahead_are_counted_from_one() -> None:
    assert "cycle 1 ahead brings -1.5, and" in words.sure_loss(0, -1.5, 0.0)[0]
    assert "cycle 3 ahead is projected to bring +0.25, not above 0.5." in words.doubtful(2, 0.25, 0.5)[0]
    assert words.projected(2.0, 5, 0.0) == "The projected ROI of all 5 cycles ahead is +2 or more, above 0."


def test_chances_are_percents_and_confidence_is_not() -> None:
    assert words.likely_collapse(0.254, 0.1)[0].startswith("A collapse has a probability of 25%; the policy")
    assert words.likely_collapse(0.254, 0.1)[0].endswith("bears 10%.")
    assert "is 0.49, under 0.50:" in words.unsure(0.494, 0.5)[0]
    assert "a severity of 0.70; it must be under 0.50." in words.flagged(0.7, 0.5)[0]


def test_names_from_outside_are_cut() -> None:
    long = "x" * 200
    said = (words.unknown_label(long)[0], words.harmed(long, -1.0, -0.1)[0], words.unharmed(2, long, 0.0))
    kept = (40, 80, 80)
    for text, most in zip(said, kept, strict=True):
        assert "x" * most in text
        assert "x" * (most + 1) not in text


def test_dependants_are_one_or_many() -> None:
    assert words.unharmed(1, "beta", 0.5).startswith("1 workflow depends on it; the least gain is beta's")
    assert words.unharmed(2, "beta", -0.01).startswith("2 workflows depend on it;")
    assert words.unharmed(2, "beta", -0.01).endswith("with -0.01.")
    assert "costs beta, which depends on it, -2 (not under -0.1" in words.harmed("beta", -2.0, -0.1)[0]


@pytest.mark.parametrize(
    ("age", "said"),
    [(0.0, "just now."), (0.049, "just now."), (0.06, "0.1 hours old."), (5, "5.0 hours old.")],
)
def test_young_evidence_says_how_young(age: float, said: str) -> None:
    assert words.fresh(age).endswith(said)


def test_old_evidence_names_age_limit_and_all_that_changed() -> None:
    assert words.old(30.4, 24.0)[0] == "The evidence is 30 hours old; after 24 hours it doesn't count."
    assert (
        words.stale(["a new cycle", "a new policy"])[0] == "The evidence is stale: a new cycle; a new policy."
    )
    assert words.failed_tests(2)[0] == "2 of its self-tests failed."
