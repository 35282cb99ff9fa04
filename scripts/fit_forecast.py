#!/usr/bin/env python3
"""Make the shipped forecast model again, with its data card.

    .venv/bin/python scripts/fit_forecast.py CORPUS.json.gz [--seed 0] [--out FOLDER]

CORPUS is a gzipped JSON object of short series by name, `FAMILY/SOURCE…`: public learning curves, yearly and
weekly statistics, server metrics (docs/algorithms/forecast.md says which). The corpus itself is not part of
the project. The same corpus and seed give the same arrays; the card's figures are measured across sources:
five models, each scored on the sources that it has not seen.
"""

import argparse
import datetime as dt
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from forecasting.domain.forecast import Model, quantiles
from forecasting.domain.forecast_backtest import LEVELS, STEPS, means, walk
from forecasting.domain.forecast_fit import Plan, across, train
from forecasting.domain.forecast_forest import Forest, dump
from forecasting.domain.forecast_shipped import ARRAYS, CARD, digest_of

VERSION = "1"
Sources = dict[str, list[Any]]


def source_of(name: str) -> str:
    """Return what a series shares with its relatives: a column's data set, a learning curve's task."""
    family = name.split("/")[0]
    return {"r": name.rsplit(".", 1)[0], "lcdb": name.split(".")[0]}.get(family, name)


def sources_of(corpus: Mapping[str, list[float]]) -> Sources:
    """Return the series by source."""
    found: Sources = {}
    for name in sorted(corpus):
        found.setdefault(source_of(name), []).append(np.asarray(corpus[name], float))
    return found


def as_model(forest: Forest) -> Any:
    """Return the method that a backtest asks."""
    model = Model(forest, "candidate")
    return lambda values: quantiles(values, STEPS, LEVELS, model=model)


def backtest(sources: Sources, plan: Plan) -> dict[str, Any]:
    """Return the mean scores on sources a model has not seen, beside repeating the last value."""
    ours, naive = [], []
    for forest, held in across(sources, plan):
        ours += list(walk(as_model(forest), held))
        naive += list(walk(repeated, held))
    return {"ours": means(ours), "naive": means(naive), "how": "5 folds across sources, last two origins"}


def repeated(values: Any) -> Any:
    """Return the last value with the spread of a random walk."""
    normals = np.array([-1.95996, -1.28155, -0.67449, 0, 0.67449, 1.28155, 1.95996])
    spread = np.sqrt(np.mean(np.diff(values) ** 2) * np.arange(1, STEPS + 1))
    return values[-1] + spread[:, None] * normals


def data_of(corpus: Mapping[str, list[float]]) -> dict[str, Any]:
    """Return what the card says of the series."""
    points = [len(values) for values in corpus.values()]
    return {
        "series": len(corpus),
        "points": sum(points),
        "shortest": min(points),
        "longest": max(points),
        "families": dict(Counter(name.split("/")[0] for name in sorted(corpus))),
        "made": "and as many series of known laws as the plan says, and each series backwards",
    }


def main(arguments: Iterable[str] | None = None) -> int:
    """Read the corpus, train, write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trees", type=int, default=Plan().trees)
    home = Path(__file__).resolve().parents[1] / "forecasting" / "domain"
    parser.add_argument("--out", type=Path, default=home, help="folder for both files")
    options = parser.parse_args(None if arguments is None else list(arguments))
    corpus = json.loads(gzip.decompress(options.corpus.read_bytes()))
    plan, sources = Plan(seed=options.seed, trees=options.trees), sources_of(corpus)
    forest = train(sources, plan)
    data = dump(forest)
    card = {
        "version": VERSION,
        "digest": digest_of(data),
        "bytes": len(data),
        "kind": "quantile regression forest (extremely randomized trees), ten steps",
        "trees": forest.trees,
        "rows": forest.rows,
        "data": data_of(corpus),
        "plan": asdict(plan),
        "backtest": backtest(sources, plan),
        "made_by": "scripts/fit_forecast.py",
        "made_on": dt.datetime.now(dt.UTC).date().isoformat(),
    }
    (options.out / ARRAYS).write_bytes(data)
    (options.out / CARD).write_text(json.dumps(card, indent=2, sort_keys=True) + "\n")
    print(json.dumps(card["backtest"], indent=2), f"{len(data) / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
