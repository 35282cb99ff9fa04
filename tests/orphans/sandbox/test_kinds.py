"""Tests, counted calls, the loopback API, warm servers, code that comes as an input."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from orphans.sandbox import Kind, Limits, Measurement, Network, Outcome, RunSpec, SpecError, SubprocessRunner
from orphans.sandbox.nursery import Nursery

SHORT = Limits(wall_seconds=30, cpu_seconds=20, memory_bytes=1024 * 2**20)
TESTS = """
import pytest
from shop import price

def test_good(): assert price(2) == 4
def test_bad(): assert price(2) == 5
@pytest.mark.skip
def test_later(): pass
def test_broken(missing): pass
"""
SHOP = "def price(n):\n    return twice(n)\n\ndef twice(n):\n    return n * 2\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "tests" / "test_shop.py").write_text(TESTS)
    return tmp_path


def run(spec: RunSpec) -> Measurement:
    return SubprocessRunner().run(replace(spec, limits=SHORT))


def test_each_test_has_its_outcome(shop: Path) -> None:
    measured = run(RunSpec(kind=Kind.PYTEST, arguments=("tests",), checkout=shop))
    assert measured.ok, measured.explain()
    outcomes = {name.rpartition("::")[2]: told["outcome"] for name, told in measured.result["tests"].items()}
    assert outcomes == {
        "test_good": "passed", "test_bad": "failed", "test_later": "skipped", "test_broken": "error",
    }  # fmt: skip
    assert (measured.result["exit"], measured.result["errors"]) == (1, [])


def test_what_cannot_be_collected_is_told(shop: Path) -> None:
    (shop / "tests" / "test_shop.py").write_text("import nowhere")
    measured = run(RunSpec(kind=Kind.PYTEST, arguments=("tests",), checkout=shop))
    assert measured.result["tests"] == {}
    assert "nowhere" in measured.result["errors"][0]


def test_tests_that_leave_early_are_no_success(shop: Path) -> None:
    (shop / "shop.py").write_text("import os\nos._exit(0)")
    measured = run(RunSpec(kind=Kind.PYTEST, arguments=("tests",), checkout=shop))
    assert (measured.outcome, "without a result" in measured.reason) == (Outcome.FAILED, True)


@pytest.mark.parametrize("arguments", [("-p", "evil"), ("--rootdir=/",), ("a\0b",)])
def test_a_selection_holds_no_options(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SpecError, match="options"):
        RunSpec(kind=Kind.PYTEST, arguments=arguments, checkout=tmp_path)


def test_calls_of_the_checkout_are_counted(shop: Path) -> None:
    (shop / "main.py").write_text("import shop, json\nfor n in range(5): shop.price(n); json.dumps(n)\n")
    measured = run(RunSpec(kind=Kind.FILE, target="main.py", checkout=shop, count_calls=True))
    assert measured.calls == {
        "main.py:<module>": 1,
        "shop.py:<module>": 1,
        "shop.py:price": 5,
        "shop.py:twice": 5,
    }


def test_calls_are_not_counted_unasked(shop: Path) -> None:
    spec = RunSpec(kind=Kind.CALL, target="shop:price", payload=1, checkout=shop)
    assert run(spec).calls is None


def test_a_run_may_be_given_an_api_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "asks.py").write_text(
        "import json, os, urllib.request\n"
        "def ask(_):\n"
        "    with urllib.request.urlopen(os.environ['SANDBOX_STUB_URL'] + '/health') as answer:\n"
        "        return json.load(answer)\n"
    )
    spec = RunSpec(
        kind=Kind.CALL, target="asks:ask", checkout=tmp_path, network=Network.STUB, stub={"seed": 1}
    )
    measured = run(spec)
    assert (measured.result, measured.survivors) == ({"ok": True}, 0)
    assert measured.attempts is not None
    assert measured.attempts.network_connections == 1
    assert run(replace(spec, network=Network.NONE)).outcome is Outcome.FAILED


def test_a_file_may_come_from_anywhere(tmp_path: Path) -> None:
    file = tmp_path / "alone.py"
    file.write_text("import os\nopen('made', 'w')\ndef where(): return os.listdir('.')\n")
    spec = RunSpec(kind=Kind.CALL, target="alone:where", bare=True, inputs={"alone.py": file})
    assert sorted(run(spec).result) == ["alone.py", "made"]
    assert run(RunSpec(kind=Kind.FILE, target="alone.py", inputs={"alone.py": file})).ok


def test_what_is_written_has_a_limit(tmp_path: Path) -> None:
    (tmp_path / "fill.py").write_text("open('/tmp/big', 'wb').write(bytes(9 << 20))")
    spec = RunSpec(kind=Kind.FILE, target="fill.py", checkout=tmp_path)
    small = SubprocessRunner().run(replace(spec, limits=replace(SHORT, disk_bytes=8 * 2**20)))
    assert "No space left on device" in small.explain()
    assert run(spec).ok


def test_what_may_not_be_done_is_named(tmp_path: Path) -> None:
    (tmp_path / "out.py").write_text("open('/usr/made', 'w')")
    measured = run(RunSpec(kind=Kind.FILE, target="out.py", checkout=tmp_path))
    assert (measured.outcome, measured.attempts and measured.attempts.examples["file_writes"]) == (
        Outcome.DENIED,
        ("openat /usr/made",),
    )


# ------------------------------------------------------------------ warm servers


@pytest.fixture(scope="module")
def warm() -> Iterator[SubprocessRunner]:
    """A runner whose warm server for tests is ready."""
    nursery = Nursery()
    yield warmed(SubprocessRunner(nursery=nursery))
    nursery.close()


def warmed(runner: SubprocessRunner) -> SubprocessRunner:
    spec = RunSpec(target="tests.orphans.sandbox.test_kinds:nothing", profile="tests", limits=SHORT)
    for _ in range(200):
        if runner.run(spec).warm:
            return runner
        time.sleep(0.1)
    raise AssertionError("the warm server never got ready")


def nothing(payload: object, job: object) -> None:
    """Be the job of a run that only shows how it was started."""


def warmly(checkout: Path, body: str, **fields: Any) -> RunSpec:
    (checkout / "bot.py").write_text(body)
    return RunSpec(
        kind=Kind.CALL, target="bot:go", checkout=checkout, profile="tests", limits=SHORT, **fields
    )


def test_a_warm_run_has_the_same_walls(warm: SubprocessRunner, tmp_path: Path) -> None:
    body = (
        "import os, sys\n"
        "def go(_):\n"
        "    open('/tmp/x', 'w').close()\n"
        "    try: open('/usr/x', 'w')\n"
        "    except OSError as e: told = e.errno\n"
        "    return [told, 'pytest' in sys.modules, os.getuid() != 0, sorted(os.listdir('/proc/self/fd')),\n"
        "            os.environ.get('HOME')]\n"
    )
    measured = warm.run(warmly(tmp_path, body))
    assert (measured.warm, measured.outcome) == (True, Outcome.OK)
    assert measured.result == [30, True, True, ["0", "1", "2", "3", "4"], "/scratch"]
    assert measured.attempts is not None
    assert (measured.attempts.file_writes, measured.attempts.exact) == (2, True)
    assert all(measured.guarantees.values())


def test_warm_runs_share_nothing(warm: SubprocessRunner, tmp_path: Path) -> None:
    body = (
        "import builtins, os, random, pytest\n"
        "def go(_):\n"
        "    seen = [hasattr(builtins, 'mark'), hasattr(pytest, 'mark2'), os.path.exists('/tmp/mark')]\n"
        "    builtins.mark = pytest.mark2 = 1\n"
        "    open('/tmp/mark', 'w').close()\n"
        "    return [seen, random.random()]\n"
    )
    spec = warmly(tmp_path, body)
    first, second = (warm.run(spec).result for _ in range(2))
    assert first[0] == second[0] == [False, False, False]
    assert first[1] != second[1]


def test_a_warm_run_orders_as_a_cold_one(warm: SubprocessRunner, tmp_path: Path) -> None:
    """Training gives the same model either way: what rests on hashes has the seed of every run."""
    body = "def go(_):\n    return [hash('roi'), list({str(n) for n in range(50)})]\n"
    spec = warmly(tmp_path, body)
    told = [warm.run(each) for each in (spec, replace(spec, profile=""))]
    assert [each.warm for each in told] == [True, False]
    assert told[0].result == told[1].result


def test_a_warm_run_has_the_variables_of_a_cold_one(warm: SubprocessRunner, tmp_path: Path) -> None:
    spec = warmly(tmp_path, "import os\ndef go(_):\n    return dict(os.environ)\n")
    own = replace(spec, env={"BOT_OWN": "\u00e9", "LANG": "C"})
    told = [warm.run(each) for each in (own, replace(own, profile=""), spec, replace(spec, profile=""))]
    assert [each.warm for each in told] == [True, False, True, False]
    assert told[0].result == told[1].result
    assert told[2].result == told[3].result
    assert (told[0].result["BOT_OWN"], told[0].result["LANG"], "BOT_OWN" in told[2].result) == (
        "\u00e9",
        "C",
        False,
    )


def test_a_warm_run_has_streams_of_its_own(warm: SubprocessRunner, tmp_path: Path) -> None:
    body = (
        "import sys\n"
        "def go(_):\n"
        "    print('out'), print('err', file=sys.stderr)\n"
        "    return [sys.stdout.seekable(), sys.stdout.line_buffering, sys.stdin.read()]\n"
    )
    measured = warm.run(warmly(tmp_path, body))
    assert (measured.result, measured.output_tail) == ([False, True, ""], "out\nerr\n")


@pytest.mark.parametrize("profile", ["", "tests"])
def test_a_result_is_never_asked_whether_it_is_like_another(
    warm: SubprocessRunner, tmp_path: Path, profile: str
) -> None:
    body = (
        "class Odd(str):\n"
        "    def __eq__(self, other): raise SystemExit(9)\n"
        "    __hash__ = str.__hash__\n"
        "def go(_):\n    return Odd('x')\n"
    )
    measured = warm.run(replace(warmly(tmp_path, body), profile=profile))
    assert (measured.result, measured.exit_code, measured.warm) == ("x", 0, bool(profile))


def test_nothing_notes_when_the_root_was_read(warm: SubprocessRunner, tmp_path: Path) -> None:
    """The keeper makes it read-only while the first process may look around; a note would be in its way."""
    body = "def go(_):\n    return [line.split()[1:4] for line in open('/proc/self/mounts')]\n"
    mounts = {place: marks.split(",") for place, _, marks in warm.run(warmly(tmp_path, body)).result}
    assert {"ro", "noatime", "nosuid", "nodev"} <= {*mounts["/"]}


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("def go(_):\n    while True: pass\n", Outcome.TIMEOUT),
        ("import os\ndef go(_):\n    os.kill(os.getpid(), 9)\n", Outcome.CRASHED),
        ("import os\ndef go(_):\n    while True: os.fork()\n", Outcome.KILLED),
        ("def go(_):\n    a = []\n    while True: a.append(bytearray(2**24))\n", Outcome.OOM),
        ("def go(_):\n    raise ValueError('no')\n", Outcome.FAILED),
        ("import os\ndef go(_):\n    os._exit(0)\n", Outcome.FAILED),
    ],
)
def test_warm_runs_end_as_others_do(
    warm: SubprocessRunner, tmp_path: Path, body: str, outcome: Outcome
) -> None:
    limits = replace(SHORT, cpu_seconds=2.0, memory_bytes=256 * 2**20)
    measured = warm.run(replace(warmly(tmp_path, body), limits=limits))
    assert (measured.outcome, measured.warm) == (outcome, True), measured.explain()


def test_what_a_warm_run_leaves_is_ended(warm: SubprocessRunner, tmp_path: Path) -> None:
    body = "import os, time\ndef go(_):\n    if os.fork() == 0:\n        os.setsid(); time.sleep(1000)\n"
    measured = warm.run(warmly(tmp_path, body, env={"BOT_TOKEN": "warm"}))
    assert (measured.outcome, measured.survivors) == (Outcome.OK, 1)


def test_warm_servers_end_with_their_worker() -> None:
    nursery = Nursery()
    SubprocessRunner(nursery=nursery).run(
        RunSpec(target="tests.orphans.sandbox.test_kinds:nothing", profile="tests", limits=SHORT)
    )
    spawner = psutil.Process(nursery.pid() or 0)
    family = [spawner, *spawner.children(recursive=True)]
    nursery.close()
    gone, alive = psutil.wait_procs(family, timeout=10)
    assert (len(gone) >= 2, alive) == (True, [])
