#!/usr/bin/env python3
"""Held-out rows and folds together: which rule promotes what is no better, and which finds what is?

    .venv/bin/python benchmarks/evidence.py [--streams 200] [--reps 400] [--json FILE]

Real training, as a cycle does it: a search picks the best of some candidates by cross-validation on the
development rows; champion and pick are then compared on other folds of the same rows (5 folds, twice) and on
held-out rows that no search saw.  Models are linear classifiers on five columns of their own.

The last lines give a single decision at 5 %, of metrics that their influence functions make means over rows.

`any of 20`: share of streams of 20 cycles, in which no candidate is better, that see any promotion.  `found`:
share of single cycles whose candidates are all truly better that promote.  Intervals are Wilson's 95 %.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engines.domain.significance import (
    Significance,
    alpha_for,
    contradicts,
    corrected_paired_test,
    mcnemar,
    paired_bootstrap,
)
from engines.domain.training_scores import Predictions, contributions

Array = Any
CYCLES, CANDIDATES, COLUMNS = 20, 6, 5
FOLDS, REPEATS = 5, 2
SIGNAL = 0.35


@dataclass(frozen=True)
class Evidence:
    """What one cycle measured."""

    rows: Significance
    folds: Significance
    plain: float


Rule = Callable[[Evidence], bool]
RULES: dict[str, Rule] = {
    "higher on held-out rows": lambda seen: seen.rows.mean_difference > 0,
    "plain t on the folds, 5 %": lambda seen: seen.plain < 0.05,
    "corrected t on the folds, shared alpha": lambda seen: seen.folds.significant,
    "the same, and held-out above 0": lambda seen: seen.folds.significant and seen.rows.mean_difference > 0,
    "held-out rows alone": lambda seen: seen.rows.significant,
    "ours: rows, unless folds object": lambda seen: seen.rows.significant and not contradicts(seen.folds),
    "rows, and folds above 0": lambda seen: seen.rows.significant and seen.folds.mean_difference > 0,
    "rows and folds both": lambda seen: seen.rows.significant and seen.folds.significant,
}


class World:
    """Rows with two classes; every model gets columns of its own, worth as much as it is told."""

    def __init__(self, rng: np.random.Generator, develop: int, held_out: int) -> None:
        self.rng, self.develop = rng, develop
        self.y = rng.choice([-1.0, 1.0], develop + held_out)

    def columns(self, worth: float) -> Array:
        """Return new columns that tell the class apart, `worth` 1.0 as well as the champion's do."""
        noise = self.rng.standard_normal((len(self.y), COLUMNS))
        return noise + SIGNAL * worth * self.y[:, None]

    def splits(self, repeats: int) -> list[Array]:
        """Return which development rows each fold scores."""
        parts = []
        for _ in range(repeats):
            parts += np.array_split(self.rng.permutation(self.develop), FOLDS)
        return parts

    def right(self, x: Array, score: Array, learn: Array) -> Array:
        """Return 1 for each scored row that a model of the learnt rows gets right."""
        weights = np.linalg.solve(x[learn].T @ x[learn] + np.eye(COLUMNS), x[learn].T @ self.y[learn])
        return (np.sign(x[score] @ weights) == self.y[score]).astype(float)

    def scores(self, x: Array, parts: list[Array]) -> list[float]:
        """Return the accuracy on each fold."""
        every = np.arange(self.develop)
        return [float(self.right(x, part, np.setdiff1d(every, part)).mean()) for part in parts]

    def tested(self, x: Array) -> list[bool]:
        """Return right or wrong on the held-out rows."""
        every = np.arange(self.develop)
        return [bool(one) for one in self.right(x, np.arange(self.develop, len(self.y)), every)]

    def told(self, x: Array) -> Predictions:
        """Return what a model of all development rows says about the held-out ones."""
        learn = x[: self.develop]
        weights = np.linalg.solve(learn.T @ learn + np.eye(COLUMNS), learn.T @ self.y[: self.develop])
        said = x[self.develop :] @ weights
        chance = 1 / (1 + np.exp(-2 * said))
        return Predictions(
            self.y[self.develop :], said, np.column_stack([1 - chance, chance]), np.array([-1.0, 1.0])
        )


def cycle(world: World, champion: Array, worth: float, k: int) -> Evidence:
    """Search, then compare the pick with the champion, as the `k`-th challenger of its engine."""
    chosen_by = world.splits(1)
    pool = [world.columns(worth) for _ in range(CANDIDATES)]
    pick = max(pool, key=lambda x: float(np.mean(world.scores(x, chosen_by))))
    parts = world.splits(REPEATS)
    old, new = world.scores(champion, parts), world.scores(pick, parts)
    rows = mcnemar(world.tested(champion), world.tested(pick), alpha_for(k))
    folds = corrected_paired_test(old, new, 1 / FOLDS, alpha_for(k))
    same = np.ptp(np.subtract(new, old)) == 0
    plain = 1.0 if same else float(stats.ttest_rel(new, old, alternative="greater").pvalue)
    return Evidence(rows, folds, plain)


def stream(seed: int, develop: int, held_out: int) -> set[str]:
    """Return the rules that promote any of 20 challengers, none of them better, in one world."""
    world = World(np.random.default_rng([1, seed]), develop, held_out)
    champion = world.columns(1.0)
    seen = [cycle(world, champion, 1.0, k) for k in range(1, CYCLES + 1)]
    return {name for name, rule in RULES.items() if any(rule(evidence) for evidence in seen)}


def single(seed: int, develop: int, held_out: int, worth: float) -> set[str]:
    """Return the rules that promote an engine's first challenger, which is better."""
    world = World(np.random.default_rng([2, seed]), develop, held_out)
    evidence = cycle(world, world.columns(1.0), worth, 1)
    return {name for name, rule in RULES.items() if rule(evidence)}


def by_influence(metric: str, reps: int, worth: float) -> float:
    """Return how often a challenger is found better by its rows' influence on a metric, at 5 %."""
    found = 0
    for seed in range(reps):
        world = World(np.random.default_rng([3, seed]), 240, 160)
        sides = [world.told(world.columns(each)) for each in (1.0, worth)]
        if metric == "f1":
            sides = [replace(side, said=np.where(side.said > 0, 1.0, -1.0)) for side in sides]
        old, new = (contributions(metric, side) for side in sides)
        assert old is not None
        assert new is not None
        found += paired_bootstrap(old.tolist(), new.tolist(), 0.05).significant
    return found / reps


def shares(found: list[set[str]]) -> dict[str, tuple[float, float, float]]:
    """Return each rule's share with Wilson's interval."""
    told = {}
    for name in RULES:
        count = sum(name in rules for rules in found)
        low, high = stats.binomtest(count, len(found)).proportion_ci(method="wilson")
        told[name] = (count / len(found), float(low), float(high))
    return told


def tell(table: dict[str, dict[str, tuple[float, float, float]]]) -> None:
    """Print one line a rule."""
    print(f"{'':40}" + "".join(f"{cell:>27}" for cell in table))
    for name in RULES:
        line = ""
        for cell in table.values():
            share, low, high = cell[name]
            line += f"{f'{share:.3f} [{low:.2f},{high:.2f}]':>27}"
        print(f"{name:40}{line}")


def main() -> int:
    """Measure and print; 1 when our rule promotes in more than 5 % of the streams."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--reps", type=int, default=400)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table = {"any of 20": shares([stream(seed, 240, 160) for seed in range(options.streams)])}
    for held_out, worth in ((160, 1.35), (160, 1.7), (600, 1.35)):
        cell = f"found, n={held_out} worth {worth}"
        table[cell] = shares([single(seed, 240, held_out, worth) for seed in range(options.reps)])
    tell(table)
    influence = {
        metric: {worth: by_influence(metric, options.reps, worth) for worth in (1.0, 1.35)}
        for metric in ("f1", "roc_auc", "rmse")
    }
    for metric, found in influence.items():
        print(f"{metric}, one decision at 5 %: no better {found[1.0]:.3f}, worth 1.35 {found[1.35]:.3f}")
    if options.json:
        options.json.write_text(json.dumps({"rules": table, "influence": influence}, indent=1) + "\n")
    return int(table["any of 20"]["ours: rows, unless folds object"][0] > 0.05)


if __name__ == "__main__":
    sys.exit(main())
