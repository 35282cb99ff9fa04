"""The first process of a run: import the target, call it, hand its result over.

Shipped as compiled code to a fresh interpreter (`BOOT` reads it), or called in a fork of a warm server; both
wait here for their order. It imports next to nothing, so that a run costs little more than its interpreter.
The run's words go to a pipe as one JSON object a line: `{"progress": fraction|null, "message": text}` and
last `{"result": …, "key": k}` or `{"error": text, "type": name, "key": k}`. From the target's first line on
nothing in this process can be trusted, so nobody outside does; the key only keeps out words of code that
doesn't know what it forges.
"""

from __future__ import annotations

import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any, Final, NoReturn

ORDER: Final = 3
"""The descriptor that code and order are read from."""
CHANNEL: Final = 4
LEAD: Final = 8
"""Bytes that tell the length of a piece."""
BOOT: Final = """\
import marshal, posix
def take(size):
    words = bytearray()
    while len(words) < size:
        words += posix.read(3, size - len(words)) or posix._exit(127)
    return words
space = {"__name__": "orphans.sandbox.child"}
exec(marshal.loads(take(int.from_bytes(take(8), "little"))), space)
space["main"](space["received"]())
"""
NOTHING: Final = {"result": None}
REHEARSAL: Final = """\
class Thing:
    def __init__(self, number): self.number = number
def go(_):
    import sys, os.path
    things = {str(n): Thing(n) for n in range(20)}
    try:
        import sys.nothing
    except ImportError as error:
        return error
"""
MESSAGE_LENGTH: Final = 500
TRACEBACK_LENGTH: Final = 8_000
MAX_CALLED: Final = 5_000
"""Functions whose calls are counted; a run that makes up more only gets these."""


class Words:
    """The run's end of the channel. Its encoder is taken before foreign code could change it."""

    def __init__(self, channel: int, key: str) -> None:
        self._channel = channel
        self._encode: Callable[[Any, int], tuple[str, ...]] | None = None
        self._write = posix.write
        self._key = key

    def prepare(self) -> None:
        """Take the encoder now; a script that hands over no result does without."""
        from _json import encode_basestring_ascii, make_encoder

        self._encode = make_encoder({}, _refuse, encode_basestring_ascii, None, ":", ",", False, False, False)

    def say(self, words: dict[str, Any]) -> None:
        """Write one line to the channel."""
        self.write(self.encoded(words))

    def encoded(self, words: dict[str, Any]) -> str:
        """Return words as JSON."""
        if self._encode is None:
            self.prepare()
        return "".join(self._encode(words, 0))  # type: ignore[misc]

    def write(self, text: str) -> None:
        """Write one line that is JSON already."""
        line = text.encode() + b"\n"
        while line:
            line = line[self._write(self._channel, line) :]

    def end(self, words: dict[str, Any]) -> None:
        """Say the last line."""
        if words.get("result", "") is None:
            self.write('{"result":null,"key":"' + self._key + '"}')
        else:
            self.say({**words, "key": self._key})


class Job:
    """What a job of this project gets beside its payload."""

    def __init__(self, words: Words, order: dict[str, Any]) -> None:
        from pathlib import Path

        self._words = words
        #: the bot's files, to be read only; also the working directory
        self.checkout = order["checkout"] and Path(order["checkout"])
        #: the only folder to write to
        self.scratch = Path(order["scratch"])

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Tell how far the run is: a fraction from 0 to 1, or None when unknown."""
        self._words.say({"progress": fraction, "message": message[:MESSAGE_LENGTH]})


class Calls:
    """Counts calls per function of the checkout, `path:name`, in all threads."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/") + "/"
        self._counts: dict[CodeType, int] = {}

    def start(self) -> None:
        """Count from now on."""
        import threading

        threading.setprofile(self)
        sys.setprofile(self)

    def __call__(self, frame: Any, event: str, _argument: Any) -> None:
        """Be the profiler: called by the interpreter at every call and return."""
        if event == "call":
            code = frame.f_code
            if code in self._counts or (
                len(self._counts) < MAX_CALLED and code.co_filename.startswith(self._root)
            ):
                self._counts[code] = self._counts.get(code, 0) + 1

    def told(self) -> dict[str, int]:
        """Return the counts; lambdas and same names of one file are added up."""
        sys.setprofile(None)
        found: dict[str, int] = {}
        for code, count in self._counts.items():
            name = f"{code.co_filename[len(self._root) :]}:{code.co_qualname}"[:120]
            found[name] = found.get(name, 0) + count
        return found


def main(order: dict[str, Any]) -> NoReturn:
    """Carry out the order and leave without running any exit handler."""
    surround(order)
    words = Words(CHANNEL, order["key"])
    if order["kind"] != "file":
        words.prepare()
    leave = posix._exit
    hook = prepare(order)
    if order["from_scratch"]:
        order["import_paths"].insert(0, order["scratch"])
    calls = Calls(order["checkout"]) if order["count_calls"] and order["checkout"] else None
    code = 0
    try:
        if calls:
            calls.start()
        last = {"result": carry_out(order, words)}
    except BaseException as error:  # noqa: BLE001 - whatever the target raises is told, SystemExit too
        code = exit_code(error)
        last = dict(NOTHING) if code == 0 and order["kind"] == "file" else told(error)
    try:
        if calls:
            words.say({"calls": calls.told()})
        if hook:
            words.say({"attempts": {**hook.counts, "examples": hook.examples}})
        words.end(last)
    except BaseException as error:  # noqa: BLE001 - a result that is no JSON
        code = 1
        words.end(told(error))
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue  # the target closed or replaced it
    leave(code)


def rehearse() -> None:
    """Do once, while nobody waits, what every run does: memory of forks is copied on first touch."""
    words = Words(CHANNEL, "")
    words.prepare()
    words.encoded({"result": [None, True, 0, 0.5, "", {}], "key": ""})
    space: dict[str, Any] = {}
    exec(compile(REHEARSAL, "<rehearsal>", "exec", dont_inherit=True), space)  # noqa: S102 # nosec B102 - ours
    space["go"](None)


def take(size: int) -> bytearray:
    """Read so many bytes of what stands at `ORDER`; leave when there will be no more."""
    words = bytearray()
    while len(words) < size:
        words += posix.read(ORDER, size - len(words)) or posix._exit(127)
    return words


def received() -> dict[str, Any]:
    """Wait for the two pieces of an order: variables that the keeper adds, and the order itself."""
    import marshal

    added, order = (
        marshal.loads(take(int.from_bytes(take(LEAD), "little")))  # noqa: S302 # nosec B302 - our launcher's
        for _ in range(2)
    )
    posix.close(ORDER)
    order["env"].update(added)
    return order  # type: ignore[no-any-return]


def surround(order: dict[str, Any]) -> None:
    """Take the order's variables and working directory."""
    if "os" in sys.modules:
        environ = sys.modules["os"].environ
        for name in set(environ) - set(order["env"]):
            del environ[name]
        environ.update({name: value for name, value in order["env"].items() if environ.get(name) != value})
    else:
        for name, value in order["env"].items():
            pair = name.encode(), value.encode("utf-8", "surrogateescape")
            posix.environ[pair[0]] = pair[1]
            posix.putenv(*pair)
    if "TZ" in order["env"]:
        import time

        time.tzset()
    posix.chdir(order["cwd"])


def prepare(order: dict[str, Any]) -> Any:
    """Set paths as the virtual environment has them, without its hooks; return what counts, or None."""
    sys.path[:] = order["path"]
    sys.prefix = sys.exec_prefix = order["prefix"]
    sys.argv = [order["target"], *order["arguments"]]
    if not order["hook"]:
        return None
    space: dict[str, Any] = {"__name__": "orphans.sandbox.hook"}
    exec(order["hook"], space)  # noqa: S102 # nosec B102 - this project's own code
    return space["start"]()


def carry_out(order: dict[str, Any], words: Words) -> Any:
    """Call the target in the way its kind asks for; return what it returned."""
    kind = order["kind"]
    if kind == "file":
        sys.path[:0] = order["import_paths"]
        folder = order["scratch"] + "/" if order["from_scratch"] else ""
        return run_file(folder + order["target"])
    if kind == "call":
        sys.path[:0] = order["import_paths"]
        function = find(order["target"])
        return function() if order["bare"] else function(order["payload"])
    if kind == "pytest":
        sys.path[:0] = order["import_paths"]
        space: dict[str, Any] = {"__name__": "orphans.sandbox.testing"}
        exec(order["testing"], space)  # noqa: S102 # nosec B102 - this project's own code
        return space["run"](order["payload"])
    # The project's own code is imported first and then taken off the path, so that a bot's
    # modules come from its checkout alone.
    sys.path.insert(0, order["code_path"])
    function = find(order["target"])
    sys.path[:1] = order["import_paths"]
    return function(order["payload"], Job(words, order))


def run_file(place: str) -> None:
    """Run a script as `__main__`."""
    module = type(sys)("__main__")
    module.__file__ = place
    sys.modules["__main__"] = module
    sys.path.insert(0, place.rpartition("/")[0])
    with open(place, "rb") as file:  # noqa: PTH123 - pathlib costs more than the rest of this
        code = compile(file.read(), place, "exec", dont_inherit=True)
    exec(code, vars(module))  # noqa: S102 # nosec B102 - what a sandbox is for


def exit_code(error: BaseException) -> int:
    """Return the code that an interpreter would leave with."""
    if not isinstance(error, SystemExit):
        return 1
    return error.code if isinstance(error.code, int) else int(error.code is not None)


def find(target: str) -> Callable[..., Any]:
    """Import `package.module:name.name` and return what it names."""
    module, _, names = target.partition(":")
    __import__(module)
    found: Any = sys.modules[module]
    for name in names.split("."):
        found = getattr(found, name)
    return found  # type: ignore[no-any-return]


def told(error: BaseException) -> dict[str, Any]:
    """Return an exception as words that fit the channel."""
    import traceback

    text = "".join(traceback.format_exception(error))[-TRACEBACK_LENGTH:]
    return {"error": text.encode("utf-8", "replace").decode(), "type": type(error).__name__[:100]}


def _refuse(value: object) -> NoReturn:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
