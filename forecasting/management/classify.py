"""`manage.py foresight classify`: verdicts on series from a file or a pipe, without Django and a database."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

BAD_INPUT: Final = 2


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    made = argparse.ArgumentParser(
        "manage.py foresight classify",
        description="Say of each series whether its ROI is about to collapse.",
    )
    add_options(made)
    return made


def add_options(made: argparse.ArgumentParser) -> None:
    """Declare the options."""
    made.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help='JSON lines {"id", "roi": [...], "entropy": [...], "raroi": [...]}, oldest cycle first, '
        "the last two as wanted; standard input when left out",
    )
    made.add_argument("--json", action="store_true", help="print a JSON line for each series")


def main(arguments: Sequence[str]) -> int:
    """Judge and print line by line; 0 when all could be judged, 2 when a line or FILE was bad."""
    options = parser().parse_args(arguments)
    try:
        if options.file is None:
            return _judge(sys.stdin.buffer, options.json)
        with Path(options.file).open("rb") as lines:
            return _judge(lines, options.json)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_INPUT


def _judge(lines: BinaryIO, as_json: bool) -> int:
    faults = 0
    for answer in verdicts(lines):
        faults += "error" in answer
        if "error" in answer:
            sys.stderr.write(f"line {answer['line']}: {answer['error']}\n")
        if as_json or "error" not in answer:
            sys.stdout.write((json.dumps(answer, allow_nan=False) if as_json else _words(answer)) + "\n")
            sys.stdout.flush()
    return BAD_INPUT if faults else 0


def verdicts(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Give for each line, blank ones left out, a verdict with its `id`, or `id`, `line` and `error`."""
    from forecasting.domain.collapse import predict  # numpy takes a moment: not before there is work

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        item: dict[str, Any] = {}
        try:
            item = _item(line)
            yield {"id": item.get("id"), **predict(item["roi"], item.get("entropy"), item.get("raroi"))}
        except (ValueError, RecursionError) as error:
            yield {"id": item.get("id"), "line": number, "error": _one_line(error)}


def _item(line: bytes) -> dict[str, Any]:
    try:
        item = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"that is no JSON: {error}") from None
    if not isinstance(item, dict) or "roi" not in item:
        raise ValueError('give an object with the list "roi", as {"id": "a", "roi": [1.0, 0.9, 0.8]}')
    json.dumps(item.get("id"), allow_nan=False)  # it is printed again, so it must be JSON
    return item


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _words(answer: dict[str, Any]) -> str:
    brittle = ", brittle" if answer["brittle"] else ""
    return f"{json.dumps(answer['id'])}: {answer['risk']}{brittle}. {answer['reason']}"
