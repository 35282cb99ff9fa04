#!/usr/bin/env python3
"""Verdicts on collapse beside other rules, on fresh simulated subjects and on real series.

    .venv/bin/python benchmarks/collapse.py [--seeds 3] [--subjects 1500] [--series FILE] [--json FILE]

Every seed draws its own subjects, none of which the shipped model has seen.  FILE holds real series (JSON or
gzipped JSON, name -> values): their residuals become the noise of half as many subjects more, and points
inside them become real cases, labelled by what came next.  Without it those parts are "not measured".  Shown
are means over seeds with their range, and each bar that the project has set itself.  Exit code 1 if one is
missed.
"""

import argparse
import gzip
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from collapse_cases import online, real_cases, wilson
from collapse_rules import FIXED, Boosted, Rule

from forecasting.domain.collapse import predict, predict_batch
from forecasting.domain.collapse_labels import LABELS
from forecasting.domain.collapse_policy import P_COLLAPSE_LIMITS, THRESHOLDS, blocks
from forecasting.domain.collapse_scores import FIRST_BLOCKED, score, share
from forecasting.domain.collapse_simulate import Subject, donor_residuals, subjects

OURS: Final = "this project"
BARS: Final[Mapping[str, Mapping[str, tuple[str, float]]]] = {
    "simulated": {
        "macro_f1": (">=", 0.72),
        "f1_immediate": (">=", 0.79),
        "false_block": ("<=", 0.08),
        "missed_collapse": ("<=", 0.13),
        "brittle_f1": (">=", 0.90),
        "gate_accuracy": (">=", 0.90),
        "knob_missed": ("<=", 0.05),
        "knob_false_block": ("<=", 0.28),
        "gate_knob_missed": ("<=", 0.05),
        "gate_knob_false_block": ("<=", 0.28),
        "online_lead": (">=", 5.0),
        "online_false_per_100": ("<=", 1.0),
        "ms_a_verdict": ("<=", 2.0),
        "ms_with_raroi": ("<=", 2.0),
        "batch_10000_s": ("<=", 30.0),
        "batch_10000_with_raroi_s": ("<=", 30.0),
        "same_in_another_unit": (">=", 1.0),
    },
    "real noise": {
        "macro_f1": (">=", 0.70),
        "f1_immediate": (">=", 0.76),
        "false_block": ("<=", 0.10),
        "missed_collapse": ("<=", 0.13),
        "brittle_f1": (">=", 0.90),
        "gate_accuracy": (">=", 0.89),
        "knob_missed": ("<=", 0.05),
        "knob_false_block": ("<=", 0.28),
        "gate_knob_missed": ("<=", 0.05),
        "gate_knob_false_block": ("<=", 0.28),
    },
}
ALLOWED_MISSED: Final = 0.05


def judged(items: Sequence[Subject]) -> list[dict[str, Any]]:
    """Return our verdicts."""
    return predict_batch([{"roi": item.roi, "entropy": item.entropy} for item in items])


def answer(verdicts: Sequence[Mapping[str, Any]]) -> tuple[Any, Any]:
    """Return label indices and brittle flags; without a verdict the gate doesn't pass: Immediate."""
    labels = [LABELS.index(v["risk"]) if v["risk"] in LABELS else len(LABELS) - 1 for v in verdicts]
    return np.array(labels), np.array([v["brittle"] for v in verdicts])


def truth(items: Sequence[Subject]) -> tuple[Any, Any]:
    """Return label indices and brittle flags."""
    return np.array([LABELS.index(i.label) for i in items]), np.array([i.brittle for i in items], dtype=bool)


def knob(items: Sequence[Subject], verdicts: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return what is missed and falsely blocked with the shipped limits for 5 % missed collapses.

    `knob` blocks by the risk score alone, `gate_knob` by label, brittleness and `p_collapse` as the gate
    does; `p_collapse_false_block` is that of `p_collapse` alone, its limit set on these very subjects.
    """
    labels, brittle = truth(items)
    collapsed, allowed = labels == 3, (labels < 2) & ~brittle
    chance = np.array([1.0 if v["p_collapse"] is None else v["p_collapse"] for v in verdicts])
    by_score = np.array([blocks(v, THRESHOLDS[ALLOWED_MISSED]) for v in verdicts])
    found, found_brittle = answer(verdicts)
    by_gate = (found >= FIRST_BLOCKED) | found_brittle | (chance > P_COLLAPSE_LIMITS[ALLOWED_MISSED])
    limit = np.quantile(chance[collapsed], ALLOWED_MISSED) if collapsed.any() else 0.0
    return {
        "knob_missed": share(~by_score[collapsed]),
        "knob_false_block": share(by_score[allowed]),
        "gate_knob_missed": share(~by_gate[collapsed]),
        "gate_knob_false_block": share(by_gate[allowed]),
        "p_collapse_false_block": share((chance >= limit)[allowed]),
    }


def with_raroi(item: Subject) -> dict[str, Any]:
    """Return what is known of a subject whose ROI counts less the more its entropy is."""
    return {"roi": item.roi, "entropy": item.entropy, "raroi": item.roi * (1 - 0.5 * item.entropy)}


def cost(items: Sequence[Subject], verdicts: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return CPU time of one verdict and of 10,000, and the share that another unit leaves as it was."""
    few = items[:150]
    both = [with_raroi(item) for item in items]
    single = min(_seconds(lambda: [predict(i.roi, i.entropy) for i in few]) for _ in range(3))
    adjusted = min(_seconds(lambda: [predict(**each) for each in both[:150]]) for _ in range(3))
    other = [
        predict_batch([{"roi": i.roi * unit, "entropy": i.entropy} for i in few]) for unit in (1000.0, 0.001)
    ]
    keys = ("risk", "brittle", "p_collapse", "probabilities")
    same = [all(v[k] == o[k] for k in keys) for found in other for v, o in zip(verdicts, found, strict=False)]
    return {
        "ms_a_verdict": single / len(few) * 1000,
        "ms_with_raroi": adjusted / len(few) * 1000,
        "batch_10000_s": _seconds(lambda: judged(items)) / len(items) * 10_000,
        "batch_10000_with_raroi_s": _seconds(lambda: predict_batch(both)) / len(items) * 10_000,
        "same_in_another_unit": share(same),
    }


def _seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(seed: int, count: int, donors: Sequence[Any], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Return {kind: {rule: scores}} for the subjects of one seed."""
    kinds = {"simulated": subjects(count, [seed, 1])}
    if len(donors):
        kinds["real noise"] = subjects(count // 2, [seed, 2], donors)
    found: dict[str, Any] = {}
    for kind, items in kinds.items():
        known = truth(items)
        verdicts = judged(items)
        found[kind] = {OURS: score(*known, *answer(verdicts)) | knob(items, verdicts)}
        found[kind] |= {name: score(*known, *rule(items)) for name, rule in rules.items()}
        if kind == "simulated":
            found[kind][OURS] |= cost(items, verdicts) | online(items[: count // 6], judged_one)
    return found


def judged_one(roi: Any, entropy: Any) -> str:
    """Return our label."""
    return str(predict(roi, entropy)["risk"])


def spread(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return {kind: {rule: {score: [mean, lowest, highest]}}}."""
    return {
        kind: {
            rule: {key: _range([run[kind][rule][key] for run in runs]) for key in runs[0][kind][rule]}
            for rule in runs[0][kind]
        }
        for kind in runs[0]
    }


def _range(values: Sequence[float]) -> list[float | None]:
    known = [each for each in values if np.isfinite(each)]
    return [float(np.mean(known)), min(known), max(known)] if known else [None, None, None]


def bars(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each bar with what was measured; `met` is None where nothing was."""
    rows = []
    for kind, wanted in BARS.items():
        for key, (sign, bar) in wanted.items():
            value = found[kind][OURS][key][0] if kind in found else None
            met = None if value is None else value >= bar if sign == ">=" else value <= bar
            rows.append({"kind": kind, "what": key, "bar": f"{sign} {bar:g}", "value": value, "met": met})
    return rows


def show(found: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Print tables."""
    for kind, rules in found.items():
        print(f"\n{kind}")
        for rule, scores in rules.items():
            print(f"  {rule}")
            for key, (mean, low, high) in scores.items():
                text = "not measured" if mean is None else f"{mean:.3f}  [{low:.3f}, {high:.3f}]"
                print(f"    {key:22s} {text}")
    print()
    for row in rows:
        state = "not measured" if row["met"] is None else "met" if row["met"] else "MISSED"
        value = "" if row["value"] is None else f"{row['value']:.3f}"
        print(f"{row['kind']:11s} {row['what']:22s} {row['bar']:>8s}  {value:>7s}  {state}")


def real(series: Mapping[str, Any], rules: Mapping[str, Rule], seed: int) -> dict[str, Any]:
    """Return the scores on cases inside real series, and the interval of what was missed."""
    items = real_cases(series, seed)
    known = truth(items)
    found = {OURS: score(*known, *answer(judged(items)))}
    found |= {name: score(*known, *rule(items)) for name, rule in rules.items()}
    collapses = int((known[0] == 3).sum())
    for scores in found.values():
        scores["missed_low"], scores["missed_high"] = wilson(scores["missed_collapse"], collapses)
        scores["collapses"] = float(collapses)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=5000)
    parser.add_argument("--subjects", type=int, default=1500)
    parser.add_argument("--series", type=Path, help="real series: JSON, or gzipped JSON")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    series = read(options.series) if options.series else {}
    donors = donor_residuals(list(series.values()))
    rules: dict[str, Rule] = {**FIXED, "boosting, plain features": Boosted(options.first_seed)}
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    runs = [measure(seed, options.subjects, donors, rules) for seed in seeds]
    if series:
        for seed, run in zip(seeds, runs, strict=True):
            run["real"] = real(series, rules, seed)
    found = spread(runs)
    rows = bars(found)
    show(found, rows)
    if options.json:
        options.json.write_text(json.dumps({"scores": found, "bars": rows}, indent=2))
    return 1 if any(row["met"] is False for row in rows) else 0


def read(path: Path) -> dict[str, Any]:
    """Return the series of a file by name."""
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return {name: np.array(values, dtype=float) for name, values in sorted(json.loads(text).items())}


if __name__ == "__main__":
    sys.exit(main())
