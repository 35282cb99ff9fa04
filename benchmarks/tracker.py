#!/usr/bin/env python3
"""What tracking a subject costs after a thousand and a million events, and what its reliability is worth.

    .venv/bin/python benchmarks/tracker.py [--events 1000000] [--rounds 40] [--series FILE] [--json FILE]

Starts an embedded PostgreSQL of its own, makes two subjects with a thousand and with a million events (the
newest 50,000 with forecasts and evaluations), and does what the step *measure* does for both, in turns:
read and forecast, then write and settle. The figures are the best of three medians, in milliseconds of wall
time. In Python, updates of a `ROITracker` after as many updates. `--series`: a JSON object of lists of
numbers; the reliability of each is held against the next error, pooled over all of them (Spearman); without
it, made series whose noise changes by regimes. Exit code 1 when a bar is missed.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.stack import stack

from forecasting.domain.tracker import ROITracker

SMALL, LARGE = "small", "large"
FEW = 1_000
WITH_FORECASTS = 50_000
BARS = {"ratio of writing": 2.0, "ratio of reading": 2.0, "ratio of an update": 1.5}
RANK_BAR = 0.3
STATEMENTS_BAR = 20

EVENTS = """
INSERT INTO forecasting_roievent (subject, source, action, delta, roi_after, at)
SELECT %(subject)s, 'cycle:' || n, 'cycle', sin(n) / 9, 5 + sin(n / 7.0) + random() / 3,
    now() - (%(count)s - n) * interval '1 minute'
FROM generate_series(1, %(count)s) n
"""
FORECASTS = """
INSERT INTO forecasting_forecast (subject, scenario, source, model, seen, horizon, mean, lower80, upper80,
lower95,
    upper95, growth, confidence, scale, risk, probabilities, evidence, reason, actual, error, settled_at)
SELECT %(subject)s, '', 'cycle:' || n, 'made', 200, 5, l, l, l, l, l, 'marginal', 0.5, 0.2, 'Stable', '{}',
'enough',
    'made', l, random(), now()
FROM generate_series(greatest(1, %(count)s - %(newest)s + 1), %(count)s) n, (SELECT '[5, 5, 5, 5, 5]'::jsonb
AS l) x
"""
EVALUATIONS = """
INSERT INTO forecasting_evaluation (subject, source, cv_score, passed, error, long_term_outcome)
SELECT %(subject)s, 'cycle:' || n, 0.9, true, '', ''
FROM generate_series(greatest(1, %(count)s - %(newest)s + 1), %(count)s) n
"""


def main() -> int:
    """Measure, print, write JSON; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--series", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = {**in_python(options.events), **reliability(options.series)}
    with stack({"DJANGO_SETTINGS_MODULE": "menace_site.settings"}, durable=False):
        found |= in_rows(options.events, options.rounds)
    for name, value in found.items():
        print(f"{name:42} {value:.4g}" if isinstance(value, float) else f"{name:42} {value}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return int(missed(found))


def missed(found: Mapping[str, Any]) -> bool:
    """Return whether a bar is missed."""
    ratios = any(found[name] > most for name, most in BARS.items())
    return ratios or found["rank correlation"] < RANK_BAR or found["statements of a cycle"] > STATEMENTS_BAR


def in_python(events: int) -> dict[str, float]:
    """Return the cost of an update after a thousand and after as many updates."""
    tracker, rng = ROITracker(), random.Random(1)
    feed(tracker, rng, FEW)
    early = best(lambda: feed(tracker, rng, 200)) / 200
    feed(tracker, rng, max(0, events - FEW))
    late = best(lambda: feed(tracker, rng, 200)) / 200
    return {"update, after 1,000, us": early * 1e6, "ratio of an update": late / early}


def feed(tracker: ROITracker, rng: random.Random, count: int) -> None:
    """Update a tracker."""
    for _ in range(count):
        tracker.update(0.0, rng.gauss(1, 1), metrics={"synergy_roi": rng.random()})


def best(act: Callable[[], object], rounds: int = 7) -> float:
    """Return the CPU seconds of the quickest round."""
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        act()
        spent.append(time.process_time() - began)
    return min(spent)


def reliability(file: Path | None) -> dict[str, float]:
    """Return how the reliability ranks the next scaled error, over all series and places after the tenth."""
    series = json.loads(file.read_text()) if file else made_series()
    pairs = [pair for values in series.values() for pair in judged(values)]
    ranks = [ranked([pair[side] for pair in pairs]) for side in (0, 1)]
    return {"series": len(series), "judged forecasts": len(pairs), "rank correlation": correlation(*ranks)}


def judged(values: Sequence[float]) -> list[tuple[float, float]]:
    """Return (reliability before, -error) of each value of a series but the first ten."""
    tracker, found = ROITracker(), []
    for value in values:
        before = tracker.reliability()
        error = tracker.update(0.0, value).error
        if before is not None and error is not None:
            found.append((before, -error))
    return found[10:]


def made_series() -> dict[str, list[float]]:
    """Return seeded series of levels whose noise changes by regimes of about 20 values."""
    rng, made = random.Random(7), {}
    for number in range(200):
        values, level, noise = [], 0.0, 1.0
        for _ in range(120):
            noise = rng.choice((0.2, 1.0, 4.0)) if rng.random() < 0.05 else noise
            level += rng.gauss(0, 0.1)
            values.append(level + rng.gauss(0, noise))
        made[f"made/{number}"] = values
    return made


def ranked(values: Sequence[float]) -> list[float]:
    """Return the rank of each value; equal ones share theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    for place in range(1, len(order) + 1):
        if place == len(order) or values[order[place]] != values[order[start]]:
            for each in order[start:place]:
                ranks[each] = (start + place - 1) / 2
            start = place
    return ranks


def correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Pearson's correlation."""
    count = len(first)
    means = sum(first) / count, sum(second) / count
    pairs = [(a - means[0], b - means[1]) for a, b in zip(first, second, strict=True)]
    spreads = sum(a * a for a, _ in pairs) * sum(b * b for _, b in pairs)
    return float(sum(a * b for a, b in pairs) / spreads**0.5)


def in_rows(events: int, rounds: int) -> dict[str, Any]:
    """Return what a cycle's tracking costs in the database for the two subjects."""
    django = import_module("django.db").connection
    sizes = {SMALL: FEW, LARGE: events}
    with django.cursor() as cursor:
        for subject, count in sizes.items():
            given = {"subject": subject, "count": count, "newest": WITH_FORECASTS}
            for statement in (EVENTS, FORECASTS, EVALUATIONS):
                cursor.execute(statement, given)
        cursor.execute("VACUUM ANALYZE forecasting_roievent, forecasting_forecast, forecasting_evaluation")
    medians: dict[str, list[float]] = {}
    for turn in range(3):
        spent: dict[str, list[float]] = {}
        for number in range(rounds):
            for subject, count in sizes.items():
                cycle(subject, count + 1 + turn * rounds + number, spent)
        for name, values in spent.items():
            medians.setdefault(name, []).append(median(values))
    least = {name: min(values) * 1000 for name, values in medians.items()}
    ratios = {f"ratio of {kind}": least[f"{LARGE}: {kind}"] / least[f"{SMALL}: {kind}"] for kind in KINDS}
    return {**{f"{name}, ms": value for name, value in least.items()}, **ratios, **statements(events)}


KINDS = ("reading", "forecasting", "writing")


def cycle(subject: str, number: int, spent: dict[str, list[float]]) -> None:
    """Do what the step *measure* does, and note how long each part took."""
    services = {name: import_module(f"forecasting.services.{name}") for name in ("forecasts", "numbers")}
    source, level = f"cycle:{number}", 5.0 + (number % 7) / 10
    marks = [time.perf_counter()]
    known = services["forecasts"]._known(subject, source, "", level)
    marks.append(time.perf_counter())
    made = {**services["forecasts"]._told(_answer(known), known, 5), **services["forecasts"]._risk(known)}
    marks.append(time.perf_counter())
    write(subject, number, level, made)
    marks.append(time.perf_counter())
    for kind, (began, ended) in zip(KINDS, pairwise(marks), strict=True):
        spent.setdefault(f"{subject}: {kind}", []).append(ended - began)


def _answer(known: Any) -> Any:
    return import_module("forecasting.domain.forecast").answer(known.values, 5, known.errors)


def write(subject: str, number: int, level: float, made: Mapping[str, Any]) -> None:
    """Keep a cycle's event, forecast, evaluation and modules, as its step commits them."""
    services = import_module("forecasting.services")
    modules, evaluations = (import_module(f"forecasting.services.{n}") for n in ("modules", "evaluations"))
    limits = import_module("forecasting.domain.rankings").Limits()
    source = f"cycle:{number}"
    with import_module("django.db.transaction").atomic():
        services.record_roi_event(subject, source=source, action="cycle", delta=0.1, ema=0.1, roi_after=level)
        import_module("forecasting.services.forecasts").keep(subject, source, made)
        services.record_cycle(subject, number, roi=level)
        evaluations.record_evaluation(subject, source, cv_score=0.9, passed=True)
        evaluations.settle_long_run(subject)
        brought = {f"{name}.py": modules.Brought(roi=0.1, entropy=number % 3) for name in "abc"}
        modules.move_on(subject, number, brought, limits=limits, scale=1.0)


def statements(events: int) -> dict[str, int]:
    """Return how many statements a cycle's tracking takes."""
    connection = import_module("django.db").connection
    capture = import_module("django.test.utils").CaptureQueriesContext
    with capture(connection) as asked:
        cycle(LARGE, events + 10_000, {})
    return {"statements of a cycle": len(asked)}


if __name__ == "__main__":
    sys.exit(main())
