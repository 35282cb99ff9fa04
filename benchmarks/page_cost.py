"""What one page costs: CPU of the web process and of its database session, queries, buffers, bytes."""

import gc
import http.client
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any
from wsgiref.util import setup_testing_defaults

import psutil
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test.utils import CaptureQueriesContext

from menace_site.supervisor.plan import specs

Headers = dict[str, str]


@dataclass(frozen=True)
class Request:
    """One page as one kind of client asks for it."""

    name: str
    path: str
    headers: Headers

    def environ(self) -> dict[str, Any]:
        """Return the WSGI environment."""
        path, _, query = self.path.partition("?")
        named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        environ: dict[str, Any] = {
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REMOTE_ADDR": "127.0.0.1",
            **named,
        }
        setup_testing_defaults(environ)
        return environ


def ask(handler: WSGIHandler, request: Request) -> bytes:
    """Ask through the whole stack of middleware, in this process; RuntimeError unless it answers 200."""
    status: list[str] = []

    def start(line: str, _headers: Any, _error: Any = None, /) -> Any:
        status.append(line)

    response: Any = handler(request.environ(), start)
    body = b"".join(response)
    response.close()
    if not status[0].startswith("200"):
        raise RuntimeError(f"{request.path} answered {status[0]}: {body[:300]!r}")
    return body


def database_pid() -> int:
    """Return the process of this thread's database session."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process, to the nanosecond where the kernel tells them."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)


def in_process(handler: WSGIHandler, request: Request, rounds: int) -> dict[str, float]:
    """Return the CPU milliseconds of a warm request, in this process and in the database's.

    They are the medians of the best of three thirds of the rounds: what other programs do to the caches of
    the processor comes and goes.
    """
    body = [ask(handler, request) for _ in range(5)][-1]
    session = database_pid()
    thirds = [_medians(handler, request, session, max(1, rounds // 3)) for _ in range(3)]
    web_ms, database_ms = min(thirds, key=sum)
    return {
        "web_cpu_ms": round(web_ms, 2),
        "database_cpu_ms": round(database_ms, 2),
        "cpu_ms": round(web_ms + database_ms, 2),
        "bytes": len(body),
    }


def _medians(handler: WSGIHandler, request: Request, session: int, rounds: int) -> tuple[float, float]:
    web, database = [], []
    gc.collect()
    for _ in range(rounds):
        began, began_there = time.process_time_ns(), cpu_of(session)
        ask(handler, request)
        web.append((time.process_time_ns() - began) / 1e6)
        database.append((cpu_of(session) - began_there) * 1e3)
    return statistics.median(web), statistics.median(database)


def queries(handler: WSGIHandler, request: Request) -> dict[str, int]:
    """Return how many statements the page sends and how many 8 KiB buffers its SELECTs touch."""
    with CaptureQueriesContext(connection) as captured:
        ask(handler, request)
    statements = [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    reads = [sql for sql in statements if sql.lstrip().upper().startswith(("SELECT", "WITH"))]
    return {"queries": len(statements), "buffers": sum(map(_buffers, reads))}


def _buffers(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql.replace("%", "%%"), [])
        (plan,) = cursor.fetchone()
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


@contextmanager
def web_server(port: int) -> Iterator[int]:
    """Run the web process that `manage.py up` runs, and yield its pid."""
    with Popen(specs("127.0.0.1", port, only=("web",))[0].command) as process:
        try:
            _wait(lambda: http_get(port, Request("", "/health", {}))[0] in (200, 503))
            yield process.pid
        finally:
            process.terminate()


def http_get(port: int, request: Request) -> tuple[int, bytes]:
    """Ask over HTTP."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.request("GET", request.path, headers=request.headers)
    answer = client.getresponse()
    body = answer.read()
    client.close()
    return answer.status, body


def _wait(happens: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if happens():
                return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise RuntimeError("the web server did not answer")
        time.sleep(0.1)


def over_http(port: int, pid: int, request: Request, rounds: int) -> dict[str, float]:
    """Return the web processes' CPU milliseconds a request, and the bytes as a browser gets them (gzip)."""
    zipped = Request(request.name, request.path, {**request.headers, "Accept-Encoding": "gzip"})
    for _ in range(20):
        status, body = http_get(port, zipped)
    if status != 200:
        raise RuntimeError(f"{request.path} answered {status} over HTTP")
    before = _tree_cpu(pid)
    for _ in range(rounds):
        http_get(port, zipped)
    return {"http_cpu_ms": round((_tree_cpu(pid) - before) / rounds * 1e3, 2), "gzip_bytes": len(body)}


def export(port: int, pid: int, request: Request, cycles: int) -> dict[str, float]:
    """Stream an export of all rows; return by how much the web processes grew meanwhile, at most."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    before, began, read, most = _tree_memory(pid), time.perf_counter(), 0, 0.0
    client.request("GET", request.path, headers=request.headers)
    answer = client.getresponse()
    while block := answer.read(2**20):
        read += block.count(b"\n")
        most = max(most, _tree_memory(pid) - before)
    client.close()
    if answer.status != 200 or read < cycles:
        raise RuntimeError(f"{request.path} answered {answer.status} with {read} of {cycles} rows")
    seconds = time.perf_counter() - began
    return {"rows": read, "seconds": round(seconds, 1), "grown_mib": round(max(most, 0.0) / 2**20, 1)}


def _tree_memory(pid: int) -> float:
    root = psutil.Process(pid)
    return float(sum(process.memory_info().rss for process in (root, *root.children(recursive=True))))


def _tree_cpu(pid: int) -> float:
    """Return the CPU seconds of a process, its threads and its children."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        total += sum(cpu_of_task(process.pid, thread.id) for thread in process.threads())
    return total


def cpu_of_task(pid: int, thread: int) -> float:
    """Return the CPU seconds of one thread."""
    return int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0]) / 1e9


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    return {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "memory_gib": _memory_gib()}


def _memory_gib() -> float:
    return float(round(psutil.virtual_memory().total / 2**30, 1))
