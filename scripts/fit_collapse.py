#!/usr/bin/env python3
"""Remake the shipped model of the verdicts on collapse, with its data card.

    .venv/bin/python scripts/fit_collapse.py [--series FILE] [--part SEED:COUNT … | --trees FILE] [--out FILE]

One half of the subjects is simulated throughout; the noise of the other comes from residuals of the series in
FILE (JSON or gzipped JSON, name -> values), also upside down and backwards; every fourth series is kept for
checking.  Without FILE all are simulated.  The rule is chosen on subjects of their own, judged once and cycle
by cycle, and the figures in the card come from yet others.  Takes six minutes of CPU; the same parts and file
give the same bytes.  With the trees of a model that was fitted before, only rule and limits are chosen, in
two minutes: with those of the shipped model they come out as they are shipped.
"""

import argparse
import gzip
import hashlib
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from forecasting.domain.collapse_features import features, lone_dip
from forecasting.domain.collapse_labels import IMMEDIATE, LABELS, Array, Mask
from forecasting.domain.collapse_model import VERSION, Chances, Model, Rule, dumps, loads
from forecasting.domain.collapse_policy import calibrated_threshold, risk_score
from forecasting.domain.collapse_posterior import posterior
from forecasting.domain.collapse_replay import Moment, moments, warnings
from forecasting.domain.collapse_scores import FIRST_BLOCKED, score
from forecasting.domain.collapse_series import ENOUGH, read_history
from forecasting.domain.collapse_simulate import Subject, donor_residuals, subjects
from forecasting.domain.collapse_trees import from_boosting

OUT = Path(__file__).resolve().parents[1] / "forecasting" / "domain" / "collapse_model.npz"
PARTS = [(601, 48_000), (602, 60_000)]  # seeds of the training subjects, and how many of each
CHECKED, REPLAYED, SEED = (501, 502), 503, 7
DEPTH = 7
ROUNDS = {"labels": 450, "brittle": 200}
BOOSTING = {
    "learning_rate": 0.04,
    "max_leaf_nodes": 24,
    "max_depth": DEPTH,
    "min_samples_leaf": 40,
    "l2_regularization": 10.0,
    "max_features": 0.4,
    "early_stopping": False,
}
ALLOWED = (0.02, 0.05, 0.10, 0.13)
SIMULATED = {
    "macro_f1": (0.72, 0.012),
    "f1_immediate": (0.79, 0.013),
    "false_block": (0.08, -0.008),
    "missed_collapse": (0.13, -0.013),
    "brittle_f1": (0.90, 0.012),
    "gate_accuracy": (0.90, 0.006),
}
REAL_NOISE = SIMULATED | {
    "macro_f1": (0.70, 0.015),
    "f1_immediate": (0.76, 0.015),
    "false_block": (0.10, -0.010),
    "gate_accuracy": (0.89, 0.008),
}
BARS = (SIMULATED, REAL_NOISE)
REPLAYS = {"online_false_per_100": (1.0, -0.25), "online_in_time": (0.5, 0.05)}
RULES = {
    "collapse": (4.0, 5.0),
    "block": (2.2, 2.4, 2.6, 2.8, 3.0, 3.2),
    "immediate": (1.5, 1.7, 1.9),
    "warn": (1.6, 2.0, 2.4),
    "dip": (1.5, 2.2, 3.0),
    "short": (2.0, 3.0),
    "brittle": (0.45,),
}


class Sample:
    """Histories with what a model reads of them; those that no model judges are left out."""

    def __init__(self, histories: Iterable[tuple[Array, Array]]) -> None:
        rows, dips, kept, lengths = [], [], [], []
        for roi, entropy in histories:
            history = read_history(roi.tolist(), entropy.tolist())
            long = history.positive and len(history.values) >= ENOUGH
            kept.append(long)
            if long:
                pair = posterior(history.values, history.entropy)
                rows.append(features(history.values, history.entropy, *pair).astype(np.float32))
                dips.append(lone_dip(history.values, history.entropy, pair[1]))
                lengths.append(len(history.values))
        self.inputs: Array = np.array(rows).astype(np.float64)
        self.dips, self.kept = np.array(dips, dtype=bool), np.array(kept, dtype=bool)
        self.lengths = np.array(lengths)

    def decide(self, rule: Rule, chances: Chances) -> tuple[NDArray[np.intp], Mask]:
        """Return label indices and brittle flags by `rule`."""
        return rule.decide(chances, self.dips, self.lengths)


class Labelled(Sample):
    """Subjects judged at their last cycle, with their labels and brittleness."""

    def __init__(self, drawn: Sequence[Subject]) -> None:
        super().__init__((each.roi, each.entropy) for each in drawn)
        self.labels = np.array([LABELS.index(each.label) for each in drawn])[self.kept]
        self.brittle = np.array([each.brittle for each in drawn])[self.kept]


class Replay(Sample):
    """Subjects judged cycle by cycle; a history that no model judges counts as warned of."""

    def __init__(self, drawn: Sequence[Subject]) -> None:
        self.asked: list[Moment] = moments(drawn)
        super().__init__((each.roi, each.entropy) for each in self.asked)

    def warnings(self, rule: Rule, chances: Chances) -> dict[str, float]:
        """Return how good the warnings by `rule` are."""
        warned = np.ones(len(self.asked), dtype=bool)
        warned[self.kept] = self.decide(rule, chances)[0] == LABELS.index(IMMEDIATE)
        return warnings(self.asked, warned)


Checks = Sequence[tuple[Labelled, Chances]]


def donors_of(path: Path | None) -> tuple[list[Array], list[Array], str]:
    """Return residuals for training, residuals for checking, and the digest of the file."""
    if path is None:
        return [], [], ""
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    series = {name: np.array(values, dtype=float) for name, values in sorted(json.loads(text).items())}
    train = donor_residuals([values for at, values in enumerate(series.values()) if at % 4])
    return train, donor_residuals(list(series.values())[::4]), hashlib.sha256(content).hexdigest()


def turned(donors: Sequence[Array]) -> list[Array]:
    """Return each donor as it is, upside down, backwards, and both: few donors stand for all there are."""
    return [each for donor in donors for each in (donor, -donor, donor[::-1], -donor[::-1])]


def fit(samples: Sequence[Labelled]) -> Model:
    """Return the model with an even rule."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    inputs, trees = np.concatenate([each.inputs for each in samples]), []
    for name in ("labels", "brittle"):
        truth = np.concatenate([getattr(each, name) for each in samples])
        boosting = HistGradientBoostingClassifier(**BOOSTING, max_iter=ROUNDS[name], random_state=SEED)
        trees.append(from_boosting(boosting.fit(inputs, truth), DEPTH))
    return Model(trees[0], trees[1], Rule(), {})


def margin(rule: Rule, checks: Checks, replay: Replay, chances: Chances) -> float:
    """Return the least distance to a bar in sampling errors, below 0 when one is missed.

    The errors are those of 2000 subjects judged once, and of some hundreds replayed.
    """
    pairs = [
        (score(sample.labels, sample.brittle, *sample.decide(rule, each)), bars)
        for bars, (sample, each) in zip(BARS, checks, strict=False)
    ]
    pairs.append((replay.warnings(rule, chances), REPLAYS))
    return min((found[name] - bar) / error for found, bars in pairs for name, (bar, error) in bars.items())


def tuned(checks: Checks, replay: Replay, chances: Chances) -> Rule:
    """Return the rule farthest from every bar."""
    rules = [Rule(**dict(zip(RULES, values, strict=True))) for values in product(*RULES.values())]
    return max(rules, key=lambda each: margin(each, checks, replay, chances))


def risk_scores(_rule: Rule, _sample: Labelled, chances: Chances) -> list[float]:
    """Return the risk score of each subject."""
    pairs = zip(chances.labels, chances.brittle, strict=True)
    return [risk_score(dict(zip(LABELS, labels, strict=True)), brittle) for labels, brittle in pairs]


def beside_the_label(rule: Rule, sample: Labelled, chances: Chances) -> list[float]:
    """Return the probability of a collapse, 1 where label or brittleness blocks anyway."""
    labels, brittle = sample.decide(rule, chances)
    found: list[float] = np.where((labels >= FIRST_BLOCKED) | brittle, 1.0, chances.labels[:, 3]).tolist()
    return found


def thresholds(
    rule: Rule, parts: Sequence[Checks], scores: Callable[[Rule, Labelled, Chances], list[float]]
) -> dict[str, float]:
    """Return the threshold on `scores` for each allowed share of missed collapses: it holds for each kind.

    The parts are subjects of the same kinds, in the same order.
    """
    kinds = []
    for kind in zip(*parts, strict=True):
        every = [score for each in kind for score in scores(rule, *each)]
        kinds.append((every, (np.concatenate([sample.labels for sample, _ in kind]) == 3).tolist()))
    found = {str(each): min(calibrated_threshold(*kind, each) for kind in kinds) for each in ALLOWED}
    return {each: math.floor(limit * 1e4) / 1e4 for each, limit in found.items() if limit < 1}


def drawn(count: int, seed: Sequence[int], donors: Sequence[Array], shortest: int = 10) -> Labelled:
    """Return a sample of `count` subjects, half of them with noise of the donors."""
    half = count // 2 if len(donors) else 0
    plain = subjects(count - half, [*seed, 1], shortest=shortest)
    return Labelled(plain + subjects(half, [*seed, 2], donors, shortest=shortest))


def checking(count: int, seed: Sequence[int], donors: Sequence[Array], model: Model) -> Checks:
    """Return `count` simulated subjects and as many with noise of `donors`, with their chances."""
    pair = [Labelled(subjects(count, [*seed, 1])), Labelled(subjects(count, [*seed, 2], donors))]
    return [(each, model.chances(each.inputs)) for each in pair]


def checked(rule: Rule, checks: Checks) -> dict[str, dict[str, float]]:
    """Return the scores on both kinds of subjects."""
    found = {}
    for name, (sample, chances) in zip(("simulated", "real noise"), checks, strict=True):
        scores = score(sample.labels, sample.brittle, *sample.decide(rule, chances))
        found[name] = {key: round(value, 4) for key, value in scores.items()}
    return found


def part(text: str) -> tuple[int, int]:
    """Return seed and number of subjects, written SEED:SUBJECTS."""
    seed, _, count = text.partition(":")
    return int(seed), int(count)


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=Path, help="real series whose residuals become noise")
    parser.add_argument("--part", type=part, nargs="+", default=PARTS, metavar="SEED:SUBJECTS")
    parser.add_argument("--trees", type=Path, metavar="FILE", help="fit none, take those of this model")
    parser.add_argument("--checks", type=int, default=8000, help="subjects of a kind to choose the rule on")
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args(arguments)


def made(options: argparse.Namespace, lent: Sequence[Array]) -> Model:
    """Return a model without a rule, as precise as it is kept; its card says how its trees were fitted."""
    if options.trees:
        model = loads(options.trees.read_bytes(), str(options.trees))
        return replace(model, card={name: model.card[name] for name in ("parts", "subjects", "boosting")})
    model = fit([drawn(count, [seed], lent, shortest=ENOUGH) for seed, count in options.part])
    card = {
        "version": VERSION,
        "parts": dict(options.part),
        "subjects": sum(count for _, count in options.part),
        "boosting": BOOSTING | {"max_iter": ROUNDS, "random_state": SEED},
    }
    return loads(dumps(replace(model, card=card)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, choose, check, write."""
    options = options_of(arguments)
    train, check, digest = donors_of(options.series)
    model = made(options, turned(train))
    choosing, fresh = (checking(options.checks, [seed], check, model) for seed in CHECKED)
    replay = Replay(subjects(options.checks // 2, [REPLAYED]))
    chances = model.chances(replay.inputs)
    rule = tuned(choosing, replay, chances)
    card = {
        **model.card,
        "version": VERSION,
        "series_sha256": digest,
        "residual_donors": {"training": len(train), "checking": len(check)},
        "rule": asdict(rule),
        "thresholds": thresholds(rule, (choosing, fresh), risk_scores),
        "p_collapse_limits": thresholds(rule, (choosing, fresh), beside_the_label),
        "chosen": checked(rule, choosing) | {"replays": replay.warnings(rule, chances)},
        "checked": checked(rule, fresh),
    }
    content = dumps(replace(model, rule=rule, card=card))
    options.out.write_bytes(content)
    print(json.dumps(card, indent=2))
    print(f"{options.out}: {len(content) / 1024:.0f} kB, SHA-256 {hashlib.sha256(content).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
