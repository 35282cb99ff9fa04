#!/usr/bin/env python3
"""How often do promotion rules take a challenger that is no better, and how often one that is?

    .venv/bin/python benchmarks/promotion.py [--reps 400] [--streams 400] [--json FILE]

First table: right or wrong on the same n rows, the champion right on 80 %, correlated 0.6 before
thresholding; shares of promotions when the challenger is no better and 2 or 5 points better, and the share
of streams of 20 challengers (none better, up to a few points worse, one test set of 500) with any promotion.
Second table: ten random splits of 200 rows with real training, and heavy-tailed squared errors of 200 rows.
Intervals are Wilson's 95 %.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engines.domain.significance import alpha_for, corrected_paired_test, mcnemar, paired_bootstrap

Array = Any
Rule = Callable[[Array, Array, int], bool]
CHALLENGERS, STREAM_ROWS = 20, 500


def higher(old: Array, new: Array, k: int) -> bool:
    """The higher score wins."""
    return bool(new.mean() > old.mean())


def one_point(old: Array, new: Array, k: int) -> bool:
    """The score is higher by a point."""
    return bool(new.mean() > old.mean() + 0.01)


def mcnemar_plain(old: Array, new: Array, k: int) -> bool:
    """McNemar at 5 % each time."""
    return mcnemar(old.tolist(), new.tolist(), 0.05).significant


def mcnemar_shared(old: Array, new: Array, k: int) -> bool:
    """McNemar at the challenger's share of 5 %."""
    return mcnemar(old.tolist(), new.tolist(), alpha_for(k)).significant


def bootstrap_plain(old: Array, new: Array, k: int) -> bool:
    """Bootstrap at 5 % each time."""
    return paired_bootstrap(old.tolist(), new.tolist(), 0.05, resamples=1000).significant


RULES: dict[str, Rule] = {
    "higher score": higher,
    "higher by 1 point": one_point,
    "McNemar 5 %": mcnemar_plain,
    "bootstrap 5 %": bootstrap_plain,
    "ours: McNemar, shared alpha": mcnemar_shared,
}


def right(rng: np.random.Generator, difficulty: Array, share: float) -> Array:
    """Return right (1) or wrong (0) of a model by row; rows are hard or easy for all models alike."""
    own = rng.standard_normal(len(difficulty))
    ability = math.sqrt(0.6) * difficulty + math.sqrt(0.4) * own
    return (ability < stats.norm.ppf(share)).astype(float)


def promoted(rule: Rule, rows: int, better: float, reps: int) -> int:
    """Return how many of `reps` challengers, better by that much, are promoted."""
    count = 0
    for rep in range(reps):
        rng = np.random.default_rng([rows, round(better * 100), rep])
        difficulty = rng.standard_normal(rows)
        count += rule(right(rng, difficulty, 0.8), right(rng, difficulty, 0.8 + better), 1)
    return count


def streams(rule: Rule, reps: int) -> int:
    """Return how many streams of challengers, none of them better, see a promotion."""
    return sum(stream(rule, np.random.default_rng([9, rep])) for rep in range(reps))


def stream(rule: Rule, rng: np.random.Generator) -> bool:
    """Return whether any challenger of a stream is promoted."""
    difficulty = rng.standard_normal(STREAM_ROWS)
    share = 0.8
    champion = right(rng, difficulty, share)
    for k in range(1, CHALLENGERS + 1):
        worse = 0.01 * abs(rng.standard_normal())
        if rule(champion, right(rng, difficulty, share - worse), k):
            return True
    return False


def trained(reps: int) -> dict[str, dict[str, int]]:
    """Return promotions by t-test, plain and corrected, with challengers equal and truly better."""
    counts = {name: {"plain t": 0, "ours: corrected t": 0} for name in ("equal", "better")}
    for name, more in (("equal", 0.0), ("better", 0.35)):
        for rep in range(reps):
            old, new = splits(np.random.default_rng([4, rep, round(100 * more)]), more)
            counts[name]["plain t"] += bool(stats.ttest_rel(new, old, alternative="greater").pvalue < 0.05)
            judged = corrected_paired_test(old, new, 0.2, 0.05)
            counts[name]["ours: corrected t"] += judged.significant
    return counts


def skewed(reps: int) -> dict[str, dict[str, int]]:
    """Return promotions by squared errors per row, heavy-tailed, of challengers equal and 20 % better."""
    counts = {name: {"plain t": 0, "ours: bootstrap": 0} for name in ("equal", "better")}
    for name, scale in (("equal", 1.0), ("better", 0.9)):
        for rep in range(reps):
            rng = np.random.default_rng([6, rep])
            shared, own, other = rng.standard_t(4, (3, 200))
            old, new = -((shared + 0.7 * own) ** 2), -((scale * (shared + 0.7 * other)) ** 2)
            counts[name]["plain t"] += bool(stats.ttest_rel(new, old, alternative="greater").pvalue < 0.05)
            judged = paired_bootstrap(old.tolist(), new.tolist(), 0.05)
            counts[name]["ours: bootstrap"] += judged.significant
    return counts


def splits(rng: np.random.Generator, more: float) -> tuple[list[float], list[float]]:
    """Return accuracies of two models on ten random 80/20 splits; the second one's features tell `more`."""
    y = rng.integers(0, 2, 200)
    worth = np.r_[np.ones(5), np.full(5, 1 + more)]
    x = rng.standard_normal((200, 10)) + 0.35 * (2 * y[:, None] - 1) * worth
    scores: tuple[list[float], list[float]] = ([], [])
    for _ in range(10):
        rows = rng.permutation(200)
        test, learn = rows[:40], rows[40:]
        for found, columns in zip(scores, (slice(0, 5), slice(5, 10)), strict=True):
            model = LogisticRegression(max_iter=100).fit(x[learn, columns], y[learn])
            found.append(float(model.score(x[test, columns], y[test])))
    return scores


def share(count: int, reps: int) -> str:
    """Return a share with its interval."""
    low, high = stats.binomtest(count, reps).proportion_ci(method="wilson")
    return f"{count / reps:6.3f} [{low:.2f},{high:.2f}]"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--reps", type=int, default=400)
    parser.add_argument("--streams", type=int, default=400)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cells = [(rows, better) for rows in (200, 1000) for better in (0.0, 0.02, 0.05)]
    heads = [f"n={rows} +{better:.0%}" for rows, better in cells]
    print(f"{'promoted':30s}" + "".join(f"{head:>19s}" for head in (*heads, "any of 20 equal")))
    results: dict[str, Any] = {"reps": options.reps, "streams": options.streams, "rules": {}}
    for name, rule in RULES.items():
        counts = [promoted(rule, *cell, options.reps) for cell in cells]
        stream_count = streams(rule, options.streams)
        line = "".join(f"{share(count, options.reps):>19s}" for count in counts)
        print(f"{name:30s}{line}{share(stream_count, options.streams):>19s}", flush=True)
        results["rules"][name] = {
            **{head: count / options.reps for head, count in zip(heads, counts, strict=True)},
            "any of 20": stream_count / options.streams,
        }
    for label, measured in (("10 splits of 200 rows", trained), ("200 squared errors", skewed)):
        by_case = results[label] = measured(options.reps)
        for name in by_case["equal"]:
            line = "   ".join(f"{k} {share(v[name], options.reps)}" for k, v in by_case.items())
            print(f"{label}, 5 %: {name:18s} {line}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
