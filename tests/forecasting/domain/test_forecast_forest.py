"""The forest as arrays: it says what its rows say, its file is checked, and it is scikit-learn's trees."""

import io
import json
from importlib import resources
from typing import Any

import numpy as np
import pytest

from forecasting.domain.forecast_features import NAMES, features
from forecasting.domain.forecast_fit import Plan, _grow, bent, encode, fit, train, training_rows
from forecasting.domain.forecast_forest import GRID, STEPS, UNKNOWN, BadModel, Forest, dump, load, stretched
from forecasting.domain.forecast_input import checked
from forecasting.domain.forecast_rows import made_series, rows_of
from forecasting.domain.forecast_shipped import card, digest_of, shipped

SMALL = Plan(trees=4, rows_of_series=6, made=7, backwards=0.2, known_laws=0.2)
LEVELS = np.array([0.1, 0.5, 0.9])


@pytest.fixture(scope="module")
def series() -> list[Any]:
    return made_series(14, np.random.default_rng(5))


@pytest.fixture(scope="module")
def forest(series: list[Any]) -> Forest:
    return fit(series, SMALL)


def seen(values: Any) -> Any:
    return features(checked(values).scaled)


def test_leaves_are_those_of_the_library(series: list[Any], forest: Forest) -> None:
    rows = training_rows(series, SMALL)
    trees = _grow(rows, SMALL)
    inputs = np.array([seen(values) for values in series])
    theirs = trees.apply(inputs)
    first = [np.flatnonzero(trees.estimators_[tree].tree_.children_left < 0) for tree in range(SMALL.trees)]
    for row, each in zip(theirs, inputs, strict=True):
        numbered = [int(np.searchsorted(first[tree], leaf)) for tree, leaf in enumerate(row)]
        assert forest.leaves(each).tolist() == numbered


def test_shares_add_up_and_are_those_of_the_leaves(series: list[Any], forest: Forest) -> None:
    shares = forest.shares(seen(series[0]))
    assert shares.sum() == pytest.approx(1.0)
    leaves = forest.leaves(seen(series[0]))
    together = (forest.leaf == leaves[:, None]).any(axis=0)
    assert ((shares > 0) == together).all()


def test_quantiles_rise_and_lie_within_the_outcomes(series: list[Any], forest: Forest) -> None:
    rows = forest.quantiles(seen(series[1]), LEVELS)
    assert rows.shape == (STEPS, 3)
    assert (np.diff(rows, axis=1) >= 0).all()
    assert (rows >= forest.grid.min(axis=0)[:, None]).all()
    assert (rows <= forest.grid.max(axis=0)[:, None]).all()


def test_the_same_seed_gives_the_same_file(series: list[Any], forest: Forest) -> None:
    assert dump(fit(series, SMALL)) == dump(forest)
    assert dump(fit(series, Plan(**{**vars_of(SMALL), "seed": 1}))) != dump(forest)


def vars_of(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in plan.__dataclass_fields__}


def test_a_file_gives_the_same_forecasts_back(series: list[Any], forest: Forest) -> None:
    again = load(dump(forest))
    for values in series[:5]:
        assert np.array_equal(again.quantiles(seen(values), LEVELS), forest.quantiles(seen(values), LEVELS))
    assert dump(again) == dump(forest)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"x" * 2000, b"\x80\x04K\x01."])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(BadModel, match="no readable forecast model"):
        load(data)


def test_a_file_that_was_cut_off_is_refused(forest: Forest) -> None:
    whole = dump(forest)
    for end in (100, len(whole) // 2, len(whole) - 1):
        with pytest.raises(BadModel):
            load(whole[:end])


def changed(forest: Forest, **arrays: Any) -> bytes:
    with np.load(io.BytesIO(dump(forest))) as file:
        kept = {name: file[name] for name in file.files}
    out = io.BytesIO()
    np.savez_compressed(out, **{**kept, **arrays})
    return out.getvalue()


@pytest.mark.parametrize("name", ["right", "left"])
def test_a_walk_that_would_never_end_is_refused(forest: Forest, name: str) -> None:
    loops = np.where(forest.feature >= 0, 0, getattr(forest, name)).astype(np.int32)
    with pytest.raises(BadModel, match="outside of themselves"):
        load(changed(forest, **{name: loops}))


@pytest.mark.parametrize(
    "arrays",
    [
        {"feature": np.full(3, 1, np.int8)},
        {"threshold": np.array(["a"])},
        {"weight": np.array([1.0])},
        {"leaf": np.zeros((0, 0), np.int32)},
        {"leaf": np.zeros(4, np.int32)},
        {"roots": np.array([10**6], np.int32)},
        {"format": np.array([99])},
        {"features": np.array(["other"])},
        {"grid": np.full((GRID, STEPS), np.nan, np.float32)},
        {"levels": np.zeros((2, 13), np.float32)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(forest: Forest, arrays: dict[str, Any]) -> None:
    with pytest.raises(BadModel):
        load(changed(forest, **arrays))


def test_pickled_objects_are_refused(forest: Forest) -> None:
    out = io.BytesIO()
    np.savez(out, feature=np.array([{}], dtype=object))
    with pytest.raises(BadModel):
        load(out.getvalue())


def test_rows_join_the_leaves_without_new_trees(series: list[Any], forest: Forest) -> None:
    rows = rows_of([np.arange(40.0) ** 1.5], 10, np.random.default_rng(0))
    heavy = rows.weighing(float(forest.weight.sum()) * 50)
    more = forest.extended(heavy.inputs, encode(heavy.outcomes, forest.grid), heavy.weights)
    assert (more.rows, more.trees) == (forest.rows + 10, forest.trees)
    assert len(more.feature) == len(forest.feature)
    own = more.quantiles(heavy.inputs[3], LEVELS)
    assert own[0, 1] == pytest.approx(heavy.outcomes[3, 0], abs=0.05)
    assert load(dump(more)).rows == more.rows


def test_outcomes_are_kept_as_places_on_the_grid(forest: Forest) -> None:
    outcomes = np.full((3, STEPS), np.nan)
    outcomes[0], outcomes[1, :5] = forest.grid[7], forest.grid[200, :5]
    codes = encode(outcomes, forest.grid)
    assert np.array_equal(forest.grid[codes[0], np.arange(STEPS)], forest.grid[7])
    assert (codes[1, 5:] == UNKNOWN).all()
    assert (codes[2] == UNKNOWN).all()


def test_levels_are_bent_so_that_what_is_said_is_reached() -> None:
    too_wide = 0.5 + (np.random.default_rng(0).random(5000) - 0.5) * 0.8
    wished, asked = bent(too_wide)
    assert asked[wished == np.float32(0.9)][0] == pytest.approx(0.82, abs=0.01)
    assert asked[wished == np.float32(0.1)][0] == pytest.approx(0.18, abs=0.01)
    assert (np.diff(asked) >= 0).all()


def test_training_bends_levels_across_sources(series: list[Any]) -> None:
    sources = {f"source {place}": [values] for place, values in enumerate(series[:6])}
    forest = train(sources, Plan(trees=2, rows_of_series=4, known_laws=0.0, backwards=0.0))
    assert not np.array_equal(forest.levels[0], forest.levels[1])
    few = train({"one": series[:3]}, Plan(trees=2, rows_of_series=4, known_laws=0.0, backwards=0.0))
    assert np.array_equal(few.levels[0], few.levels[1])


def test_series_too_short_to_learn_from_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing to train on"):
        fit([np.arange(10.0), np.ones(50)], SMALL)


def test_a_row_knows_nothing_after_its_origin() -> None:
    values = np.random.default_rng(1).normal(0, 1, 60).cumsum()
    before = rows_of([values[:40]], 100, np.random.default_rng(0))
    other = np.concatenate([values[:40], np.full(20, 1e6)])
    after = rows_of([other], 100, np.random.default_rng(0))
    assert np.array_equal(after.inputs[: len(before.inputs)], before.inputs)


def test_the_names_of_features_are_all_there() -> None:
    for points in (8, 9, 12, 40, 200):
        assert len(seen(np.random.default_rng(points).normal(0, 1, points))) == len(NAMES)


def test_paths_are_stretched_beyond_the_tenth_step_only() -> None:
    paths = np.outer(np.arange(1, 11), [0.5, 1.0, 1.5])
    assert np.array_equal(stretched(paths, 4), paths[:4])
    far = stretched(paths, 14)
    assert np.array_equal(far[:10], paths)
    assert (np.diff(far[:, 1]) > 0).all()


def test_the_shipped_files_belong_together_and_are_small() -> None:
    data = resources.files("forecasting.domain").joinpath("forecast_model.npz").read_bytes()
    assert digest_of(data) == card()["digest"]
    assert len(data) == card()["bytes"] < 3e6
    forest = shipped()
    assert (forest.trees, forest.rows) == (card()["trees"], card()["rows"])
    assert card()["backtest"]["ours"]["crps"] < 0.8 * card()["backtest"]["naive"]["crps"]
    assert json.loads(json.dumps(card())) == card()
