"""What a self-test does inside its run: import the module, call what can be called, run its tests.

Everything here executes code of a bot and is only ever called behind the sandbox. What it returns is a claim:
the verdict is made outside (`self_test_verdict`), from how the run ended and from what the sandbox counted.
"""

import asyncio
import importlib
import importlib.util
import inspect
import itertools
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, Final, Protocol

from orphans.domain.canary import Canary

MAX_CALLS: Final = 50
MAX_FUNCTIONS: Final = 500
MAX_YIELDS: Final = 100
MAX_FAILURES: Final = 20
EXAMPLES: Final = 5
TEXT: Final = 200

WRITES: Final = frozenset(
    {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}
)
CONNECTS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
PROCESSES: Final = frozenset(
    {"subprocess.Popen", "os.system", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "os.spawn"}
)

Tracer = Callable[[FrameType, str, Any], Any]


class Job(Protocol):
    """What a job gets from the sandbox."""

    @property
    def checkout(self) -> Path | None:
        """The bot's files."""

    @property
    def scratch(self) -> Path:
        """The only folder to write to."""


class Attempts:
    """Counts side effects by the interpreter's audit events (PEP 578), for machines that can't count below.

    A run could fool it, so what it says is never marked as exact.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(file_writes=0, network_connections=0, subprocesses=0)
        self.examples: dict[str, list[str]] = {}
        self._on = False

    def __enter__(self) -> "Attempts":
        sys.addaudithook(self._hear)
        self._on = True
        return self

    def __exit__(self, *_: object) -> None:
        self._on = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        kind = _kind(event, arguments)
        if kind:
            self.counts[kind] += 1
            kept = self.examples.setdefault(kind, [])
            if len(kept) < EXAMPLES:
                kept.append(f"{event} {arguments[:1]!r}"[:TEXT])

    def as_data(self) -> dict[str, Any]:
        """Return the counts with some examples."""
        return {"counts": dict(self.counts), "examples": self.examples}


def _kind(event: str, arguments: tuple[Any, ...]) -> str:
    if event == "open":
        flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
        return "file_writes" if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else ""
    if event in WRITES or event.startswith("shutil."):
        return "file_writes"
    if event in CONNECTS:
        return "network_connections"
    return "subprocesses" if event in PROCESSES else ""


class Lines:
    """Notes which lines of one file run and how often its functions are called, in all threads.

    (PEP 669 is not there before Python 3.12.)
    """

    def __init__(self, place: Path) -> None:
        self._file = os.path.realpath(place)
        self._known: dict[str, bool] = {}
        self._seen: set[int] = set()
        self._calls: Counter[CodeType] = Counter()
        #: where each function begins: a generator or coroutine that goes on is no new call
        self._begins: dict[CodeType, int] = {}

    def __enter__(self) -> "Lines":
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        threading.settrace(None)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Tracer | None:
        if not self._is_ours(frame.f_code.co_filename):
            return None
        if self._begins.setdefault(frame.f_code, frame.f_lasti) == frame.f_lasti:
            self._calls[frame.f_code] += 1
        return self._note

    def _note(self, frame: FrameType, event: str, argument: Any) -> Tracer:
        self._seen.add(frame.f_lineno)
        return self._note

    def _is_ours(self, name: str) -> bool:
        if name not in self._known:
            self._known[name] = os.path.realpath(name) == self._file
        return self._known[name]

    def share(self) -> float | None:
        """Return the share of the file's executable lines that ran, 0 to 1; None when it has none."""
        code = compile(Path(self._file).read_bytes(), self._file, "exec", dont_inherit=True)
        lines = set(_lines(code))
        return len(lines & self._seen) / len(lines) if lines else None

    def calls(self) -> dict[str, int]:
        """Return calls by function, most called first; bodies of the module and of classes are none."""
        found: Counter[str] = Counter()
        for code, count in self._calls.items():
            if code.co_flags & inspect.CO_OPTIMIZED:
                found[code.co_qualname[:TEXT]] += count
        return dict(found.most_common(MAX_FUNCTIONS))


def _lines(code: CodeType) -> Iterator[int]:
    """Yield the lines that hold instructions of a code object and of those inside it."""
    yield from (line for _, _, line in code.co_lines() if line)
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _lines(each)


def probe(payload: Mapping[str, Any], job: Job) -> dict[str, Any]:
    """Import the module of `payload` (`path`, `module`, `calls`) and, if asked, call what needs no argument.

    Returns the functions called, whether others could be called with made inputs (`open`), the share of lines
    that ran, calls by function and the attempts that were heard. Raises whatever the module raises: so the
    test fails.
    """
    place = place_of(payload, job)
    sys.argv = [str(place)]
    with Attempts() as attempts, Lines(place) as lines:
        module = imported(payload["module"], place)
        called = call_all(module) if payload["calls"] else []
    measured = {"lines": lines.share(), "functions": lines.calls()}
    can = {"open": bool(describable(module))} if payload["calls"] else {}
    return {"called": called, **can, **measured, "attempts": attempts.as_data()}


def run_tests(payload: Mapping[str, Any], job: Job) -> dict[str, Any]:
    """Run the test files of `payload` (`path`, `tests`) with pytest, without plugins but its own.

    Returns pytest's exit code, how many tests passed, failed and were skipped, the failures, the share of
    the module's lines that ran, calls by function, and what was told of a test that must fail (`canary`).
    """
    place = place_of(payload, job)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    pytest = importlib.import_module("pytest")
    canary = Canary(pytest)
    tally = Tally(canary)
    words = ["-q", "-p", "no:cacheprovider", "-o", "addopts=", "--rootdir", str(job.checkout)]
    with Lines(place) as lines:
        code = pytest.main(
            [*words, "--basetemp", str(job.scratch / "t"), *payload["tests"]], plugins=[canary, tally]
        )
    told = {"code": canary.code(int(code), tally.counts["failed"]), "canary": canary.outcome}
    return {**told, **tally.as_data(), "lines": lines.share(), "functions": lines.calls()}


class Tally:
    """A plugin of pytest that counts results."""

    def __init__(self, canary: Canary) -> None:
        self._canary = canary
        self.counts: Counter[str] = Counter(passed=0, failed=0, skipped=0)
        self.failures: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Count the call of a test; a failing fixture counts as a failure."""
        if self._canary.is_it(report):
            return
        if report.when == "call" or report.outcome != "passed":
            self._count(report)

    def pytest_collectreport(self, report: Any) -> None:
        """Count what could not be collected."""
        if report.outcome == "failed":
            self._count(report)

    def _count(self, report: Any) -> None:
        self.counts[report.outcome] += 1
        if report.outcome == "failed" and len(self.failures) < MAX_FAILURES:
            self.failures.append(str(report.nodeid)[:TEXT])

    def as_data(self) -> dict[str, Any]:
        """Return the counts and the failures' names."""
        return {**self.counts, "failures": self.failures}


def own_functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the public functions that the module itself defines, in their order."""
    for name, function in list(vars(module).items()):
        own = inspect.isfunction(function) and function.__module__ == module.__name__
        if own and not name.startswith("_"):
            yield name, function


def call_all(module: ModuleType) -> list[str]:
    """Call the module's own public functions that need no argument, at most 50; return their names."""
    bare = [(name, function) for name, function in own_functions(module) if not needed(function)]
    for _, function in bare[:MAX_CALLS]:
        finish(function())
    return [name[:TEXT] for name, _ in bare[:MAX_CALLS]]


def needed(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the parameters that a call must give."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    given = inspect.signature(function).parameters.values()
    return [each for each in given if each.default is each.empty and each.kind not in kinds]


def describable(module: ModuleType) -> list[tuple[str, Callable[..., Any]]]:
    """Return the module's own functions that need arguments, all of them annotated; at most 50."""
    found = ((name, function, needed(function)) for name, function in own_functions(module))
    told = [(name, function) for name, function, given in found if given and all(map(_is_annotated, given))]
    return told[:MAX_CALLS]


def _is_annotated(parameter: inspect.Parameter) -> bool:
    return parameter.annotation is not parameter.empty


def finish(found: Any) -> None:
    """Let what a call returned run to its end: a coroutine, or the first hundred values of a generator."""
    if inspect.iscoroutine(found):
        asyncio.run(found)
    elif inspect.isgenerator(found):
        list(itertools.islice(found, MAX_YIELDS))


def place_of(payload: Mapping[str, Any], job: Job) -> Path:
    """Return the module's file; put a folder of scripts on the search path: they import by bare name."""
    if job.checkout is None:
        raise ValueError("a self-test needs a checkout")
    place: Path = (job.checkout / payload["path"]).resolve()
    if not place.is_relative_to(job.checkout.resolve()):
        raise ValueError(f"{payload['path']} is outside of the checkout")
    if not (place.parent / "__init__.py").exists():
        sys.path.append(str(place.parent))
    return place


def imported(name: str, place: Path) -> ModuleType:
    """Import by dotted name, or straight from the file where no import could name it."""
    if name:
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location("orphan_probe", place)
    if spec is None or spec.loader is None:
        raise ImportError(f"{place.name} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules["orphan_probe"] = module
    spec.loader.exec_module(module)
    return module
