"""Warm servers end when nobody needs them, and stay within their memory."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from orphans.sandbox import Kind, Limits, Outcome, RunSpec, SubprocessRunner, policy, probe
from orphans.sandbox.nursery import Nursery
from orphans.sandbox.watching import below, kill
from tests.orphans.sandbox.test_kinds import warmed
from tests.orphans.sandbox.test_nursery import started
from tests.waiting import gone, until

LIMITS = Limits(wall_seconds=30, cpu_seconds=20, memory_bytes=1024 * 2**20)
UNREAD = """
import time, psutil
from orphans.sandbox import Kind, RunSpec, SubprocessRunner, nursery
spec = RunSpec(kind=Kind.CALL, target="posixpath:basename", payload="a/b", profile="tests")
for _ in range(2): SubprocessRunner().run(spec)
spawner = psutil.Process(nursery.shared().pid())
def held(process):
    try: return process.memory_info().rss
    except psutil.NoSuchProcess: return 0
until = time.monotonic() + 30
while not (large := [each for each in spawner.children() if held(each) > 24 << 20]):
    assert time.monotonic() < until, "no server came"
    time.sleep(0.05)
server = large[0]
while server.status() != "sleeping":
    assert time.monotonic() < until, "the server doesn't wait"
    time.sleep(0.05)
nursery.shared().close()
server.wait(10)
"""


JOINED = """
import numpy
from pathlib import Path
from orphans.sandbox import zygote
def mappings(): return [line.split(maxsplit=5) for line in Path("/proc/self/maps").read_text().splitlines()]
def files(): return [each for each in mappings() if each[-1].startswith("/")]
before = len(files())
zygote.join()
after = files()
import sqlite3
numpy.linalg.inv(numpy.eye(3)) + len(sqlite3.connect(":memory:").execute("select 1").fetchall())
print(len(after) < 0.7 * before, sum(each[1] == "rwxp" for each in after))
"""


def limited(monkeypatch: pytest.MonkeyPatch, warm: policy.Warm) -> Iterator[SubprocessRunner]:
    monkeypatch.setattr(policy, "_configured", [policy.Policy(warm=warm)])
    nursery = Nursery()
    yield SubprocessRunner(nursery=nursery)
    nursery.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[SubprocessRunner]:
    """A runner whose warm servers wait two seconds for runs."""
    yield from limited(monkeypatch, policy.Warm(idle_seconds=2))


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[SubprocessRunner]:
    yield from limited(monkeypatch, policy.Warm(memory_mb=request.param))


def sleeping(folder: Path, seconds: float) -> RunSpec:
    (folder / "bot.py").write_text("import time\ndef go(n):\n    time.sleep(n)\n    return n\n")
    return RunSpec(
        kind=Kind.CALL, target="bot:go", payload=seconds, checkout=folder, profile="tests", limits=LIMITS
    )


def servers(runner: SubprocessRunner) -> list[psutil.Process]:
    """Return the processes of the spawner that hold libraries."""
    spawner = psutil.Process(runner._nursery.pid() or 0)
    return [each for each in spawner.children() if resident(each) > 24 * 2**20]


def resident(process: psutil.Process) -> int:
    """Return the bytes that a process holds; none when it has just ended."""
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def test_a_server_ends_when_nobody_asks_and_its_last_run_goes_on(
    hasty: SubprocessRunner, tmp_path: Path
) -> None:
    server = servers(warmed(hasty))[0]
    measured = hasty.run(sleeping(tmp_path, 3.5))
    assert (measured.warm, measured.result, measured.outcome) == (True, 3.5, Outcome.OK)
    server.wait(10)
    assert not server.is_running()
    again = hasty.run(sleeping(tmp_path, 0))
    assert (again.warm, again.ok) == (False, True)
    assert servers(hasty) == []


@pytest.mark.parametrize("narrow", [8], indirect=True)
def test_a_server_over_its_memory_is_none(narrow: SubprocessRunner, tmp_path: Path) -> None:
    spec = sleeping(tmp_path, 0)
    told = [narrow.run(spec) for _ in range(2)]
    until(lambda: servers(narrow))[0].wait(20)
    told += [narrow.run(spec) for _ in range(4)]
    assert [(each.warm, each.ok) for each in told] == [(False, True)] * 6
    assert servers(narrow) == []


@pytest.mark.parametrize("narrow", [0], indirect=True)
def test_there_may_be_no_server_at_all(narrow: SubprocessRunner, tmp_path: Path) -> None:
    for _ in range(3):
        narrow.run(sleeping(tmp_path, 0))
    assert len(psutil.Process(narrow._nursery.pid() or 0).children()) <= 2, "launchers alone"
    assert probe(narrow._nursery).as_text().splitlines()[-2] == "there are no warm servers"


def test_a_spawner_that_goes_before_it_heard_of_its_server_is_no_news() -> None:
    with started(UNREAD) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "", "")


def test_a_warm_run_keeps_its_limits_while_its_server_is_retired(
    hasty: SubprocessRunner, tmp_path: Path
) -> None:
    warmed(hasty)
    short = replace(sleeping(tmp_path, 20), limits=replace(LIMITS, wall_seconds=3))
    measured = hasty.run(short)
    assert (measured.outcome, measured.warm) == (Outcome.TIMEOUT, True)


def test_nothing_stays_of_a_run_whose_launcher_is_killed_while_it_is_made_ready(
    hasty: SubprocessRunner, tmp_path: Path
) -> None:
    spec = sleeping(tmp_path, 0)
    spawner = psutil.Process(warmed(hasty)._nursery.pid() or 0)
    for pause in (0, 0.003, 0.006, 0.01, 0.02):
        assert hasty.run(spec).ok
        time.sleep(pause)
        kept = {each.pid for each in servers(hasty)}
        doomed = {*below(spawner.pid)} - kept
        kill([each.pid for each in spawner.children() if each.pid not in kept])
        assert [pid for pid in doomed if not gone(pid, 5)] == []
    assert hasty.run(spec).ok


def test_parts_of_a_library_become_one_mapping_and_it_works_on() -> None:
    with started(JOINED) as process:
        output, errors = process.communicate(timeout=60)
    assert (errors, output) == ("", "True 0\n")
