"""The search: better than what is deployed, within its budget, the same for the same seed."""

import itertools
import random
from collections.abc import Callable
from statistics import fmean
from typing import Any

import pytest

from engines.domain.errors import InvalidInput
from engines.domain.results import Budget
from engines.domain.search import SearchResult, Trial, search
from engines.domain.search_cost import Costs
from engines.domain.search_space import Params

SPACE = {
    "kind": (
        "choice",
        {
            "a": {"x": ("float", -1.0, 1.0), "size": ("int", 1, 100, "log")},
            "b": {"x": ("float", 0.01, 10, "log")},
        },
    )
}
START: Params = {"kind": "b", "x": 5.0}


def score(params: Params, fold: int) -> float:
    """Return the height of a hill in each branch; folds differ alike for all."""
    x = float(params["x"] or 0)
    top = 1.0 - (x - 0.3) ** 2 if params["kind"] == "a" else 0.8 - 0.1 * abs(x - 2.0)
    return top + 0.05 * fold


class Clock:
    """CPU time that passes only while something is evaluated, with seeded jitter."""

    def __init__(self, jitter: float = 0.0, seed: int = 0) -> None:
        self.now, self.jitter, self.rng = 0.0, jitter, random.Random(seed)

    def __call__(self) -> float:
        self.now += self.jitter * self.rng.random()
        return self.now

    def charging(self, cost: Callable[[Params], float]) -> Callable[[Params, int], float]:
        def evaluate(params: Params, fold: int) -> float:
            self.now += cost(params)
            return score(params, fold)

        return evaluate


def run(**changes: Any) -> SearchResult:
    settings: dict[str, Any] = {
        "evaluate": score,
        "budget": Budget(cpu_seconds=1e6, trials=25),
        "seed": 3,
        "folds": 3,
        "incumbent": START,
        "space": SPACE,
    } | changes
    return search(settings.pop("space"), settings.pop("evaluate"), **settings)


def comparable(result: SearchResult) -> list[tuple[Any, ...]]:
    return [(dict(trial.params), trial.fold_scores, trial.state) for trial in result.trials]


def test_finds_the_better_hill_and_keeps_what_it_saw() -> None:
    found = run()
    assert found.stopped_by == "trials"
    assert len(found.trials) == 25
    assert dict(found.trials[0].params) == START
    assert found.incumbent_fold_scores == tuple(score(START, fold) for fold in range(3))
    assert found.best["kind"] == "a"
    assert found.best_score > 1.0
    assert found.best_score == max(t.score or 0 for t in found.trials if t.state == "complete")
    assert found.best_fold_scores == tuple(score(dict(found.best), fold) for fold in range(3))


def test_beats_random_search_with_as_many_folds() -> None:
    gains = []
    for seed in range(6):
        found, rng = run(seed=seed), random.Random(seed)
        folds = sum(len(trial.fold_scores) for trial in found.trials)
        tries = [
            ("a", rng.uniform(-1, 1)) if rng.random() < 0.5 else ("b", 10 ** rng.uniform(-2, 1))
            for _ in range(folds // 3)
        ]
        by_chance = max(fmean(score({"kind": kind, "x": x}, fold) for fold in range(3)) for kind, x in tries)
        gains.append(found.best_score - by_chance)
    assert fmean(gains) > 0


def test_the_same_seed_gives_the_same_search_whatever_the_clock_says() -> None:
    plain = run(clock=Clock())
    assert comparable(plain) == comparable(run(clock=Clock()))
    for seed in range(3):
        assert comparable(plain) == comparable(run(clock=Clock(jitter=5.0, seed=seed)))
    assert comparable(plain) != comparable(run(seed=4))


@pytest.mark.parametrize("seconds", [20.0, 40.0])
def test_the_cpu_budget_holds(seconds: float) -> None:
    for seed in range(3):
        clock = Clock()
        evaluate = clock.charging(lambda params: 0.2 + 0.02 * int(params.get("size") or 20))
        found = run(
            evaluate=evaluate, clock=clock, budget=Budget(cpu_seconds=seconds, trials=10**6), seed=seed
        )
        assert found.stopped_by in ("cpu_seconds", "space")
        assert 0.5 * seconds < found.cpu_seconds <= 1.1 * seconds


def test_a_budget_spent_by_the_incumbent_gives_the_incumbent_back() -> None:
    clock = Clock()
    found = run(
        evaluate=clock.charging(lambda params: 10.0), clock=clock, budget=Budget(cpu_seconds=15.0, trials=9)
    )
    assert dict(found.best) == START
    assert found.stopped_by == "cpu_seconds"
    assert [trial.state for trial in found.trials] == ["unfinished"]
    assert len(found.best_fold_scores) == 1


def test_twice_the_budget_tries_twice_as_much() -> None:
    assert len(run(budget=Budget(cpu_seconds=1e6, trials=50)).trials) == 2 * len(run().trials)


def test_those_that_fall_behind_are_stopped_after_a_fold() -> None:
    found = run()
    stopped = [trial for trial in found.trials if trial.state == "stopped"]
    assert len(stopped) > 10
    assert all(len(trial.fold_scores) < 3 for trial in stopped)


def test_the_first_visits_to_each_branch_are_small() -> None:
    found = run()
    visits = [dict(trial.params) for trial in found.trials[1:3]]
    assert [visit["kind"] for visit in visits] == ["a", "b"]
    assert int(visits[0]["size"] or 0) <= 4


def test_failures_are_recorded_and_passed_over() -> None:
    def evaluate(params: Params, fold: int) -> float:
        if params["kind"] == "b" and params != START:
            raise ZeroDivisionError("no data")
        return float("nan") if float(params["x"] or 0) < 0 else score(params, fold)

    found = run(evaluate=evaluate)
    errors = {trial.error for trial in found.trials if trial.state == "failed"}
    assert errors == {"ZeroDivisionError: no data", "ValueError: the score is nan"}
    assert found.best["kind"] == "a"


def test_nothing_measured_is_an_error_with_its_cause() -> None:
    def evaluate(params: Params, fold: int) -> float:
        raise RuntimeError("broken")

    with pytest.raises(InvalidInput, match="RuntimeError: broken"):
        run(evaluate=evaluate)


def test_a_small_space_is_exhausted_not_repeated() -> None:
    tried: list[Any] = []

    def evaluate(params: Params, fold: int) -> float:
        tried.append((params["n"], fold))
        return float(params["n"] or 0)

    found = run(space={"n": ("int", 1, 4)}, evaluate=evaluate, incumbent={"n": 1}, folds=2)
    assert found.stopped_by == "space"
    assert sorted(tried) == sorted(set(tried))
    assert dict(found.best) == {"n": 4}


def test_without_a_space_the_incumbent_is_measured_only() -> None:
    found = run(space={}, evaluate=lambda params, fold: 1.0, incumbent={})
    assert (found.stopped_by, len(found.trials), dict(found.best)) == ("space", 1, {})


def test_an_incumbent_may_lie_outside_the_space() -> None:
    found = run(incumbent={"kind": "a", "x": 77.0, "size": 3})
    assert found.trials[0].score == pytest.approx(fmean(score({"kind": "a", "x": 77.0}, f) for f in range(3)))
    assert found.best_score > 1.0


def test_without_an_incumbent() -> None:
    found = run(incumbent=None)
    assert found.incumbent_fold_scores is None
    assert found.best["kind"] == "a"


def test_progress_rises_to_the_end() -> None:
    told: list[float] = []
    run(progress=lambda fraction, message: told.append(fraction))
    assert told == sorted(told)
    assert (len(told), told[-1]) == (25, 1.0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"budget": Budget(cpu_seconds=0.0, trials=5)}, "cpu_seconds"),
        ({"budget": Budget(cpu_seconds=float("inf"), trials=5)}, "cpu_seconds"),
        ({"budget": Budget(cpu_seconds=1.0, trials=0)}, "trials"),
        ({"folds": 0}, "folds"),
        ({"space": {"a": 3}}, "a"),
    ],
)
def test_wrong_input_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        run(**changes)
    assert caught.value.field == field


def test_a_failed_trial_has_no_score() -> None:
    failed = Trial(number=0, params={}, fold_scores=(1.0,), state="failed", cpu_seconds=0.0)
    assert failed.score is None


def test_costs_follow_a_power_of_the_size_within_their_kind() -> None:
    costs = Costs()
    assert costs.predict({"kind": "forest", "trees": 10}) == 0.0
    costs.add({"kind": "forest", "trees": 10, "share": 0.2}, 1.0)
    assert costs.predict({"kind": "forest", "trees": 40, "share": 0.1}) == pytest.approx(4.0)
    assert costs.predict({"kind": "forest", "trees": 5, "share": 0.1}) == pytest.approx(1.0)
    costs.add({"kind": "forest", "trees": 90, "share": 0.9}, 3.0)
    costs.add({"kind": "linear", "c": 1.0}, 0.1)
    assert costs.predict({"kind": "forest", "trees": 40, "share": 0.1}) == pytest.approx(2.0)
    assert costs.predict({"kind": "linear", "c": 9.0}) == pytest.approx(0.1)
    assert costs.predict({"kind": "unknown"}) == pytest.approx(3.0)


def test_costs_never_fall_when_a_number_grows() -> None:
    costs = Costs()
    for size in (5, 20, 80):
        costs.add({"size": size}, size / 10)
    predicted = [costs.predict({"size": size}) for size in range(80, 400, 16)]
    assert all(a <= b for a, b in itertools.pairwise(predicted))
