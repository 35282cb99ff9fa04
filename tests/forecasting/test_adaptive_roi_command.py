"""`manage.py adaptive_roi`: a forecast for each line and no line lost; training from the command line."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from forecasting.domain import forecast_shipped
from forecasting.domain.forecast import answer
from forecasting.domain.forecast_forest import dump
from forecasting.management import forecast_lines
from forecasting.management.commands import adaptive_roi
from forecasting.models import ForecastModel, RoiEvent
from forecasting.services import predictor
from menace_site.plain import plain_command
from tests.forecasting.forests import few_trees
from tests.forecasting.test_predictor_service import events, teeth

VALUES = [1.0, 1.2, 1.1, 1.4, 1.3, 1.6, 1.5, 1.9, 1.8]
Run = tuple[int, list[str], list[str]]


def run(
    lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str
) -> Run:
    """Return exit code, lines of stdout and lines of stderr."""
    source = SimpleNamespace(buffer=io.BytesIO("\n".join(lines).encode()))
    monkeypatch.setattr(sys, "stdin", source)
    code = forecast_lines.main(list(options))
    out, err = capsys.readouterr()
    return code, out.splitlines(), err.splitlines()


def test_each_line_gets_its_forecast(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        json.dumps({"id": "a", "values": VALUES, "horizon": 3}),
        "",
        json.dumps({"id": 7, "values": [1, 2]}),
    ]
    code, out, err = run(lines, monkeypatch, capsys, "--json", "--horizon", "2")
    assert (code, err) == (0, [])
    first, second = map(json.loads, out)
    expected = answer(VALUES, 3)
    assert first["id"] == "a"
    assert first["mean"] == list(expected.mean)
    assert (first["lower"], first["upper95"]) == (list(expected.lower80), list(expected.upper95))
    assert first["model"] == expected.model
    assert (second["id"], second["model"], len(second["mean"])) == (7, "naive", 2)


def test_errors_of_a_line_fit_its_intervals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    item = {"values": VALUES, "errors": [9.0] * 40}
    _, out, _ = run([json.dumps(item)], monkeypatch, capsys, "--json")
    found, plain = json.loads(out[0]), answer(VALUES, 5)
    assert found["upper"][0] > plain.upper80[0]
    assert found["confidence"] < 0.25
    assert found["id"] is None


BAD = [
    ("{", "not JSON: Expecting property name enclosed in double quotes at character 3"),
    (json.dumps({"values": ["x", *[1.0, 2.0] * 5000]}), "values[0]"),
    ("[1" + "0" * 5000 + "]", "not JSON: Exceeds"),
    ('{"values": [1, 1' + "0" * 400 + "]}", "values[1]"),
    ('{"values": [1, 2], "horizon": -1}', "horizon"),
    ('{"values": [1, 2], "horizon": 1' + "0" * 400 + "}", "horizon"),
    ('{"values": [1, 2], "errors": [NaN]}', "errors"),
    ('{"values": [1, 2], "errors": [1' + "0" * 400 + "]}", "errors"),
    ("[1, 2]", "give an object"),
    ('{"id": 1}', "give an object"),
    ('{"values": "123"}', "give an object"),
    ('{"values": []}', "at least one number"),
    ('{"values": [1, NaN]}', "values[1]"),
    ('{"values": [1, "x"]}', "values[1]"),
    ('{"values": [1, 2], "horizon": 0}', "horizon"),
    ('{"values": [1, 2], "horizon": "3"}', "horizon"),
    ('{"values": [1, 2], "errors": "no"}', "errors"),
    ('{"values": [1, 2], "errors": [null]}', "errors"),
    ('{"id": NaN, "values": [1, 2]}', "JSON"),
    ("[" * 100_000, "recursion"),
    ("\udcff", "utf"),
]


@pytest.mark.parametrize(("line", "words"), BAD)
def test_a_bad_line_is_named_and_the_next_one_answered(
    line: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = json.dumps({"id": "b", "values": VALUES}).encode()
    source = SimpleNamespace(buffer=io.BytesIO(line.encode(errors="surrogateescape") + b"\n" + good))
    monkeypatch.setattr(sys, "stdin", source)
    code = forecast_lines.main(["--json"])
    out, err = capsys.readouterr()
    bad, fine = map(json.loads, out.splitlines())
    assert code == 2
    assert bad["line"] == 1
    assert words in bad["error"]
    assert err.startswith("line 1: ")
    assert fine["id"] == "b"


def test_a_bad_line_keeps_its_name_and_other_keys_are_passed_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [json.dumps({"id": "a"}), json.dumps({"id": "b", "values": VALUES, "family": 3})]
    code, out, _ = run(lines, monkeypatch, capsys, "--json")
    bad, fine = map(json.loads, out)
    assert code == 2
    assert (bad["id"], bad["line"], fine["id"], len(fine["mean"])) == ("a", 1, "b", 5)


@pytest.mark.parametrize("lines", [[], ["", "  "]])
def test_without_a_line_it_says_so_and_nothing_is_wrong(
    lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(lines, monkeypatch, capsys, "--json")
    assert (code, out) == (0, [])
    assert err[0].startswith("no line was read")


def test_in_words_bad_lines_are_on_stderr_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(["no", json.dumps({"id": "a", "values": VALUES})], monkeypatch, capsys)
    assert (code, len(out), len(err)) == (2, 1, 1)
    assert out[0].startswith('"a": ')
    assert out[0].endswith(f"by {answer(VALUES, 5).model}")


def test_a_file_that_is_not_there_and_a_model_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run([], monkeypatch, capsys, str(tmp_path / "none"))
    assert (code, len(err)) == (2, 1)
    (tmp_path / "model").write_bytes(b"no model")
    code, _, err = run([], monkeypatch, capsys, "--model", str(tmp_path / "model"))
    assert code == 2
    assert "no readable forecast model" in err[0]


def test_another_model_can_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "model.npz"
    file.write_bytes(dump(few_trees()))
    line = json.dumps({"values": VALUES})
    code, out, _ = run([line], monkeypatch, capsys, "--json", "--model", str(file))
    assert code == 0
    assert json.loads(out[0])["model"] == f"global {forecast_shipped.digest_of(file.read_bytes())[:12]}"


def test_it_needs_neither_django_nor_a_database() -> None:
    assert plain_command(["manage.py", "adaptive_roi", "forecast"]) is forecast_lines.main
    line = json.dumps({"id": "a", "values": VALUES}).encode()
    done = subprocess.run(
        [sys.executable, "manage.py", "adaptive_roi", "forecast", "--json"],
        input=line + b"\nbad\n",
        capture_output=True,
        cwd=settings.BASE_DIR,
        env={"DATABASE_URL": "postgres://127.0.0.1:1/none", "DJANGO_SETTINGS_MODULE": "none"},
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout.splitlines()[0])["mean"] == list(answer(VALUES, 5).mean)
    assert b"line 2" in done.stderr


@pytest.fixture
def _quick(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    predictor._of.cache_clear()
    monkeypatch.setattr(forecast_shipped, "usable", lambda: (few_trees(), "global 1"))
    yield
    predictor._of.cache_clear()


def called(*words: str) -> str:
    out = io.StringIO()
    call_command("adaptive_roi", *words, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("_quick")
def test_train_predict_and_forecast_with_what_was_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(3):
        events(f"bot{seed}", teeth(seed))
    file = tmp_path / "model.npz"
    told = json.loads(called("train", "--quick", "--json", "--out", str(file)))
    row = ForecastModel.objects.active()
    assert told["changed"]
    assert row is not None
    assert forecast_shipped.digest_of(file.read_bytes()) == row.digest
    found = json.loads(called("predict", "bot1", "--horizon", "3", "--json"))
    assert (found["model"], len(found["mean"])) == (f"global {row.version}", 3)
    assert "confidence not known yet" in called("predict", "bot1")
    source = tmp_path / "lines"
    source.write_text(json.dumps({"id": 1, "values": teeth(2)}))
    assert called("forecast", str(source), "--json", "--model", str(file)) == ""
    assert json.loads(capsys.readouterr().out)["model"] == f"global {row.version}"


@pytest.mark.usefixtures("_quick")
def test_a_training_that_changes_nothing_says_so() -> None:
    RoiEvent.objects.create(subject="a", source="cycle:1", action="cycle", delta=1.0, roi_after=1.0)
    with pytest.raises(SystemExit) as left:
        called("train")
    assert left.value.code == adaptive_roi.NOTHING_CHANGED
    assert not ForecastModel.objects.exists()


@pytest.mark.usefixtures("_quick")
def test_retrain_repeats_until_it_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        called("retrain", "--interval", "30")
    assert slept == [30.0, 30.0]
    with pytest.raises(SystemExit):
        called("retrain", "--interval", "30", "--once")
    assert len(slept) == 2
    with pytest.raises(CommandError, match="--interval"):
        called("retrain", "--interval", "0")


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("words", [("nobody",), ("bot0", "--horizon", "0")])
def test_predict_names_what_is_wrong(words: tuple[str, ...]) -> None:
    events("bot0", VALUES)
    with pytest.raises(CommandError) as error:
        called("predict", *words)
    assert error.value.returncode == 2


def test_plain_lines_are_streamed() -> None:
    def endless() -> Iterator[bytes]:
        yield json.dumps({"id": 1, "values": VALUES}).encode()
        raise AssertionError("read ahead")

    found: Any = forecast_lines.forecasts(endless(), 2, answer)
    assert next(found)["id"] == 1
