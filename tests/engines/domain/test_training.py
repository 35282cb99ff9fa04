"""The jobs themselves, called here on a tiny bot: protocol, determinism, budget, what leaves."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.domain.training import train
from engines.domain.training_bot import BotError, load_bot
from engines.domain.training_evaluate import evaluate
from engines.domain.training_report import read_evaluation, read_training
from engines.domain.training_scores import DIRECTION
from engines.domain.training_setting import cpu_seconds, setting
from tests.engines.domain import tiny_bot
from tests.fakes import InProcessJob

BOT = "tests.engines.domain.tiny_bot"


def payload(name: str = "mapping", **fields: Any) -> dict[str, Any]:
    base = {"pipeline": f"{BOT}:{name}", "metric": None, "direction": None, "seed": 3, "params": None}
    return base | {"cpu_seconds": 20.0, "trials": 8, "search_seed": 5} | fields


@pytest.fixture
def job(tmp_path: Path) -> InProcessJob:
    return InProcessJob(tmp_path, None, None)


def test_a_better_model_is_found_and_measured_on_rows_it_never_saw(job: InProcessJob) -> None:
    found = read_training(train(payload(), job))
    assert found.challenger is not None
    assert (found.rows, found.test_rows, len(found.champion.fold_scores)) == (150, 50, 10)
    assert found.uplift is not None
    assert found.uplift > 0.2
    assert {(job.scratch / name).exists() for name in ("model.bin", "champion.bin")} == {True}


def test_the_same_seeds_give_the_same_report(tmp_path: Path) -> None:
    reports = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        document = train(payload(), InProcessJob(tmp_path / name, None, None))
        reports.append(without_seconds(document))
    assert reports[0] == reports[1]


def without_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_seconds(item) for key, item in value.items() if key != "cpu_seconds"}
    return [without_seconds(item) for item in value] if isinstance(value, list) else value


def test_no_search_row_is_a_test_row(job: InProcessJob) -> None:
    tiny_bot.SEEN.clear()
    train(payload("spying"), job)
    fitted = set().union(*tiny_bot.SEEN)
    assert len(fitted) == 150


def test_a_search_without_space_ends_with_the_champion(job: InProcessJob) -> None:
    found = read_training(train(payload("fixed"), job))
    assert (found.challenger, found.uplift) == (None, None)
    assert not (job.scratch / "model.bin").exists()


def test_the_report_says_how_many_folds_a_rare_class_allowed(job: InProcessJob) -> None:
    found = read_training(train(payload("rare"), job))
    assert found.folds == 3, "of four, one is held out"
    assert len(found.champion.fold_scores) % found.folds == 0


def test_a_regression_is_measured_with_its_own_metrics(job: InProcessJob) -> None:
    found = read_training(train(payload("regression", metric="rmse", direction="min"), job))
    assert set(found.champion.metrics) == {"r2", "mae", "mse", "rmse"}
    rows = found.champion.contributions
    assert rows is not None
    assert -sum(rows) / len(rows) == pytest.approx(found.champion.metrics["rmse"])
    assert (found.metric, found.direction) == ("rmse", "min")


def test_configurations_that_fail_are_reported_and_passed_over(job: InProcessJob) -> None:
    found = read_training(train(payload("fragile"), job))
    states = found.search["states"]
    assert states["failed"] > 0
    assert any("RuntimeError: too wide" in row["error"] for row in found.search["shown"])


def test_an_evaluation_scores_and_describes(job: InProcessJob) -> None:
    found = read_evaluation(evaluate(payload(), job))
    assert 0.3 < found.metrics["accuracy"] < 0.8
    assert found.data["data_rows"] == 200
    assert found.data["target_majority_share"] == pytest.approx(0.5, abs=0.15)
    assert (job.scratch / "model.bin").exists()


@pytest.mark.parametrize(
    ("name", "metric", "truth"),
    [("mapping", "accuracy", "share"), ("regression", "mae", "median"), ("regression", "rmse", "mean")],
)
def test_guessing_is_scored_on_the_same_rows(job: InProcessJob, name: str, metric: str, truth: str) -> None:
    given = payload(name, metric=metric, direction=DIRECTION[metric])
    here = setting(given)
    learn, told = (here.bot.y[rows] for rows in (here.parts.learn, here.parts.score))
    expected = {
        "share": lambda: float(np.mean(told == np.bincount(learn.astype(int)).argmax())),
        "median": lambda: float(np.abs(told - np.median(learn)).mean()),
        "mean": lambda: float(np.sqrt(np.square(told - learn.mean()).mean())),
    }[truth]()
    assert read_evaluation(evaluate(given, job)).naive == pytest.approx(expected)


def test_a_deployed_file_is_loaded_instead_of_trained(job: InProcessJob) -> None:
    trained = evaluate(payload(params={"width": 0.3}), job)
    (job.scratch / "model.bin").rename(job.scratch / "champion.bin")
    assert evaluate(payload(artifact=True), job)["metrics"] == trained["metrics"]
    assert not (job.scratch / "model.bin").exists()


def test_the_digest_follows_the_data() -> None:
    one, same, other = (load_bot(f"{BOT}:{name}").digest for name in ("mapping", "fixed", "regression"))
    assert one == same
    assert one != other


def test_an_object_serves_as_well_as_a_mapping() -> None:
    bot = load_bot(f"{BOT}:as_object")
    assert (bot.task, bot.metric, bot.test_fraction, len(bot.y)) == ("classification", "accuracy", 0.25, 200)


def test_texts_may_be_rows() -> None:
    assert len(load_bot(f"{BOT}:texts").digest) == 64


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"task": "ranking"}, "task must be"),
        ({"estimator": 3}, "estimator must be a function, not int"),
        ({"estimator": None}, "no estimator|must be a function"),
        ({"defaults": 3}, "defaults must be a mapping"),
        ({"defaults": {"a": math.nan}}, "plain JSON"),
        ({"defaults": {"a": object()}}, "plain JSON"),
        ({"test_fraction": 0.9}, "from 0.05 to 0.5"),
        ({"test_fraction": True}, "from 0.05 to 0.5"),
        ({"dataset": None}, "returned no X"),
        ({"dataset": lambda: 3}, "pair of rows and targets"),
        ({"dataset": lambda: (np.ones((30, 2)), np.ones(29))}, "one target a row"),
        ({"dataset": lambda: (np.ones((30, 2)), np.ones((30, 2)))}, "one target a row"),
        ({"dataset": lambda: (np.ones((5, 2)), np.arange(5))}, "at least 20"),
        ({"dataset": lambda: (np.ones((30, 2)), np.ones(30))}, "two classes"),
        ({"dataset": lambda: (np.ones((30, 2)), np.arange(30))}, "at least 4 rows"),
        (
            {"task": "regression", "dataset": lambda: (np.ones((30, 2)), np.full(30, np.nan))},
            "missing or infinite",
        ),
        ({"save": "x"}, "save must be a function"),
    ],
)
def test_what_breaks_the_protocol_is_named(
    fields: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny_bot, "OVERRIDES", fields)
    with pytest.raises(BotError, match=words):
        load_bot(f"{BOT}:overridden")


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"metric": "beauty"}, "not known"), ({"metric": "accuracy", "direction": "min"}, "makes models worse")],
)
def test_a_metric_that_makes_no_sense_is_refused(
    fields: dict[str, Any], words: str, job: InProcessJob
) -> None:
    with pytest.raises(BotError, match=words):
        evaluate(payload(**fields), job)


def test_costly_models_are_compared_on_fewer_folds(job: InProcessJob) -> None:
    """One fold costs far more than its share of the budget, so the second repeat is left out."""
    found = read_training(train(payload("slow", cpu_seconds=0.2, trials=3), job))
    assert len(found.champion.fold_scores) == 5
    assert found.challenger is None or len(found.challenger.fold_scores) == 5


def test_the_whole_job_keeps_to_its_budget(job: InProcessJob) -> None:
    before = cpu_seconds()
    document = train(payload("slow", cpu_seconds=2.0, trials=1000), job)
    assert document["search"]["stopped_by"] == "cpu_seconds"
    assert cpu_seconds() - before < 2.0 * 1.1
