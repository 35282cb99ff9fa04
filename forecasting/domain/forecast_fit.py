"""Training of the global model: scikit-learn grows the trees, plain arrays leave.

Evaluation is always across sources: a series and its relatives (columns of one data set, repeats of one
curve) are never on both sides. The levels are then bent so that across sources the share of outcomes below
each quantile is what the quantile says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from forecasting.domain.forecast_features import features
from forecasting.domain.forecast_forest import GRID, STEPS, UNKNOWN, Forest, Ints
from forecasting.domain.forecast_input import Floats, checked
from forecasting.domain.forecast_rows import KNOWN, LEAST, Rows, backwards, made_series, rows_of

FOLDS: Final = 5
KNOTS: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.975, 0.99)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to train."""

    trees: int = 60
    least_in_leaf: int = 5
    share_of_features: float = 0.35
    rows_of_series: int = 40
    """At most so many origins of one series."""

    made: int = 400
    """How many series of known laws are added."""

    backwards: float = 0.3
    """Weight of the series backwards, in weights of the series themselves."""

    known_laws: float = 0.3
    seed: int = 0


def fit(series: Sequence[Floats], plan: Plan) -> Forest:
    """Return a forest trained on these series, each with at most `plan.rows_of_series` rows.

    Levels are not bent yet. The same series in the same order and the same plan give the same forest.
    Raises ValueError when no series has 17 points and moves.
    """
    rows = training_rows(series, plan)
    trees = _grow(rows, plan)
    parts = [_arrays(tree.tree_) for tree in trees.estimators_]
    sizes = np.cumsum([0] + [len(part["feature"]) for part in parts])
    leaf = np.stack([part["left"][at] for part, at in zip(parts, trees.apply(rows.inputs).T, strict=True)])
    shifted = [_shift(part, start) for part, start in zip(parts, sizes, strict=False)]
    joined = {name: np.concatenate([part[name] for part in shifted]) for name in parts[0]}
    grid = _grid(rows.outcomes)
    weight = rows.weights.astype(np.float32)
    same = np.array([KNOTS, KNOTS], np.float32)
    codes = encode(rows.outcomes, grid)
    return Forest(
        **joined,
        roots=sizes[:-1].astype(np.int32),
        leaf=leaf,
        weight=weight,
        code=codes,
        grid=grid,
        levels=same,
    )


def training_rows(series: Sequence[Floats], plan: Plan) -> Rows:
    """Return the rows of the series, of the series backwards and of known laws."""
    random = np.random.default_rng(plan.seed)
    rows = rows_of(series, plan.rows_of_series, random)
    total = float(rows.weights.sum())
    if plan.backwards > 0:
        rows += rows_of(backwards(series), 12, random).weighing(total * plan.backwards)
    if plan.known_laws > 0:
        rows += rows_of(made_series(plan.made, random), 10, random).weighing(total * plan.known_laws)
    return rows


def _grow(rows: Rows, plan: Plan) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor  # heavy: only who trains pays for it

    trees = ExtraTreesRegressor(
        plan.trees,
        min_samples_leaf=plan.least_in_leaf,
        max_features=plan.share_of_features,
        random_state=plan.seed,
        n_jobs=1,
    )
    # far outcomes would otherwise decide alone where trees split
    outcomes = np.arcsinh(rows.outcomes[:, :KNOWN])
    return trees.fit(rows.inputs, outcomes, sample_weight=rows.weights / rows.weights.mean())


def _arrays(tree: Any) -> dict[str, Ints]:
    """Return one tree's nodes, children counted within the tree; leaves carry their number in `left`."""
    is_leaf = tree.children_left < 0
    number = np.cumsum(is_leaf) - 1
    return {
        "feature": np.where(is_leaf, -1, tree.feature).astype(np.int8),
        "threshold": np.where(is_leaf, 0, tree.threshold).astype(np.float32),
        "left": np.where(is_leaf, number, tree.children_left).astype(np.int32),
        "right": np.where(is_leaf, 0, tree.children_right).astype(np.int32),
    }


def _shift(part: dict[str, Ints], start: int) -> dict[str, Ints]:
    """Return a tree's nodes with children counted from the first node of all trees."""
    inner = part["feature"] >= 0
    sides = ("left", "right")
    moved = {side: np.where(inner, part[side] + start, part[side]).astype(np.int32) for side in sides}
    return {**part, **moved}


def _grid(outcomes: Floats) -> Any:
    """Return 255 values for each step, at equal shares of the outcomes."""
    shares = (np.arange(GRID) + 0.5) / GRID
    return np.nanquantile(outcomes, shares, axis=0).astype(np.float32)


def encode(outcomes: Floats, grid: Any) -> Ints:
    """Return the nearest grid value's place of each outcome, UNKNOWN for NaN."""
    codes = np.full(outcomes.shape, UNKNOWN, np.uint8)
    for step in range(STEPS):
        known = np.isfinite(outcomes[:, step])
        middles = (grid[1:, step] + grid[:-1, step]) / 2
        codes[known, step] = np.searchsorted(middles, outcomes[known, step])
    return codes


def across(sources: Mapping[str, Sequence[Floats]], plan: Plan) -> list[tuple[Forest, list[Floats]]]:
    """Return FOLDS forests, each with the series of the sources it has not seen."""
    names = np.random.default_rng(plan.seed + 2).permutation(sorted(sources))
    made = []
    for fold in range(FOLDS):
        held = set(names[fold::FOLDS])
        seen = [values for name in sorted(sources) if name not in held for values in sources[name]]
        made.append((fit(seen, plan), [values for name in sorted(held) for values in sources[name]]))
    return made


def reached(forest: Forest, series: Sequence[Floats], most: int = 4) -> list[Floats]:
    """Return, for the last origins of each series, the level below which each step's outcome lay."""
    knots = np.linspace(0.0025, 0.9975, 200)
    found = []
    for values in series:
        for origin in range(len(values) - KNOWN, LEAST - 1, -KNOWN)[:most]:
            seen = checked(values[:origin])
            if seen.flat:
                continue
            known = forest.quantiles(features(seen.scaled), knots)[:KNOWN]
            later = (values[origin : origin + KNOWN] - seen.last) / seen.unit
            found.append(np.array([np.interp(x, row, knots) for x, row in zip(later, known, strict=True)]))
    return found


def bent(levels: Floats) -> Any:
    """Return KNOTS and the levels to ask for, given the levels that outcomes reached across sources."""
    asked = np.maximum.accumulate(np.quantile(levels, KNOTS))
    return np.array([KNOTS, np.clip(asked, 0.001, 0.999)], np.float32)


def train(sources: Mapping[str, Sequence[Floats]], plan: Plan) -> Forest:
    """Return a forest of all series with levels bent by forests that had not seen them.

    `sources` are series by where they come from: relatives must share a name. Raises ValueError as `fit`
    does.
    """
    everything = [values for name in sorted(sources) for values in sources[name]]
    forest = fit(everything, plan)
    if len(sources) < FOLDS:
        return forest
    levels = [level for other, held in across(sources, plan) for level in reached(other, held)]
    return replace(forest, levels=bent(np.concatenate(levels))) if levels else forest
