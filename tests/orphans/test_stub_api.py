"""The loopback API of a run: what it serves, and that every fault is really there."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orphans.sandbox import stub_api
from orphans.sandbox.stub_api import Faults

SCRIPT = Path(stub_api.__file__)
ITEM_KEYS = {"id", "name", "value", "active", "tags"}
Ask = Callable[..., tuple[int, Any]]


class Api:
    """A stub in a process of its own, as a run has it."""

    def __init__(self, **faults: Any) -> None:
        order = json.dumps({"port": 0, **faults})
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(SCRIPT), order], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.out = self.process.stdout
        self.port = json.loads(self.out.readline())["port"]

    def ask(self, path: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def timed(self, path: str = "/echo") -> float:
        before = time.perf_counter()
        self.ask(path)
        return time.perf_counter() - before

    def end(self) -> dict[str, int]:
        self.process.terminate()
        rest = self.out.read()
        self.out.close()
        assert self.process.wait(10) == 0
        tally: dict[str, int] = json.loads(rest)
        return tally


@contextmanager
def serving(**faults: Any) -> Iterator[Api]:
    api = Api(**faults)
    try:
        yield api
    finally:
        if not api.out.closed:
            api.end()


def test_it_serves_echo_list_item_and_errors() -> None:
    with serving() as api:
        assert api.ask("/echo?a=1", "POST", {"x": [1]})[1] == {
            "method": "POST", "path": "/echo", "query": {"a": "1"}, "body": {"x": [1]},
        }  # fmt: skip
        status, page = api.ask("/items?page=2&size=3")
        assert (status, [each["id"] for each in page["items"]]) == (200, [4, 5, 6])
        assert page["next"] == "/items?page=3&size=3"
        assert api.ask("/items/4")[1] == page["items"][0]
        assert [api.ask(path)[0] for path in ("/error/418", "/items/0", "/items?page=x", "/nothing")] == [
            418, 404, 400, 404,
        ]  # fmt: skip


def test_the_pages_hold_every_item_once() -> None:
    with serving(seed=3) as api:
        seen, address = [], "/items?size=70"
        while address:
            page = api.ask(address)[1]
            seen += [each["id"] for each in page["items"]]
            address = page["next"]
    assert seen == list(range(1, stub_api.ITEMS + 1))


def test_it_listens_on_the_loopback_alone() -> None:
    with serving() as api:
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        local = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    assert [each for each in local if each.endswith(f":{api.port:04X}")] == [f"0100007F:{api.port:04X}"]


def test_a_request_takes_at_least_its_latency() -> None:
    with serving(latency_ms=120) as api, serving() as plain:
        slow, fast = (min(each.timed() for _ in range(8)) for each in (api, plain))
    assert slow >= 0.12
    assert slow - fast >= 0.1


def test_thinking_time_is_added_to_latency() -> None:
    with serving(latency_ms=40, api_latency_ms=80) as api:
        assert api.timed() >= 0.12
        assert api.timed("/health") < 0.1


def test_slow_requests_run_side_by_side() -> None:
    with serving(latency_ms=300) as api, ThreadPoolExecutor(8) as pool:
        before = time.perf_counter()
        answers = list(pool.map(api.ask, ["/echo"] * 8))
        assert [status for status, _ in answers] == [200] * 8
        assert time.perf_counter() - before < 8 * 0.3 / 2


def test_a_lost_request_is_reset_and_counted() -> None:
    with serving(loss=1.0) as api:
        with pytest.raises(ConnectionResetError):
            api.ask("/echo")
        assert api.ask("/health") == (200, {"ok": True})
        assert api.end() == {"requests": 1, "lost": 1, "failed": 0, "drifted": 0}


def test_of_each_window_so_many_fail() -> None:
    with serving(failures=5, failure_window=20, seed=1) as api:
        answers = [api.ask("/items/1")[0] for _ in range(40)]
        assert api.end()["failed"] == 10
    assert [answers[start : start + 20].count(503) for start in (0, 20)] == [5, 5]


def test_drift_changes_the_shape_of_so_many_answers() -> None:
    with serving(drifts=20, drift_window=20) as api, serving() as plain:
        usual = plain.ask("/items/7")[1]
        assert set(usual) == ITEM_KEYS
        drifted = [api.ask("/items/7")[1] for _ in range(20)]
    assert [each for each in drifted if shape(each) == shape(usual)] == []
    assert len({repr(shape(each)) for each in drifted}) > 5


def shape(document: dict[str, Any]) -> dict[str, str]:
    return {key: type(value).__name__ for key, value in document.items()}


def test_bodies_share_one_link() -> None:
    """A page of 100 items has some 9 kB: at 0.5 Mbit/s four of them take over half a second together."""
    with serving(mbps=0.5) as api, ThreadPoolExecutor(4) as pool:
        before = time.perf_counter()
        pages = list(pool.map(api.ask, ["/items?size=100"] * 4))
        seconds = time.perf_counter() - before
    sent = sum(len(json.dumps(page)) for _, page in pages)
    assert seconds >= sent * 8 / 0.5e6


def test_the_same_seed_answers_the_same() -> None:
    def answers(seed: int) -> list[tuple[int, Any]]:
        with serving(seed=seed, failures=3, failure_window=10, drifts=3, drift_window=10) as api:
            return [api.ask(f"/items/{number}") for number in range(1, 31)]

    assert answers(5) == answers(5)
    assert answers(5) != answers(6)


def test_a_body_that_is_no_json_does_not_stop_it() -> None:
    with serving() as api:
        connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=5)
        connection.request("POST", "/echo", b"\xff[[", {"Content-Length": "3"})
        assert json.loads(connection.getresponse().read())["body"] == "\ufffd[["
        connection.close()
        assert api.ask("/echo")[0] == 200


def test_an_order_with_an_unknown_fault_ends_it() -> None:
    command = [sys.executable, "-I", "-S", str(SCRIPT), '{"port": 0, "latncy_ms": 5}']
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "latncy_ms" in done.stderr


@given(seed=st.integers(0, 9), some=st.integers(0, 20), more=st.integers(0, 20), block=st.integers(0, 50))
def test_exactly_so_many_of_any_window_are_chosen(seed: int, some: int, more: int, block: int) -> None:
    window = max(1, some + more)
    faults = Faults(seed=seed, failures=some, failure_window=window, drifts=some, drift_window=window)
    numbers = range(block * window, (block + 1) * window)
    assert sum(map(faults.failed, numbers)) == some
    assert sum(map(faults.drifted, numbers)) == some


@given(latency=st.floats(0, 1000), jitter=st.floats(0, 1000), number=st.integers(0, 10**6))
def test_a_delay_stays_within_latency_and_jitter(latency: float, jitter: float, number: int) -> None:
    seconds = Faults(latency_ms=latency, jitter_ms=jitter).delay(number)
    assert max(0.0, latency - jitter) / 1000 <= seconds + 1e-9
    assert seconds <= (latency + jitter) / 1000 + 1e-9


def test_losses_come_as_often_as_they_should() -> None:
    lost = sum(map(Faults(loss=0.1, seed=2).lost, range(5000)))
    assert 500 - 4 * 21.3 < lost < 500 + 4 * 21.3  # four standard deviations
