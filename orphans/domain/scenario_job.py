"""The job that calls a workflow function inside a run: input by input, or all at once.

What it returns is told from inside the process that the function runs in: a claim, which
`scenario_report` checks, beside the facts that the sandbox observed from outside.
"""

import asyncio
import copy
import importlib
import inspect
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

MESSAGE_LENGTH: Final = 200
POLL_SECONDS: Final = 0.001

Json = Any
Row = dict[str, Json]


class Job(Protocol):
    """What the sandbox hands to a job."""

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Tell how far the job is."""
        ...


def scenario(payload: Mapping[str, Any], job: Job) -> dict[str, Json]:
    """Call `payload["target"]` (`module:function`, plain or async) with `payload["inputs"]`.

    `threads` and `tasks` of the payload say how many threads and asyncio tasks call at the same moment,
    taking the inputs in turn; `max_threads` bounds the threads, `level` the calls under way. Without
    both, each input is called once, one after the other.

    Returns `calls` (input, way, outcome, error, seconds), `messages` (the first message of each class
    of error), `threads` that called, and `under_way`, the most calls at one moment.
    """
    calls = Calls(_function(payload["target"]), payload["inputs"], payload.get("level"))
    threads, tasks = payload.get("threads", 0), payload.get("tasks", 0)
    if threads or tasks:
        _burst(calls, threads, tasks, payload.get("max_threads") or threads + tasks)
    else:
        for index in range(len(calls.inputs)):
            job.progress(index / len(calls.inputs), f"input {index}")
            calls.call(index, "call")
    return calls.told()


class Calls:
    """The function, its inputs, and what happened so far."""

    def __init__(self, function: Callable[[Json], Json], inputs: Sequence[Json], level: int | None) -> None:
        self.function = function
        self.inputs = inputs
        self.is_async = inspect.iscoroutinefunction(function)
        self._gate = threading.Semaphore(level) if level else None
        self._lock = threading.Lock()
        self._rows: list[Row] = []
        self._messages: dict[str, str] = {}
        self._threads: set[str] = set()
        self._under_way = self._most = 0

    def told(self) -> dict[str, Json]:
        """Return everything as plain JSON."""
        return {
            "calls": self._rows,
            "messages": self._messages,
            "threads": len(self._threads),
            "under_way": self._most,
        }

    def call(self, index: int, way: str) -> None:
        """Call with input `index`, waiting at the gate first."""
        if self._gate is not None:
            self._gate.acquire()
        value, started = self._enter(index)
        error: BaseException | None = None
        try:
            asyncio.run(self.function(value)) if self.is_async else self.function(value)
        except BaseException as problem:  # noqa: BLE001 - whatever it raises is what is measured
            error = problem
        self._leave(index, way, started, error)

    async def call_async(self, index: int, way: str) -> None:
        """Do the same with an async function, in a task."""
        while self._gate is not None and not self._gate.acquire(blocking=False):
            await asyncio.sleep(POLL_SECONDS)
        value, started = self._enter(index)
        error: BaseException | None = None
        try:
            await self.function(value)
        except BaseException as problem:  # noqa: BLE001 - whatever it raises is what is measured
            error = problem
        self._leave(index, way, started, error)

    def _enter(self, index: int) -> tuple[Json, float]:
        value = copy.deepcopy(self.inputs[index % len(self.inputs)])
        with self._lock:
            self._under_way += 1
            self._most = max(self._most, self._under_way)
            self._threads.add(threading.current_thread().name)
        return value, time.perf_counter()

    def _leave(self, index: int, way: str, started: float, error: BaseException | None) -> None:
        seconds = time.perf_counter() - started
        name = None if error is None else type(error).__name__[:60]
        row = {"input": index % len(self.inputs), "way": way, "error": name, "seconds": seconds}
        with self._lock:
            self._under_way -= 1
            self._rows.append(row)
            if name is not None and name not in self._messages:
                self._messages[name] = _message(error)
        if self._gate is not None:
            self._gate.release()


def _message(error: BaseException | None) -> str:
    """Return the beginning of an exception's text; its own `__str__` may fail too."""
    try:
        return str(error)[:MESSAGE_LENGTH].encode("utf-8", "replace").decode()
    except Exception:  # noqa: BLE001 - the bot's class does what it wants
        return "its text can't be made"


def _function(target: str) -> Callable[[Json], Json]:
    module, _, name = target.partition(":")
    found = getattr(importlib.import_module(module), name)
    if not callable(found):
        raise TypeError(f"{target} is no function")
    return found  # type: ignore[no-any-return]


def _burst(calls: Calls, threads: int, tasks: int, max_threads: int) -> None:
    """Let all threads and tasks go at the same moment, and wait for all."""
    go = threading.Event()
    workers = [threading.Thread(target=_wait_and_call, args=(calls, go, i)) for i in range(threads)]
    for worker in workers:
        worker.start()
    try:
        if tasks:
            asyncio.run(_tasks(calls, go, threads, tasks, max(1, max_threads - threads)))
    finally:
        go.set()
        for worker in workers:
            worker.join()


def _wait_and_call(calls: Calls, go: threading.Event, index: int) -> None:
    go.wait()
    calls.call(index, "thread")


async def _tasks(calls: Calls, go: threading.Event, first: int, tasks: int, max_threads: int) -> None:
    """Start the tasks; a plain function is called in a pool of threads, as servers do."""
    numbers = range(first, first + tasks)
    if calls.is_async:
        waiting = [asyncio.create_task(calls.call_async(index, "task")) for index in numbers]
        go.set()
        await asyncio.gather(*waiting)
        return
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(min(max_threads, tasks)) as pool:
        go.set()
        await asyncio.gather(*(loop.run_in_executor(pool, calls.call, index, "task") for index in numbers))
