#!/usr/bin/env python3
"""False alarms and delays of the drift detector beside rules in use, on streams of known law.

    .venv/bin/python benchmarks/drift.py [--reps 200] [--metrics 10] [--cycles 200] [--json FILE]

Quiet streams: alarms per 100 cycles under independent normal, Student t with 3 degrees of freedom, and
AR(1) with 0.5 (all with variance 1).  Changed streams: the mean of one metric (or of five) drops by 2 or 1
standard deviations half-way; shown are the share detected within 50 cycles and the median delay.  Every
rule starts again after an alarm.  Intervals are 95 %: of the mean over runs, and Wilson's for shares.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy import special, stats

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from forecasting.domain.drift import Detector

Array = Any
LAWS = ("normal", "t3", "ar0.5")
CHANGES = {"2 sd in 1": (-2.0, 1), "1 sd in 1": (-1.0, 1), "1 sd in 5": (-1.0, 5)}
WITHIN = 50


def stream(rng: np.random.Generator, shape: tuple[int, int, int], law: str) -> Array:
    """Return quiet values of shape (cycles, runs, metrics)."""
    if law == "t3":
        return rng.standard_t(3, shape) / math.sqrt(3)
    noise = rng.standard_normal(shape)
    if law.startswith("ar"):
        rho = float(law[2:])
        for t in range(1, len(noise)):
            noise[t] = rho * noise[t - 1] + math.sqrt(1 - rho**2) * noise[t]
    return noise


class Rule(Protocol):
    """A rule watches many runs at once; `step` takes (runs, metrics) and returns which runs alarm."""

    def step(self, values: Array) -> Array:
        """Take the next values."""


class Ours:
    """The detector of this project, one for each run."""

    def __init__(self, runs: int, metrics: int, cycles: float = 1000.0) -> None:
        self.detectors = [Detector(metrics, cycles) for _ in range(runs)]

    def step(self, values: Array) -> Array:
        """Take the next values."""
        return np.array([d.update(v) is not None for d, v in zip(self.detectors, values, strict=True)])


class Window:
    """Rules on the history since the last alarm: kept as one array, forgotten run by run."""

    def __init__(self, runs: int, metrics: int) -> None:
        self.history = np.empty((0, runs, metrics))
        self.count = np.zeros(runs, dtype=int)

    def step(self, values: Array) -> Array:
        """Take the next values."""
        alarm = self.alarms(values)
        self.history = np.concatenate([self.history, values[None]])
        self.count = np.where(alarm, 0, self.count + 1)
        return alarm

    def alarms(self, values: Array) -> Array:
        """Return which runs alarm."""
        raise NotImplementedError


class Sigma(Window):
    """A metric lies more than `width` standard deviations from the mean of its last ten values."""

    width = 3.0

    def alarms(self, values: Array) -> Array:
        """Return which runs alarm."""
        if len(self.history) < 10:
            return np.zeros(len(values), dtype=bool)
        last = self.history[-10:]
        far = np.abs(values - last.mean(0)) > self.width * last.std(0, ddof=1)
        return far.any(1) & (self.count >= 10)


class KolmogorovSmirnov(Window):
    """Two-sample KS test of the last 20 values against the first 40 after a restart, every 5th cycle."""

    reference, current, level = 40, 20, 0.05

    def alarms(self, values: Array) -> Array:
        """Return which runs alarm; the level is divided by the number of metrics."""
        found = np.zeros(len(values), dtype=bool)
        now = self.count + 1
        due = (now >= self.reference + self.current) & (now % 5 == 0)
        if not due.any():
            return found
        history = np.concatenate([self.history, values[None]])
        cut = special.kolmogi(self.level / values.shape[1])
        effective = self.reference * self.current / (self.reference + self.current)
        for run in np.flatnonzero(due):
            mine = history[len(history) - now[run] :, run]
            gap = ks_distance(mine[: self.reference], mine[-self.current :])
            found[run] = bool((gap * math.sqrt(effective) > cut).any())
        return found


def ks_distance(first: Array, second: Array) -> Array:
    """Return the largest distance of two empirical distribution functions, column by column."""
    weights = np.concatenate([np.full(first.shape, 1 / len(first)), np.full(second.shape, -1 / len(second))])
    order = np.argsort(np.concatenate([first, second]), axis=0)
    return np.abs(np.cumsum(np.take_along_axis(weights, order, 0), 0)).max(0)


class Cusum:
    """Two-sided CUSUM, k = 1/2, on values standardised by the first 30."""

    limit = 5.0

    def __init__(self, runs: int, metrics: int) -> None:
        self.count = np.zeros((runs, 1))
        self.mean, self.squares, self.up, self.down = (np.zeros((runs, metrics)) for _ in range(4))

    def step(self, values: Array) -> Array:
        """Take the next values."""
        learning = self.count < 30
        z = (values - self.mean) / np.sqrt(np.maximum(self.squares / 29, 1e-12))
        self.up = np.where(learning, 0, np.maximum(0, self.up + z - 0.5))
        self.down = np.where(learning, 0, np.maximum(0, self.down - z - 0.5))
        alarm = (np.maximum(self.up, self.down) > self.limit).any(1)
        self.count += 1
        delta = values - self.mean
        self.mean = np.where(learning, self.mean + delta / self.count, self.mean)
        self.squares += np.where(learning, delta * (values - self.mean), 0)
        for state in (self.count, self.mean, self.squares, self.up, self.down):
            state[alarm] = 0
        return alarm


class WideCusum(Cusum):
    """The same with a limit of 9."""

    limit = 9.0


class PlainSum:
    """Shiryaev-Roberts sums of recursive t residuals as in textbooks; `whitened`: after a running AR(1)."""

    whitened = False
    sizes = np.array([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0])

    def __init__(self, runs: int, metrics: int) -> None:
        self.n = np.zeros((runs, 1))
        names = ("mean", "squares", "last", "products", "lagged")
        self.state = {name: np.zeros((runs, metrics)) for name in names}
        self.sums = np.zeros((runs, metrics, len(self.sizes)))

    def step(self, values: Array) -> Array:
        """Take the next values."""
        state, n = self.state, self.n
        values = self.residuals(values) if self.whitened else values
        spread = np.sqrt(state["squares"] / np.maximum(n - 1, 1)) + 1e-12
        t = (values - state["mean"]) / (spread * np.sqrt(1 + 1 / np.maximum(n, 1)))
        tail = np.clip(stats.t.cdf(t, np.maximum(n - 1, 1)), 1e-9, 1 - 1e-9)
        z = np.clip(stats.norm.ppf(tail), -4, 4)[..., None]
        ratio = np.exp(z * self.sizes - self.sizes**2 / 2)
        self.sums = np.where((n >= 8)[..., None], (self.sums + 1) * ratio, 0)
        alarm: Array = self.sums.mean((1, 2)) >= 1000
        self.n = n + 1
        delta = values - state["mean"]
        state["mean"] = state["mean"] + delta / self.n
        state["squares"] = state["squares"] + delta * (values - state["mean"])
        for array in (*state.values(), self.n, self.sums):
            array[alarm] = 0
        return alarm

    def residuals(self, values: Array) -> Array:
        """Return values minus what a shrunken running correlation predicts."""
        state = self.state
        rho = np.clip(state["products"] / (state["lagged"] + 5), 0, 0.9) * (self.n > 4)
        before = state["last"] - state["mean"]
        state["products"] = state["products"] + (values - state["mean"]) * before
        state["lagged"] = state["lagged"] + before**2
        state["last"] = values.copy()
        return values - rho * before


class WhitenedSum(PlainSum):
    """The same after pre-whitening."""

    whitened = True


RULES: dict[str, Callable[[int, int], Rule]] = {
    "3 sigma of the last 10": Sigma,
    "KS, Bonferroni": KolmogorovSmirnov,
    "CUSUM k=.5 h=5": Cusum,
    "CUSUM k=.5 h=9": WideCusum,
    "Shiryaev-Roberts, t": PlainSum,
    "the same, AR(1) whitened": WhitenedSum,
    "ours": Ours,
}


def alarms(rule: Callable[[int, int], Rule], values: Array) -> Array:
    """Return which run alarmed when, shape (cycles, runs)."""
    watcher = rule(values.shape[1], values.shape[2])
    return np.array([watcher.step(row) for row in values])


def false_alarms(rule: Callable[[int, int], Rule], law: str, options: argparse.Namespace) -> dict[str, float]:
    """Return alarms per 100 quiet cycles and half the width of their interval."""
    rng = np.random.default_rng([options.seed, LAWS.index(law)])
    values = stream(rng, (options.cycles, options.reps, options.metrics), law)
    per_run = 100 * alarms(rule, values).sum(0) / options.cycles
    return {
        "rate": float(per_run.mean()),
        "half": float(1.96 * per_run.std(ddof=1) / math.sqrt(options.reps)),
    }


def detection(
    rule: Callable[[int, int], Rule], shift: float, changed: int, options: argparse.Namespace
) -> dict[str, float]:
    """Return the share detected in time with its interval, and the median delay of those."""
    rng = np.random.default_rng([options.seed, 99])
    values = stream(rng, (options.cycles, options.reps, options.metrics), "normal")
    at = options.cycles // 2
    values[at:, :, :changed] += shift
    after = alarms(rule, values)[at : at + WITHIN]
    hit = after.any(0)
    low, high = stats.binomtest(int(hit.sum()), options.reps).proportion_ci(method="wilson")
    delay = float(np.median(after.argmax(0)[hit])) if hit.any() else math.nan
    return {"share": float(hit.mean()), "low": float(low), "high": float(high), "delay": delay}


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return all figures of a rule."""
    rule = RULES[name]
    return {
        "rule": name,
        "false_alarms": {law: false_alarms(rule, law, options) for law in LAWS},
        "detection": {label: detection(rule, *change, options) for label, change in CHANGES.items()},
    }


def row(figures: dict[str, Any]) -> str:
    """Return a line of the table."""
    quiet = "".join(f" {f['rate']:6.3f} ±{f['half']:.3f}" for f in figures["false_alarms"].values())
    changed = "".join(
        f"  {d['share']:.3f} [{d['low']:.2f},{d['high']:.2f}] ({d['delay']:2.0f})"
        for d in figures["detection"].values()
    )
    return f"{figures['rule']:25s}{quiet}{changed}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--reps", type=int, default=200)
    parser.add_argument("--metrics", type=int, default=10)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(RULES), help="rules, separated by commas")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chosen = [name for name in RULES if any(part in name for part in options.only.split(","))]
    print(f"{options.metrics} metrics, {options.cycles} cycles, {options.reps} runs a cell")
    print(f"{'alarms per 100 cycles':25s}" + "".join(f"{law:>14s}" for law in LAWS), end="")
    print("".join(f"{label:>25s}" for label in CHANGES) + "   (share detected, median delay)")
    results = []
    for name in chosen:
        results.append(measure(name, options))
        print(row(results[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
