"""The command that measures lists: its instruments read right, and a missed bar is said."""

import importlib
import os
import threading
import time
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client

from tests.factories import make_beat, make_cycles, make_engine, make_user


@pytest.fixture
def cost(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The instruments."""
    monkeypatch.syspath_prepend(str(settings.BASE_DIR / "benchmarks"))
    return importlib.import_module("page_cost")


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The command."""
    monkeypatch.syspath_prepend(str(settings.BASE_DIR / "benchmarks"))
    return importlib.import_module("lists")


def page(cost: ModuleType, path: str) -> Any:
    browser = Client()
    browser.force_login(make_user("operator"))
    return cost.Request("page", path, {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"})


def met(bars: Iterable[str]) -> dict[str, dict[str, float]]:
    figures = {"cpu_ms": 1.0, "bytes": 1, "loaded_bytes": 1, "content_ms": 1, "queries": 1}
    return {name: {**figures, "grown_mib": 1, "seconds": 1} for name in bars}


def test_bars_that_are_met(lists: ModuleType) -> None:
    assert list(lists.misses(met(lists.BARS), False)) == []


@pytest.mark.parametrize(
    ("name", "figure", "value"),
    [
        ("api list of 100", "cpu_ms", 25.1),
        ("api list of 100", "bytes", 40 * 1024 + 1),
        ("overview", "loaded_bytes", 500_001),
        ("cycle list", "content_ms", 1000.5),
        ("engine page", "queries", 13),
    ],
)
def test_a_missed_bar_is_named(lists: ModuleType, name: str, figure: str, value: float) -> None:
    pages = met(lists.BARS)
    pages[name][figure] = value
    (line,) = lists.misses(pages, False)
    assert line.startswith(f"{name}: {figure} ")


def test_without_a_browser_its_bars_are_not_judged(lists: ModuleType) -> None:
    pages = met(lists.BARS)
    del pages["overview"]["content_ms"], pages["overview"]["loaded_bytes"]
    pages["cycle list"]["content_ms"] = 5000
    assert list(lists.misses(pages, True)) == []


def test_cpu_of_a_thread_counts_work_and_not_sleep(cost: ModuleType) -> None:
    me = threading.get_native_id()
    before = cost.cpu_of_task(os.getpid(), me)
    time.sleep(0.1)
    slept = cost.cpu_of_task(os.getpid(), me) - before
    until = time.thread_time() + 0.1
    while time.thread_time() < until:
        pass
    worked = cost.cpu_of_task(os.getpid(), me) - before - slept
    assert slept < 0.05
    assert worked == pytest.approx(0.1, abs=0.03)


def test_a_page_through_the_whole_stack(cost: ModuleType, transactional_db: None) -> None:
    make_cycles(3, make_engine("alpha"))
    body = cost.ask(WSGIHandler(), page(cost, "/cycles/?engine=alpha"))
    assert b"alpha" in body


def test_anything_but_200_is_no_figure(cost: ModuleType, transactional_db: None) -> None:
    with pytest.raises(RuntimeError, match="answered 302"):
        cost.ask(WSGIHandler(), cost.Request("page", "/cycles/", {}))


def test_queries_and_buffers_are_counted(cost: ModuleType, transactional_db: None) -> None:
    make_cycles(30, make_engine("alpha"))
    make_beat()
    found = cost.queries(WSGIHandler(), page(cost, "/cycles/"))
    assert 4 <= found["queries"] <= 12
    assert 5 < found["buffers"] < 500


def test_report_prints_a_line_a_page(lists: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    report = {
        "cycles": 1000,
        "seeding": {"seconds": 1.5},
        "machine": {},
        "pages": met(lists.BARS),
        "missed": [],
    }
    lists.print_report(report)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1,000 cycles (made in 1.5 s)")
    assert lines[-1] == "every bar is met"
    assert len(lines) == 5 + len(lists.BARS) + sum(map(len, lists.BARS.values()))
    assert all(line.endswith("pass") for line in lines[-3:-1])
