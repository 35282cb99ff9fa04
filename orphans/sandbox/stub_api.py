"""The API that a run may reach: JSON over HTTP on the loopback of the run's own network, with faults.

A script of its own, standard library only: `python -I -S -B stub_api.py ORDER`, where ORDER is a JSON
object of the fields of `Faults` and `port` (0, or none: any free one). When it listens it prints one line,
`{"port": n}`; on SIGTERM it prints what it did, `{"requests": n, "lost": n, "failed": n, "drifted": n}`,
and ends. A run finds it by the variable `SANDBOX_STUB_URL`, such as `http://127.0.0.1:8089`.

    GET  /health            {"ok": true}, at once and never counted
    any  /echo              method, path, query and JSON body of the request
    GET  /items             {"items": […], "page", "pages", "total", "next"}; ?page=2&size=10
    GET  /items/17          one of the items of that list
    any  /error/503         that status

Every fault is drawn from `seed` and the number of the request alone, so that two runs that ask alike
are answered alike. Of each `failure_window` requests exactly `failures` are answered with 503, of each
`drift_window` answers exactly `drifts` have another shape than the one above.
"""

import json
import random
import signal
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

ITEMS = 200
PAGE_SIZE = 20
LARGEST_PAGE = 100
BODY_BYTES = 1 << 20
RESET = struct.pack("ii", 1, 0)

Answer = tuple[int, Any]


def drawn(*key: object) -> random.Random:
    """Return the chance that belongs to `key`: the same for the same key, in any process."""
    return random.Random(":".join(map(str, key)))  # noqa: S311 - faults, not secrets


@dataclass(frozen=True)
class Faults:
    """What goes wrong, and how often."""

    seed: int = 0
    #: added to each request, milliseconds: the way there and back
    latency_ms: float = 0.0
    #: uniform around the latency, never below 0
    jitter_ms: float = 0.0
    #: milliseconds that the server thinks before it answers
    api_latency_ms: float = 0.0
    #: share of requests that are never answered: their connection is reset
    loss: float = 0.0
    failures: int = 0
    failure_window: int = 1
    drifts: int = 0
    drift_window: int = 1
    #: megabits a second for all bodies together; 0: as fast as it goes
    mbps: float = 0.0

    def delay(self, number: int) -> float:
        """Return the seconds that request `number` takes longer."""
        jitter = drawn(self.seed, "jitter", number).uniform(-self.jitter_ms, self.jitter_ms)
        return (max(0.0, self.latency_ms + jitter) + self.api_latency_ms) / 1000

    def lost(self, number: int) -> bool:
        """Tell whether request `number` is never answered."""
        return drawn(self.seed, "loss", number).random() < self.loss

    def failed(self, number: int) -> bool:
        """Tell whether request `number` is answered with 503."""
        return self._chosen("failure", number, self.failures, self.failure_window)

    def drifted(self, number: int) -> bool:
        """Tell whether the answer to request `number` has another shape."""
        return self._chosen("drift", number, self.drifts, self.drift_window)

    def _chosen(self, word: str, number: int, some: int, window: int) -> bool:
        """Tell whether `number` is among the `some` that are drawn from each `window` of numbers."""
        block, place = divmod(number, window)
        return place in drawn(self.seed, word, block).sample(range(window), some)


class Stub(ThreadingHTTPServer):
    """The server: the faults, the counts and the one link that all bodies share."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, faults: Faults) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.faults = faults
        self.numbers = count()
        self.tally = dict.fromkeys(("requests", "lost", "failed", "drifted"), 0)
        self._lock = threading.Lock()
        self._link_free = 0.0

    def note(self, word: str) -> None:
        """Count one more."""
        with self._lock:
            self.tally[word] += 1

    def send_over_link(self, size: int) -> None:
        """Wait as long as `size` bytes take on the link, behind those that were there before."""
        if not self.faults.mbps:
            return
        with self._lock:
            now = time.monotonic()
            self._link_free = max(now, self._link_free) + size * 8 / (self.faults.mbps * 1e6)
            wait = self._link_free - now
        time.sleep(wait)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection without the polite end that would come before a reset."""
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when a client goes away in the middle."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Stub
    timeout = 30

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what a run asks for is no output of this machine."""

    def do_GET(self) -> None:
        """Answer."""
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _serve(self) -> None:
        if urlsplit(self.path).path == "/health":
            self._send((200, {"ok": True}))
            return
        number, faults = next(self.server.numbers), self.server.faults
        self.server.note("requests")
        body = self._body()
        time.sleep(faults.delay(number))
        if faults.lost(number):
            self.server.note("lost")
            self._reset()
        elif faults.failed(number):
            self.server.note("failed")
            self._send((503, {"error": "upstream is unavailable"}))
        else:
            self._answer(number, body)

    def _answer(self, number: int, body: Any) -> None:
        faults = self.server.faults
        status, data = route(self.command, self.path, body, faults.seed)
        if status == 200 and faults.drifted(number):
            self.server.note("drifted")
            data = drift(data, drawn(faults.seed, "shape", number))
        self._send((status, data))

    def _body(self) -> Any:
        """Return the JSON body, its text when it is none, or None when there is no body."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length[:9]) > BODY_BYTES:
            self.close_connection = True
            return None
        text = self.rfile.read(int(length)).decode("utf-8", "replace")
        try:
            return json.loads(text) if text else None
        except (ValueError, RecursionError):
            return text

    def _send(self, answer: Answer) -> None:
        data = json.dumps(answer[1]).encode()
        self.server.send_over_link(len(data))
        self.send_response(answer[0])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _reset(self) -> None:
        """End the connection as if the way had been lost: no answer, no end of file, a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def route(method: str, address: str, body: Any, seed: int) -> Answer:
    """Return status and document for one request."""
    parts = urlsplit(address)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    words = [word for word in parts.path.split("/") if word]
    match words:
        case ["echo"]:
            return 200, {"method": method, "path": parts.path, "query": query, "body": body}
        case ["items"] if method == "GET":
            return page(query, seed)
        case ["items", number] if method == "GET" and number.isdecimal() and 1 <= int(number[:9]) <= ITEMS:
            return 200, item(int(number), seed)
        case ["error", code] if code.isdecimal() and 400 <= int(code[:4]) <= 599:
            return int(code), {"error": f"you asked for {code}"}
    return 404, {"error": "there is no such thing"}


def item(number: int, seed: int) -> dict[str, Any]:
    """Return item `number`: the same for the same seed."""
    chance = drawn(seed, "item", number)
    return {
        "id": number,
        "name": f"item-{number}",
        "value": round(chance.uniform(0, 100), 3),
        "active": chance.random() < 0.8,
        "tags": chance.sample(["red", "green", "blue", "old", "new"], 2),
    }


def page(query: dict[str, str], seed: int) -> Answer:
    """Return one page of the items."""
    given = query.get("page", "1"), query.get("size", str(PAGE_SIZE))
    if not all(text.isdecimal() and int(text[:9]) > 0 for text in given):
        return 400, {"error": "page and size must be numbers from 1"}
    number, size = int(given[0][:9]), min(int(given[1][:9]), LARGEST_PAGE)
    pages = -(-ITEMS // size)
    shown = range((number - 1) * size + 1, min(number * size, ITEMS) + 1)
    following = f"/items?page={number + 1}&size={size}" if number < pages else None
    items = [item(each, seed) for each in shown]
    return 200, {"items": items, "page": number, "pages": pages, "total": ITEMS, "next": following}


def drift(data: Any, chance: random.Random) -> Any:
    """Return the document in another shape: a field renamed, of another type, gone, or one level deeper."""
    if not isinstance(data, dict) or not data:
        return {"data": data}
    changed = dict(data)
    if isinstance(changed.get("items"), list) and changed["items"] and chance.random() < 0.5:
        changed["items"] = [drift(each, drawn(chance.random())) for each in changed["items"]]
        return changed
    name = chance.choice(sorted(changed))
    value = changed.pop(name)
    match chance.randrange(4):
        case 0:
            changed[f"{name}_v2"] = value
        case 1:
            changed[name] = [value] if isinstance(value, str) else str(value)
        case 2:
            changed[name] = {"value": value}
    return changed


def main() -> NoReturn:
    """Serve until SIGTERM."""
    order = json.loads(sys.argv[1])
    stub = Stub(order.pop("port", 0), Faults(**order))

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    try:  # from here on: whoever knows the port may end it, and gets the tally
        sys.stdout.write(json.dumps({"port": stub.server_address[1]}) + "\n")
        sys.stdout.flush()
        stub.serve_forever(poll_interval=0.5)
    finally:
        sys.stdout.write(json.dumps(stub.tally) + "\n")
        sys.stdout.flush()
    sys.exit(0)


if __name__ == "__main__":
    main()
