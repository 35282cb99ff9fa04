#!/usr/bin/env python3
"""Test accuracy of the search at equal CPU budgets, beside the default, random search, TPE and halving.

    .venv/bin/python benchmarks/search.py [--seeds 5] [--budgets 2,6] [--only ours,random] [--json FILE]

Each seed splits the rows anew (40 % for the test), each method searches the other 60 %, and the winner is
trained on those and scored on the test rows.  CPU seconds are those of the process; libraries are loaded
before.  Overshoot is the CPU time used beyond the budget.
"""

import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import optuna
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engines.domain.results import Budget
from engines.domain.search import search
from engines.domain.search_proposals import suggest
from engines.domain.search_space import Parameter, parse

Params = dict[str, Any]
FOLDS = 3
DEFAULT: Params = {"kind": "forest", "trees": 100, "share": 0.3, "leaf": 1}
SPACE = {
    "kind": (
        "choice",
        {
            "boosting": {
                "rounds": ("int", 20, 120),
                "rate": ("float", 0.01, 0.5, "log"),
                "leaves": ("int", 4, 40),
            },
            "forest": {"trees": ("int", 20, 120), "share": ("float", 0.1, 1.0), "leaf": ("int", 1, 10)},
            "logistic": {"c": ("float", 0.01, 300.0, "log")},
            "kernel": {"c": ("float", 0.01, 300.0, "log"), "width": ("float", 1e-4, 1.0, "log")},
        },
    )
}
CHECKED = parse(SPACE)


@dataclass
class Task:
    """Rows to search on and rows to test on."""

    x: Any
    y: Any
    x_test: Any
    y_test: Any

    def folds(self, seed: int = 0, count: int = FOLDS) -> list[tuple[Any, Any]]:
        """Return the cross-validation every method uses."""
        return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(self.x, self.y))

    def mean(self, params: Params, rows: Any = None) -> float:
        """Return the cross-validated accuracy, on some of the rows only when they are given."""
        part = self if rows is None else Task(self.x[rows], self.y[rows], None, None)
        return float(np.mean([part.fold(params, *fold) for fold in part.folds()]))

    def fold(self, params: Params, learn: Any, score: Any) -> float:
        """Return the accuracy on one fold."""
        return float(build(params).fit(self.x[learn], self.y[learn]).score(self.x[score], self.y[score]))

    def test(self, params: Params) -> float:
        """Return the accuracy on the test rows."""
        return float(build(params).fit(self.x, self.y).score(self.x_test, self.y_test))


def build(params: Params) -> Any:
    """Return the estimator of a configuration."""
    kind = params["kind"]
    if kind == "boosting":
        return HistGradientBoostingClassifier(
            max_iter=params["rounds"],
            learning_rate=params["rate"],
            max_leaf_nodes=params["leaves"],
            random_state=0,
        )
    if kind == "forest":
        return RandomForestClassifier(
            params["trees"], max_features=params["share"], min_samples_leaf=params["leaf"], random_state=0
        )
    if kind == "logistic":
        return make_pipeline(StandardScaler(), LogisticRegression(C=params["c"], max_iter=200))
    return make_pipeline(StandardScaler(), SVC(C=params["c"], gamma=params["width"]))


def drawn(rng: np.random.Generator) -> Params:
    """Return a random configuration."""

    def draw(parameter: Parameter) -> Any:
        if parameter.kind == "choice":
            return parameter.choices[int(rng.integers(len(parameter.choices)))]
        if parameter.log:
            return float(np.exp(rng.uniform(np.log(parameter.low), np.log(parameter.high))))
        if parameter.kind == "int":
            return int(rng.integers(int(parameter.low), int(parameter.high) + 1))
        return float(rng.uniform(parameter.low, parameter.high))

    return CHECKED.walk(draw)


def default(task: Task, budget: float, seed: int) -> Params:
    """Keep what is deployed."""
    return DEFAULT


def random_search(task: Task, budget: float, seed: int) -> Params:
    """Try random configurations until the time is over."""
    rng, began = np.random.default_rng([seed, 11]), time.process_time()
    scored: list[tuple[float, int, Params]] = []
    while time.process_time() - began < budget:
        params = drawn(rng)
        scored.append((task.mean(params), -len(scored), params))
    return max(scored)[2]


def tpe(task: Task, budget: float, seed: int) -> Params:
    """Let Optuna's multivariate TPE propose until the time is over."""
    began = time.process_time()
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    scored: list[tuple[float, int, Params]] = []
    while time.process_time() - began < budget:
        trial = study.ask()
        params = CHECKED.walk(lambda parameter, trial=trial: suggest(trial, parameter))  # type: ignore[misc]
        scored.append((task.mean(params), -len(scored), params))
        study.tell(trial, scored[-1][0])
    return max(scored)[2]


def halving(task: Task, budget: float, seed: int) -> Params:
    """Score many on a sixth of the rows, the best third on half of them, the best of those on all."""
    rng, began = np.random.default_rng([seed, 11]), time.process_time()

    def rung(pool: list[Params], rows: int, until: float) -> list[Params]:
        scored = []
        for position, params in enumerate(pool):
            if position and time.process_time() - began > until * budget:
                break
            few = None if rows >= len(task.y) else stratified(task.y, rows, rng)
            scored.append((task.mean(params, few), -position, params))
        return [params for _, _, params in sorted(scored, reverse=True)]

    pool: list[Params] = rung([drawn(rng) for _ in range(2000)], max(90, len(task.y) // 6), 0.35)
    pool = rung(pool[: max(4, len(pool) // 3)], len(task.y) // 2, 0.7)
    return rung(pool, len(task.y), 1.0)[0]


def stratified(y: Any, count: int, rng: np.random.Generator) -> Any:
    """Return some rows with all classes among them."""
    seed = int(rng.integers(2**31))
    return train_test_split(np.arange(len(y)), train_size=count, random_state=seed, stratify=y)[0]


def ours(task: Task, budget: float, seed: int) -> Params:
    """Run the engine's search; trials don't bind."""
    folds = task.folds()

    def evaluate(params: Params, fold: int) -> float:
        return task.fold(params, *folds[fold])

    found = search(
        SPACE,
        evaluate,
        budget=Budget(cpu_seconds=budget, trials=100_000),
        seed=seed,
        folds=len(folds),
        incumbent=DEFAULT,
    )
    return dict(found.best)


METHODS: dict[str, Callable[[Task, float, int], Params]] = {
    "default": default,
    "random": random_search,
    "TPE": tpe,
    "halving": halving,
    "ours": ours,
}


def data_sets() -> dict[str, tuple[Any, Any]]:
    """Return rows and classes by name."""
    noisy = make_classification(
        1200, 30, n_informative=8, n_redundant=6, flip_y=0.08, class_sep=0.8, random_state=3
    )
    return {
        "digits": load_digits(return_X_y=True),
        "cancer": load_breast_cancer(return_X_y=True),
        "noisy": noisy,
    }


def measure(method: str, budget: float, seeds: int) -> dict[str, dict[str, Any]]:
    """Return test accuracies and relative overshoots of one method by data set."""
    figures = {}
    for name, (x, y) in data_sets().items():
        accuracies, overshoots = [], []
        for seed in range(seeds):
            x_search, x_test, y_search, y_test = train_test_split(
                x, y, test_size=0.4, random_state=seed, stratify=y
            )
            task = Task(x_search, y_search, x_test, y_test)
            began = time.process_time()
            params = METHODS[method](task, budget, seed)
            overshoots.append(max(0.0, (time.process_time() - began) / budget - 1))
            accuracies.append(100 * task.test(params))
        figures[name] = {"accuracy": accuracies, "overshoot": overshoots}
    return figures


def row(name: str, budget: float, figures: dict[str, dict[str, Any]]) -> str:
    """Return a line of the table: accuracy and standard error per data set, their mean, the overshoot."""
    cells = [
        f"{np.mean(f['accuracy']):7.2f} ±{np.std(f['accuracy'], ddof=1) / len(f['accuracy']) ** 0.5:4.2f}"
        for f in figures.values()
    ]
    means = np.mean([f["accuracy"] for f in figures.values()], axis=0)
    over = [value for f in figures.values() for value in f["overshoot"]]
    mean = f"{means.mean():7.2f} ±{means.std(ddof=1) / len(means) ** 0.5:4.2f}"
    return f"{budget:5g} s {name:8s}" + "".join(cells) + f"   {mean}   {np.mean(over):5.0%} {max(over):5.0%}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budgets", default="2,6")
    parser.add_argument("--only", default=",".join(METHODS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(f"{'budget  method':16s}" + "".join(f"{name:>13s}" for name in (*data_sets(), "mean")), end="")
    print("   overshoot mean, most")
    results = []
    for budget in map(float, options.budgets.split(",")):
        for name in options.only.split(","):
            figures = measure(name, budget, options.seeds)
            print(row(name, budget, figures), flush=True)
            results.append({"budget": budget, "method": name, "figures": figures})
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
