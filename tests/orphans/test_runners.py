"""The contract of the seam, kept by every runner, and what the real one must survive."""

import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from orphans.sandbox import Kind, Limits, Outcome, Runner, RunSpec, SpecError, SubprocessRunner
from tests.fakes import Flag, InProcessRunner
from tests.orphans.sandbox.suite import alive, inside
from tests.waiting import until

HOSTILE = Path(__file__).parent.parent / "assets" / "hostile"
SHORT = Limits(wall_seconds=20, cpu_seconds=10, memory_bytes=512 * 2**20)


def call(name: str, payload: object = None, **fields: Any) -> RunSpec:
    for field, value in {"limits": SHORT, "checkout": HOSTILE}.items():
        fields.setdefault(field, value)
    return RunSpec(kind=Kind.CALL, target=f"hostile:{name}", payload=payload, **fields)


@pytest.fixture(params=[InProcessRunner, SubprocessRunner])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Runner:
    return request.param() if request.param is InProcessRunner else SubprocessRunner(tmp_path / "runs")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A checkout of one run alone, by which its processes are found from outside."""
    return Path(shutil.copytree(HOSTILE, tmp_path / "own"))


@pytest.fixture
def real(tmp_path: Path) -> SubprocessRunner:
    return SubprocessRunner(tmp_path / "runs")


# ------------------------------------------------------------------ the contract


def test_a_result_comes_back(runner: Runner) -> None:
    measured = runner.run(call("add", {"a": 1, "b": 2.5}))
    assert (measured.outcome, measured.result, measured.exit_code) == (Outcome.OK, {"sum": 3.5}, 0)


def test_an_exception_is_told(runner: Runner) -> None:
    measured = runner.run(call("raises"))
    assert measured.outcome is Outcome.FAILED
    assert "ValueError" in (measured.exception or "")
    assert measured.result is None


def test_a_wish_to_stop_is_heard(runner: Runner) -> None:
    assert runner.run(call("sleeps"), cancel=Flag()).outcome is Outcome.CANCELLED


def test_a_file_is_kept_under_its_digest(runner: Runner, tmp_path: Path) -> None:
    measured = runner.run(call("makes", "file", artifacts=("model.bin",), store=tmp_path / "store"))
    (kept,) = measured.artifacts
    assert kept.path.read_bytes() == b"weights"
    assert kept.path == tmp_path / "store" / kept.sha256[:2] / kept.sha256


def test_a_file_that_was_not_made_is_left_out(runner: Runner, tmp_path: Path) -> None:
    measured = runner.run(call("makes", "nothing", artifacts=("model.bin",), store=tmp_path / "store"))
    assert (measured.outcome, measured.artifacts) == (Outcome.OK, ())


@pytest.mark.parametrize("kind", ["link", "hard link", "folder"])
def test_a_file_that_is_no_honest_file_fails_the_run(runner: Runner, tmp_path: Path, kind: str) -> None:
    measured = runner.run(call("makes", kind, artifacts=("model.bin",), store=tmp_path / "store"))
    assert measured.outcome is Outcome.FAILED
    assert "model.bin" in measured.reason
    assert not [each for each in (tmp_path / "store").rglob("*") if each.is_file()]


def test_a_job_hears_and_tells(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "given").write_text("words")
    told: list[tuple[float | None, str]] = []
    spec = RunSpec(target="tests.orphans.jobs:shout", payload={"n": 3}, inputs={"in.txt": tmp_path / "given"})
    measured = runner.run(spec, on_progress=lambda *words: told.append(words))
    assert measured.result == {"text": "WORDS", "n": 3}
    assert told[0] == (0.0, "starting")


# ------------------------------------------------------------------ what goes wrong


def test_output_is_kept_cleaned(real: SubprocessRunner) -> None:
    measured = real.run(call("garbage"))
    assert measured.ok
    assert "red txet" in measured.output_tail
    assert not set("\x1b\u202e\x00\x07") & set(measured.output_tail)
    assert measured.output_bytes > 5000


@pytest.mark.parametrize(
    ("name", "payload", "outcome", "words"),
    [
        ("exits", 0, Outcome.FAILED, "SystemExit"),
        ("exits", 3, Outcome.FAILED, "SystemExit"),
        ("leaves", 0, Outcome.FAILED, "without a result"),
        ("leaves", 7, Outcome.FAILED, "exit code 7"),
        ("crashes", None, Outcome.CRASHED, "SIGSEGV"),
        ("kills_itself", None, Outcome.CRASHED, "SIGKILL"),
        ("returns_nan", None, Outcome.FAILED, "JSON compliant"),
        ("returns_an_object", None, Outcome.FAILED, "TypeError"),
        ("returns_deep", None, Outcome.FAILED, "nested deeper"),
        ("no_such_function", None, Outcome.FAILED, "AttributeError"),
    ],
)
def test_endings(real: SubprocessRunner, name: str, payload: Any, outcome: Outcome, words: str) -> None:
    measured = real.run(call(name, payload))
    assert measured.outcome is outcome
    assert words in measured.explain()


@pytest.mark.parametrize("name", ["sleeps", "ignores_signals"])
def test_wall_time_ends_it(real: SubprocessRunner, name: str) -> None:
    measured = real.run(call(name, limits=Limits(wall_seconds=1.0)))
    assert measured.outcome is Outcome.TIMEOUT
    assert 0 < (measured.wall_seconds or 0) < 4


@pytest.mark.parametrize("name", ["burns", "burns_in_children"])
def test_cpu_time_of_all_its_processes_ends_it(real: SubprocessRunner, name: str) -> None:
    measured = real.run(call(name, limits=Limits(wall_seconds=30, cpu_seconds=1.0)))
    assert (measured.outcome, "CPU" in measured.reason) == (Outcome.TIMEOUT, True)
    assert measured.cpu_seconds == pytest.approx(1.0, abs=0.6)


@pytest.mark.parametrize("name", ["eats", "eats_in_children"])
def test_memory_of_all_its_processes_ends_it(real: SubprocessRunner, name: str) -> None:
    measured = real.run(call(name, limits=Limits(wall_seconds=30, memory_bytes=256 * 2**20)))
    assert measured.outcome is Outcome.OOM


def test_a_fork_bomb_is_ended(real: SubprocessRunner) -> None:
    measured = real.run(call("forks_a_bomb", limits=Limits(wall_seconds=20, processes=16)))
    assert (measured.outcome, measured.reason) == (Outcome.KILLED, "over 16 processes")
    assert not processes_of(HOSTILE)


def test_endless_output_is_ended(real: SubprocessRunner) -> None:
    measured = real.run(call("prints_forever", limits=Limits(wall_seconds=30, output_bytes=2**20)))
    assert (measured.outcome, "output" in measured.reason) == (Outcome.KILLED, True)
    assert len(measured.output_tail) <= 16_000


def test_a_giant_result_is_refused(real: SubprocessRunner) -> None:
    small = real.run(call("returns_much", 5_000_000, limits=Limits(result_bytes=10_000)))
    assert small.outcome is Outcome.KILLED
    text = real.run(call("returns_much", 100_000))
    assert "more than 20000 characters" in text.reason


def test_a_giant_file_is_stopped(real: SubprocessRunner) -> None:
    measured = real.run(call("writes_too_much", limits=Limits(wall_seconds=20, file_bytes=2**20)))
    assert measured.outcome in (Outcome.KILLED, Outcome.FAILED)
    assert "File too large" in measured.explain() or "wrote a file over" in measured.explain()


@pytest.mark.parametrize("name", ["leaves_a_daemon", "leaves_a_shell"])
def test_nothing_stays_behind(real: SubprocessRunner, own: Path, name: str) -> None:
    measured = real.run(call(name, checkout=own))
    assert (measured.outcome, measured.survivors) == (Outcome.OK, 1)
    assert not living(own)


def test_a_thread_that_goes_on_holds_nothing_up(real: SubprocessRunner) -> None:
    measured = real.run(call("leaves_a_thread"))
    assert (measured.outcome, (measured.wall_seconds or 9) < 5) == (Outcome.OK, True)


def test_a_child_that_holds_the_pipes_holds_nothing_up(real: SubprocessRunner) -> None:
    measured = real.run(call("holds_the_pipes"))
    assert (measured.outcome, measured.survivors) == (Outcome.OK, 1)


def test_killing_whatever_can_be_named_helps_nobody(real: SubprocessRunner, own: Path) -> None:
    with psutil.Popen(["sleep", "60"]) as bystander:
        measured = real.run(call("kills_all_it_can_name", checkout=own))
        assert (measured.outcome, measured.result) == (Outcome.OK, "alive")
        assert (bystander.poll(), living(own)) == (None, [])
        bystander.kill()


def test_a_run_whose_launcher_is_killed_ends(real: SubprocessRunner, own: Path) -> None:
    threading.Thread(target=lambda: kill_launcher_of(own)).start()
    measured = real.run(call("ignores_signals", checkout=own))
    assert (measured.outcome, "launcher" in measured.reason) == (Outcome.CRASHED, True)
    until(lambda: not living(own))


def test_cancelling_ends_everything(real: SubprocessRunner) -> None:
    wish = threading.Event()
    threading.Timer(0.5, wish.set).start()
    measured = real.run(call("ignores_signals"), cancel=wish)
    assert (measured.outcome, (measured.wall_seconds or 9) < 4) == (Outcome.CANCELLED, True)


def test_a_listener_that_fails_ends_the_run_and_is_heard(real: SubprocessRunner, own: Path) -> None:
    """As when the lease on a cycle was lost: nothing goes on that nobody waits for."""

    def fail(fraction: float | None, message: str) -> None:
        raise LookupError(message)

    with pytest.raises(LookupError):
        real.run(call("tells_then_sleeps", checkout=own), on_progress=fail)
    assert not living(own)


def test_a_worker_that_is_killed_leaves_nothing(own: Path) -> None:
    """`kill -9` of the worker: its spawner notices and everything ends."""
    code = (
        "from pathlib import Path; from tests.orphans.test_runners import call;"
        f"from orphans.sandbox import run; run(call('ignores_signals', checkout=Path({str(own)!r})))"
    )
    worker = psutil.Popen([sys.executable, "-c", code])
    until(lambda: inside(own))
    family = worker.children(recursive=True)
    worker.kill()
    worker.wait()
    gone, alive = psutil.wait_procs(family, timeout=5)
    assert (len(gone) >= 4, alive, living(own)) == (True, [], [])


# ------------------------------------------------------------------ what it could see or forge


def test_no_secret_is_seen(real: SubprocessRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENACE_SECRET_CANARY", "canary-7f3a")
    measured = real.run(call("reads_secrets"))
    assert measured.ok
    assert "canary" not in str(measured.result)
    assert set(measured.result["environ"]) <= {
        "PATH", "LANG", "HOME", "TMPDIR", "CUDA_VISIBLE_DEVICES", "LC_CTYPE",
        "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED",
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
    }  # fmt: skip
    assert len(measured.result["descriptors"]) <= 5


@pytest.mark.parametrize(
    "line",
    [
        "no json\n",
        "[]\n",
        '{"result": NaN}\n',
        '{"result": 1, "more": 2}\n',
        '{"progress": 1e999, "message": ""}\n',
        '{"error": 1}\n',
        '{"progress": {"a": [[[]]]}, "message": "x"}\n',
        "\n",
    ],
)
def test_forged_lines_are_refused(real: SubprocessRunner, line: str) -> None:
    measured = real.run(call("forges_lines", line))
    assert measured.outcome is Outcome.FAILED
    assert measured.result is None


def test_flooding_the_channel_ends_the_run(real: SubprocessRunner) -> None:
    calls: list[object] = []
    measured = real.run(call("floods_the_channel"), on_progress=lambda *words: calls.append(words))
    assert measured.outcome is Outcome.KILLED
    assert len(calls) < 100


def test_progress_is_limited_to_fractions(real: SubprocessRunner) -> None:
    told: list[object] = []
    line = '{"progress": 7, "message": "\\u001b[1mfar\\u202e"}\n'
    real.run(call("forges_lines", line), on_progress=lambda *words: told.append(words))
    assert told == [(1.0, "far")]


@pytest.mark.parametrize("kind", ["fifo", "sparse", "swapped scratch"])
def test_files_that_only_a_real_run_can_forge(real: SubprocessRunner, tmp_path: Path, kind: str) -> None:
    limits = Limits(artifact_bytes=2**20, wall_seconds=20)
    measured = real.run(
        call("makes", kind, artifacts=("model.bin",), store=tmp_path / "store", limits=limits)
    )
    assert (measured.ok, measured.artifacts) == (False, ())


@pytest.mark.parametrize("name", ["locks_its_folder", "makes"])
def test_nothing_of_scratch_reaches_the_machine(name: str, real: SubprocessRunner) -> None:
    place = Path(tempfile.gettempdir())
    before = set(place.iterdir())
    real.run(call(name, "fifo"))
    assert not [each for each in set(place.iterdir()) - before if "menace-run" in each.name]


def test_guarantees_say_what_holds(real: SubprocessRunner) -> None:
    held = real.run(call("add", {"a": 1, "b": 1})).guarantees
    assert held["clean_environment"]
    assert held["rlimits"]
    assert held["nothing_survives"] is (sys.platform == "linux")
    assert held["unprivileged_user"]
    assert held["files_confined"]
    assert held["network_denied"]


def test_a_script_runs_in_its_checkout(real: SubprocessRunner, tmp_path: Path) -> None:
    for name in ("script.py", "code.txt"):
        (tmp_path / name).write_text((HOSTILE / name).read_text())
    spec = RunSpec(kind=Kind.FILE, target="script.py", checkout=tmp_path, limits=SHORT)
    assert real.run(spec).outcome is Outcome.OK
    (tmp_path / "code.txt").write_text("4")
    measured = real.run(spec)
    assert (measured.outcome, measured.exit_code) == (Outcome.FAILED, 4)
    assert "started as __main__" in measured.output_tail


# ------------------------------------------------------------------ specs that can't be


@pytest.mark.parametrize(
    "fields",
    [
        {"target": "os.system"},
        {"target": "os:system; x"},
        {"target": "-c:x"},
        {"target": "a:b", "env": {"LD_PRELOAD": "x"}},
        {"target": "a:b", "env": {"PYTHONPATH": "x"}},
        {"target": "a:b", "env": {"BOT_X": "a\0b"}},
        {"target": "a:b", "artifacts": ("../x",), "store": Path("/tmp")},
        {"target": "a:b", "artifacts": ("x",)},
        {"target": "a:b", "inputs": {"a/b": Path("/etc/passwd")}},
        {"target": "../x.py", "kind": Kind.FILE, "checkout": Path("/tmp")},
        {"target": "/etc/x.py", "kind": Kind.FILE, "checkout": Path("/tmp")},
        {"target": "x.py", "kind": Kind.FILE},
    ],
)
def test_impossible_specs_are_refused(fields: Any) -> None:
    with pytest.raises(SpecError):
        RunSpec(**fields)


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan")])
def test_limits_are_positive(value: Any) -> None:
    with pytest.raises(SpecError, match="cpu_seconds"):
        Limits(cpu_seconds=value)


def test_a_payload_that_is_no_json_is_refused(real: SubprocessRunner) -> None:
    with pytest.raises(SpecError, match="JSON"):
        real.run(call("add", {"a": float("nan")}))


def test_a_missing_input_is_refused(real: SubprocessRunner, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"in\.txt"):
        real.run(call("add", None, inputs={"in.txt": tmp_path / "none"}))


def processes_of(place: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cwd"]):
        if process.info["cwd"] == str(place):
            found.append(process)
    return found


def living(checkout: Path) -> list[int]:
    """Return the processes of the run that has this checkout, once those that are going have gone."""
    alive(checkout, 1.0)
    return inside(checkout)


def kill_launcher_of(checkout: Path) -> None:
    """End the supervisor of a run: the parent of the one process inside whose parent is outside."""
    pids = until(lambda: inside(checkout))
    keeper = next(pid for pid in pids if psutil.Process(pid).ppid() not in pids)
    psutil.Process(keeper).parent().send_signal(signal.SIGKILL)
