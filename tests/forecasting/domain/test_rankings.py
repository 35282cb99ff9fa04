"""Rankings of modules, and when their changes count as spent."""

import json
import math

import pytest

from forecasting.domain.rankings import (
    CEILING,
    DIMINISHING,
    Limits,
    Mark,
    ModuleSample,
    _SandboxMetaLogger,
    judge,
    log_lines,
)


def sample(
    roi: float | None = None, entropy: float | None = None, synergy: float | None = None
) -> ModuleSample:
    return ModuleSample(roi=roi, entropy=entropy, synergy=synergy)


def logged(module: list[ModuleSample], *, roi: float = 1.0) -> _SandboxMetaLogger:
    """Return a log of cycles that each brought `roi` and changed one module."""
    log = _SandboxMetaLogger()
    for each in module:
        log.log_cycle(roi, {"a.py": each})
    return log


def test_modules_rank_by_the_roi_they_brought_and_the_unmeasured_have_no_rank() -> None:
    log = _SandboxMetaLogger()
    log.log_cycle(1.0, {"a.py": sample(0.5), "b.py": sample(2.0), "c.py": sample()})
    log.log_cycle(1.0, {"a.py": sample(2.0), "b.py": sample(-1.0)})
    assert log.rankings() == [("a.py", 2.5), ("b.py", 1.0)]


def test_a_cycles_roi_is_not_shared_out_among_its_modules() -> None:
    log = _SandboxMetaLogger()
    log.log_cycle(9.0, {"a.py": sample(), "b.py": sample(entropy=0.1)})
    assert log.rankings() == []


def test_steady_gains_at_a_flat_entropy_are_not_diminishing() -> None:
    log = logged([sample(1.0, 0.0)] * 12)
    assert log.diminishing() == log.diminishing(0.5) == log.ceiling() == []
    assert log.complete == {}


def test_gains_that_vanish_are_diminishing_after_a_full_streak() -> None:
    log = logged([sample(1.0), sample(0.001), sample(0.001)])
    assert log.diminishing() == []
    assert set(log.log_cycle(1.0, {"a.py": sample(0.0)})) == {"a.py"}
    assert log.diminishing() == ["a.py"]
    assert log.log_cycle(1.0, {"a.py": sample(0.0)}) == {}


def test_swings_around_nothing_are_not_flat() -> None:
    assert logged([sample(5.0), sample(-5.0)] * 4).diminishing() == []


def test_a_module_that_still_works_with_others_is_not_spent() -> None:
    flat = sample(0.0, synergy=0.5)
    assert judge([flat] * 3, Limits(), scale=1.0) is None
    assert judge([sample(0.0, synergy=0.0)] * 3, Limits(), scale=1.0) is not None


def test_complexity_without_returns_hits_the_ceiling() -> None:
    log = logged([sample(-0.1, 0.5)] * 5)
    assert log.ceiling() == ["a.py"]
    assert log.complete["a.py"].kind == DIMINISHING  # the shorter streak was full before
    mark = judge([sample(1.0, 0.5), *[sample(0.0, 0.5)] * 2, sample(0.011, 1.0), sample(0.0, 0.5)] * 1,
                 Limits(entropy=1.0), scale=1.0)  # fmt: skip
    assert mark is not None
    assert mark.kind == CEILING


@pytest.mark.parametrize("scale", [None, 0.0])
def test_nothing_is_judged_without_knowing_what_a_cycle_brings(scale: float | None) -> None:
    assert judge([sample(0.0, 0.0)] * 9, Limits(), scale=scale) is None


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_the_currency_changes_nothing(unit: float) -> None:
    spent, paying = (
        [sample(gain * unit) for gain in gains] for gains in ((1.0, 0.001, 0.0, 0.002), (1.0, 0.5, 0.3))
    )
    assert logged(spent, roi=unit).diminishing() == ["a.py"]
    assert logged(paying, roi=unit).diminishing() == []


def test_a_reopened_module_needs_a_new_streak() -> None:
    log = logged([sample(0.0)] * 3)
    assert log.reopen("a.py")
    assert not log.reopen("a.py")
    assert log.log_cycle(1.0, {"a.py": sample(0.0)}) == {}
    assert log.rankings() == [("a.py", 0.0)]


def test_json_brings_back_everything() -> None:
    log = logged([sample(0.0, 0.1)] * 4)
    again = _SandboxMetaLogger.from_dict(json.loads(json.dumps(log.to_dict())))
    assert again.to_dict() == log.to_dict()
    assert again.diminishing() == log.diminishing() == ["a.py"]


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError):
        _SandboxMetaLogger().log_cycle(1.0, {"a.py": sample(math.nan)})


def test_the_log_has_a_line_for_each_kind_with_the_modules_and_why() -> None:
    marks = {"b.py": Mark(DIMINISHING, "flat"), "a.py": Mark(DIMINISHING, "flat"), "c.py": Mark(CEILING, "x")}
    assert log_lines(marks) == [
        "modules hitting entropy ceiling: c.py (x)",
        "sandbox diminishing: a.py (flat), b.py (flat)",
    ]
