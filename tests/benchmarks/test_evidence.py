"""The command that compares rules of promotion: its world is what it says, and its rules part ways."""

import importlib
from types import ModuleType

import numpy as np
import pytest
from django.conf import settings

from engines.domain.significance import corrected_paired_test, mcnemar


@pytest.fixture
def evidence(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The command."""
    monkeypatch.syspath_prepend(str(settings.BASE_DIR / "benchmarks"))
    return importlib.import_module("evidence")


OURS = "ours: rows, unless folds object"


def test_folds_score_each_development_row_once_and_no_held_out_one(evidence: ModuleType) -> None:
    world = evidence.World(np.random.default_rng(0), 40, 10)
    assert sorted(np.concatenate(world.splits(1)).tolist()) == list(range(40))
    assert len(world.splits(2)) == 2 * evidence.FOLDS
    assert len(world.tested(world.columns(1.0))) == 10


def test_columns_that_are_worth_more_make_better_models(evidence: ModuleType) -> None:
    world = evidence.World(np.random.default_rng(1), 300, 3000)
    right = [float(np.mean(world.tested(world.columns(worth)))) for worth in (0.0, 1.0, 3.0)]
    assert right == sorted(right)
    assert right[0] == pytest.approx(0.5, abs=0.05)
    assert right[2] - right[1] > 0.1


def test_the_rules_part_where_the_evidence_does(evidence: ModuleType) -> None:
    rows = mcnemar([False] * 40 + [True] * 60, [True] * 100, 0.01)
    old = [0.7 + i / 100 for i in range(10)]
    worse = corrected_paired_test(old, [score - 0.1 - i % 3 / 100 for i, score in enumerate(old)], 0.2, 0.01)
    seen = evidence.Evidence(rows, worse, 1.0)
    promoting = {name for name, rule in evidence.RULES.items() if rule(seen)}
    assert promoting == {"higher on held-out rows", "held-out rows alone"}


def test_a_great_gain_is_found_and_counted(evidence: ModuleType) -> None:
    found = [evidence.single(seed, 120, 200, 4.0) for seed in range(5)]
    share, low, high = evidence.shares(found)[OURS]
    assert share >= 0.8
    assert low < share <= high
    assert evidence.by_influence("roc_auc", 10, 4.0) >= 0.8
