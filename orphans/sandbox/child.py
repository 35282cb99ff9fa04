"""The first process of a run: import the target, call it, hand its result over.

A script of its own (`python -s -P -B child.py`), standard library only. Its stdin holds one JSON
order (`kind target payload code_path import_paths checkout scratch channel`); the run's words go to the
descriptor `channel`, one JSON object a line: `{"progress": fraction|null, "message": text}` and last
`{"result": …}` or `{"error": text, "type": name}`. From the target's first line on nothing in this
process can be trusted, so nobody outside does.
"""

import importlib
import json
import os
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

MESSAGE_LENGTH = 500
TRACEBACK_LENGTH = 8_000


class Job:
    """What a job of this project gets beside its payload."""

    def __init__(self, channel: int, scratch: Path, checkout: Path | None) -> None:
        self._channel = channel
        #: the bot's files, to be read only; also the working directory
        self.checkout = checkout
        #: the only folder to write to
        self.scratch = scratch

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Tell how far the run is: a fraction from 0 to 1, or None when unknown."""
        self.say({"progress": fraction, "message": message[:MESSAGE_LENGTH]})

    def say(self, words: dict[str, Any]) -> None:
        """Write one line to the channel."""
        line = json.dumps(words, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        while line:
            line = line[os.write(self._channel, line) :]


def main() -> NoReturn:
    """Carry out the order on stdin and leave without running any exit handler."""
    order = json.loads(sys.stdin.buffer.read())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.set_inheritable(order["channel"], False)
    checkout = order["checkout"] and Path(order["checkout"])
    job = Job(order["channel"], Path(order["scratch"]), checkout)
    code = 0
    try:
        job.say({"result": carry_out(order, job)})
    except BaseException as error:  # noqa: BLE001 - whatever the target raises is told, SystemExit too
        code = exit_code(error)
        job.say({"result": None} if code == 0 and order["kind"] == "file" else told(error))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def carry_out(order: dict[str, Any], job: Job) -> Any:
    """Call the target in the way its kind asks for; return what it returned."""
    if order["kind"] == "file":
        sys.path[:0] = order["import_paths"]
        runpy.run_path(order["target"], run_name="__main__")
        return None
    if order["kind"] == "call":
        sys.path[:0] = order["import_paths"]
        return find(order["target"])(order["payload"])
    # The project's own code is imported first and then taken off the path, so that a bot's
    # modules come from its checkout alone.
    sys.path.insert(0, order["code_path"])
    function = find(order["target"])
    sys.path[:1] = order["import_paths"]
    return function(order["payload"], job)


def exit_code(error: BaseException) -> int:
    """Return the code that an interpreter would leave with."""
    if not isinstance(error, SystemExit):
        return 1
    return error.code if isinstance(error.code, int) else int(error.code is not None)


def find(target: str) -> Any:
    """Import `package.module:name.name` and return what it names."""
    module, _, names = target.partition(":")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    return found


def told(error: BaseException) -> dict[str, Any]:
    """Return an exception as words that fit the channel."""
    text = "".join(traceback.format_exception(error))[-TRACEBACK_LENGTH:]
    return {"error": text.encode("utf-8", "replace").decode(), "type": type(error).__name__[:100]}


if __name__ == "__main__":
    main()
