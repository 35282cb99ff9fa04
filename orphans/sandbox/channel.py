"""The worker's end of what a run sends: its words on the channel, and its output."""

import time
from collections import deque

from orphans.domain.ingest import IngestError, IngestLimits, Json, clean_output, clean_text, read_result
from orphans.sandbox.spec import Progress

LINE_SLACK = 64
"""Bytes of `{"result": …}` around the result itself."""
WORDS_BYTES = 2**20
"""What progress and error lines may take beside the result."""
PROGRESS_EVERY = 0.1
"""Seconds between two calls of the listener, so that a flood of words costs nothing."""
TAIL_BYTES = 64 * 2**10
TAIL_CHARACTERS = 16_000

_WORDS = IngestLimits(bytes=16_000, depth=2, nodes=10, text=12_000)


class Channel:
    """Collects the lines of a run: progress is passed on, the first result or error is kept."""

    def __init__(self, result_bytes: int, on_progress: Progress | None, key: str = "") -> None:
        self._limits = IngestLimits(bytes=result_bytes + LINE_SLACK, nodes=max(100, result_bytes // 2))
        self._left = result_bytes + WORDS_BYTES
        self._buffer = bytearray()
        self._listener = on_progress
        self._key = key
        self._next_call = 0.0
        #: whether the run sent more than it may
        self.overflown = False
        #: the last line was read: a result, an error or something that was refused
        self.finished = False
        self.result: Json = None
        self.exception: str | None = None
        self.error_type = ""
        #: calls per function, as the run told them
        self.calls: dict[str, int] | None = None
        #: side effects, as a hook inside the run told them
        self.attempts: dict[str, Json] | None = None
        #: why its words were refused, if they were
        self.refused = ""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the channel."""
        self._left -= len(data)
        if self._left < 0:
            self.overflown = True
            return
        self._buffer += data
        while not self.finished and (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            self._understand(line)
        except IngestError as error:
            self.finished, self.refused = True, str(error)

    def _understand(self, line: bytes) -> None:
        words = read_result(line, _WORDS if line.startswith((b'{"progress"', b'{"error"')) else self._limits)
        if not isinstance(words, dict):
            raise IngestError("a line of the channel is no object")
        names = set(words)
        if names == {"result", "key"}:
            self._know(words["key"])
            self.finished, self.result = True, words["result"]
        elif names == {"error", "type", "key"}:
            self._know(words["key"])
            self.finished, self.exception, self.error_type = True, str(words["error"]), str(words["type"])
        elif names == {"calls"}:
            self.calls = read_calls(words["calls"])
        elif names == {"attempts"}:
            self.attempts = read_attempts(words["attempts"])
        elif names == {"progress", "message"}:
            self._pass_on(words["progress"], words["message"])
        else:
            raise IngestError("a line of the channel has unknown keys")

    def _know(self, key: Json) -> None:
        """Refuse last words that don't carry the run's key: they came from somebody who guessed the form."""
        if key != self._key:
            raise IngestError("the last line doesn't carry the run's key")

    def _pass_on(self, fraction: Json, message: Json) -> None:
        now = time.monotonic()
        if self._listener is None or now < self._next_call:
            return
        self._next_call = now + PROGRESS_EVERY
        known = isinstance(fraction, int | float) and not isinstance(fraction, bool)
        self._listener(min(1.0, max(0.0, float(fraction))) if known else None, clean_text(str(message), 500))


def read_calls(value: Json) -> dict[str, int]:
    """Return calls per function, refusing every other shape."""
    if not isinstance(value, dict) or not all(type(count) is int and count >= 0 for count in value.values()):
        raise IngestError("calls must be counts by name")
    return value


def read_attempts(value: Json) -> dict[str, Json]:
    """Return what a hook counted, refusing every other shape."""
    names = {"file_writes", "network_connections", "subprocesses"}
    if not isinstance(value, dict) or set(value) != names | {"examples"}:
        raise IngestError("attempts must be three counts and examples")
    examples = value["examples"]
    if not isinstance(examples, dict) or any(type(value[name]) is not int for name in names):
        raise IngestError("attempts must be three counts and examples")
    told = {name: [str(each) for each in examples.get(name) or [] if isinstance(each, str)] for name in names}
    return {**{name: value[name] for name in names}, "examples": told}


class Output:
    """Counts stdout and stderr and keeps the end of it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tail: deque[bytes] = deque()
        self._kept = 0
        #: bytes seen so far
        self.size = 0

    @property
    def overflown(self) -> bool:
        """Whether the run printed more than it may."""
        return self.size > self._limit

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the output."""
        self.size += len(data)
        self._tail.append(data)
        self._kept += len(data)
        while self._kept - len(self._tail[0]) >= TAIL_BYTES:
            self._kept -= len(self._tail.popleft())

    def tail(self) -> str:
        """Return the end of the output, cleaned of what terminals and pages would act on."""
        return clean_output(b"".join(self._tail)[-TAIL_BYTES:], TAIL_CHARACTERS)
