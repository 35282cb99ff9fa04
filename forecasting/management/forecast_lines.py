"""`manage.py adaptive_roi forecast`: forecasts of series from a file or a pipe; no Django, no database."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from forecasting.domain.finite import is_finite

BAD_INPUT: Final = 2
HORIZON: Final = 5
WANTED: Final = 'give an object with the list "values", as {"id": "a", "values": [1.0, 1.2]}'
LISTS: Final = ("mean", "lower80", "upper80", "lower95", "upper95")


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    made = argparse.ArgumentParser(
        "manage.py adaptive_roi forecast", description="Forecast the next values of short series."
    )
    add_options(made)
    return made


def add_options(made: argparse.ArgumentParser) -> None:
    """Declare the options."""
    made.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help='JSON lines {"id", "values": [...], "horizon": 5, "errors": [...]}, oldest first, the last '
        "two as wanted; standard input when left out",
    )
    made.add_argument(
        "--horizon", type=int, default=HORIZON, help="steps, where a line doesn't say; 1 to 100"
    )
    made.add_argument("--model", metavar="FILE", help="a model that `train --out` wrote, not the shipped one")
    made.add_argument("--json", action="store_true", help="print a JSON line for each series")


def main(arguments: Sequence[str]) -> int:
    """Forecast and print line by line; 0 when all went well, 2 when a line, FILE or the model was bad."""
    return carry_out(parser().parse_args(arguments))


def carry_out(options: argparse.Namespace) -> int:
    """Do as the options say; return the exit code."""
    try:
        answer = forecaster(options.model)
        if options.file is None:
            return _forecast(sys.stdin.buffer, options, answer)
        with Path(options.file).open("rb") as lines:
            return _forecast(lines, options, answer)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{_one_line(error)}\n")
        return BAD_INPUT


Answer = Callable[[Any, Any, Any], Any]


def forecaster(file: str | None) -> Answer:
    """Return what makes a forecast of values, horizon and errors.

    Raises ValueError or OSError when the model's file can't be used.
    """
    from forecasting.domain.forecast_input import check_all  # numpy takes a moment
    from forecasting.domain.predictor import AdaptiveROIPredictor

    predictor = AdaptiveROIPredictor.load(Path(file).read_bytes()) if file else AdaptiveROIPredictor()

    def answer(values: Any, horizon: Any, errors: Any) -> Any:
        check_all(values)  # a forecast looks at the newest alone; what is odd before says that the line is
        return predictor.predict(values, horizon, errors)

    return answer


def _forecast(lines: BinaryIO, options: argparse.Namespace, answer: Answer) -> int:
    faults = seen = 0
    for found in forecasts(lines, options.horizon, answer):
        seen += 1
        if "error" in found:
            faults += 1
            sys.stderr.write(f"line {found['line']}: {found['error']}\n")
        _print(found, as_json=options.json)
    if not seen:
        sys.stderr.write("no line was read: give one series a line, as --help says\n")
    return BAD_INPUT if faults else 0


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json or "error" not in found:
        sys.stdout.write((json.dumps(found, allow_nan=False) if as_json else _words(found)) + "\n")
        sys.stdout.flush()


def forecasts(lines: Iterable[bytes], horizon: int, answer: Answer) -> Iterator[dict[str, Any]]:
    """Give for each line, blank ones left out, a forecast with its `id`, or `id`, `line` and `error`.

    `lower` and `upper` hold the 80 % interval, `lower95` and `upper95` the 95 % one.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        item: dict[str, Any] = {}
        try:
            item = _item(line)
            made = answer(_values(item), item.get("horizon", horizon), _errors(item))
            yield {"id": item.get("id"), **_plain(made)}
        except (ValueError, RecursionError) as error:
            yield {"id": item.get("id"), "line": number, "error": _one_line(error)}


def _plain(made: Any) -> dict[str, Any]:
    mean, lower, upper, lower95, upper95 = (list(getattr(made, name)) for name in LISTS)
    kept = {"mean": mean, "lower": lower, "upper": upper, "lower95": lower95, "upper95": upper95}
    return {**kept, "model": made.model, "growth": made.growth, "confidence": made.confidence}


def _item(line: bytes) -> dict[str, Any]:
    try:
        item = json.loads(line)
    except json.JSONDecodeError as error:  # its own words count lines within this one
        raise ValueError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(item, dict):
        raise ValueError(WANTED)
    json.dumps(item.get("id"), allow_nan=False)  # it is printed again, so it must be JSON
    return item


def _values(item: dict[str, Any]) -> list[Any]:
    values = item.get("values")
    if not isinstance(values, list):
        raise ValueError(WANTED)
    return values


def _errors(item: dict[str, Any]) -> list[float]:
    errors = item.get("errors") or []
    if not isinstance(errors, list) or not all(map(is_finite, errors)):
        raise ValueError('"errors" is a list of finite numbers')
    return errors


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _words(found: dict[str, Any]) -> str:
    steps = zip(found["mean"], found["lower"], found["upper"], strict=True)
    path = ", ".join(f"{mean:.6g} ({low:.6g} to {high:.6g})" for mean, low, high in steps)
    return f"{json.dumps(found['id'])}: {path}; {found['growth']}, by {found['model']}"
