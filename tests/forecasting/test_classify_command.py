"""`manage.py foresight classify`: a verdict for each line, and no line lost."""

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from forecasting.domain.collapse import predict
from forecasting.management import classify
from menace_site.plain import plain_command

GOOD: dict[str, Any] = {"id": "a", "roi": [1.0, 1.1, 0.9, 1.0, 1.05, 0.95, 1.0, 1.0, 1.1]}


def run(
    lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[int, list[str], list[str]]:
    """Return exit code, lines of stdout and lines of stderr."""
    source = SimpleNamespace(buffer=io.BytesIO("\n".join(lines).encode()))
    monkeypatch.setattr(sys, "stdin", source)
    code = classify.main(list(options))
    out, err = capsys.readouterr()
    return code, out.splitlines(), err.splitlines()


def test_each_line_gets_the_verdict_that_predict_gives(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    brittle = {"id": 7, "roi": [1, 1, 0], "entropy": [0, 0, 0.01], "label": "ignored"}
    code, out, err = run([json.dumps(GOOD), "", json.dumps(brittle)], monkeypatch, capsys, "--json")
    assert (code, err) == (0, [])
    assert json.loads(out[0]) == {"id": "a", **predict(GOOD["roi"])}
    assert json.loads(out[1]) == {"id": 7, **predict([1, 1, 0], [0, 0, 0.01])}


BAD: list[tuple[Any, str]] = [
    ("{", "line 1: that is no JSON: Expecting"),
    ("[1, 2]", "line 1: give an object"),
    ('{"id": 1}', "line 1: give an object"),
    ('{"roi": [1, NaN, 2]}', "line 1: roi[1] is not a finite"),
    ('{"roi": [1, "x", 2]}', "line 1: roi[1] is not a number but str"),
    ('{"roi": "123"}', "line 1: roi must be a list"),
    ('{"roi": [1, 2, 3], "entropy": [0]}', "line 1: entropy has 1 values and roi 3"),
    ('{"id": NaN, "roi": [1, 2, 3]}', "line 1: Out of range"),
    ("[" * 100_000, "line 1: "),
    ("\ufeff{}", "line 1: "),
]


@pytest.mark.parametrize(("line", "message"), BAD, ids=[message for _, message in BAD])
def test_a_bad_line_is_named_and_the_next_one_judged(
    line: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run([line, json.dumps(GOOD)], monkeypatch, capsys, "--json")
    assert code == 2
    assert len(err) == 1
    assert err[0].startswith(message)
    assert json.loads(out[0])["line"] == 1
    assert json.loads(out[1])["risk"] == "Stable"


def test_bytes_that_are_no_text_are_a_bad_line() -> None:
    found = list(classify.verdicts([b"\xff\xfe{}", b"nope", json.dumps(GOOD).encode()]))
    assert [("error" in each) for each in found] == [True, True, False]
    assert found[1]["error"].startswith("that is no JSON: ")


def test_a_verdict_is_given_before_the_next_line_is_read() -> None:
    read: list[int] = []

    def slow() -> Any:
        for number in range(2):
            read.append(number)
            yield json.dumps(GOOD).encode()

    next(classify.verdicts(slow()))
    assert read == [0]


def test_words_stand_on_one_line_whatever_the_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = run([json.dumps({"id": "x\n\x1b[31m", "roi": GOOD["roi"]})], monkeypatch, capsys)
    assert len(out) == 1
    assert out[0].startswith('"x\\n\\u001b[31m": Stable')


def test_a_file_is_read_and_a_missing_one_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series = tmp_path / "series.jsonl"
    series.write_text(json.dumps(GOOD))
    call_command("foresight", "classify", str(series), "--json")
    assert json.loads(capsys.readouterr().out)["id"] == "a"
    with pytest.raises(SystemExit) as ended:
        call_command("foresight", "classify", str(tmp_path / "none"))
    assert ended.value.code == 2
    assert "none" in capsys.readouterr().err


def test_it_starts_without_django_and_its_settings() -> None:
    assert plain_command(["manage.py", "foresight", "classify"]) is classify.main
    probe = (
        "import sys\n"
        "from forecasting.domain.collapse import predict\n"
        "print(predict([1, 2, 3])['risk'], 'django' in sys.modules, 'sklearn' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe],
        capture_output=True,
        text=True,
        check=True,
        cwd=settings.BASE_DIR,
        env={},
    )
    assert done.stdout.split() == ["Stable", "False", "False"]
