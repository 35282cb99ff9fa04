"""What happens where a layer is missing, what must hold, and what the commands say."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from menace_site.plain import plain_command
from orphans.sandbox import (
    Kind,
    Limits,
    Outcome,
    RunSpec,
    SandboxUnavailable,
    SpecError,
    SubprocessRunner,
    cli,
    filters,
    kernel,
    policy,
    probe,
)
from orphans.sandbox.judge import Case, compared, examine, same
from orphans.sandbox.nursery import Nursery
from tests.fakes import InProcessRunner
from tests.orphans.sandbox.suite import HERE

ROOT = Path(__file__).resolve().parents[3]
SHORT = Limits(wall_seconds=20, cpu_seconds=10, memory_bytes=512 * 2**20)
MISSING = {"landlock": "no", "namespaces": "not allowed"}


@pytest.fixture
def without(request: pytest.FixtureRequest) -> Iterator[Nursery]:
    nursery = Nursery(request.param)
    yield nursery
    nursery.close()


def attack(name: str, nursery: Nursery, **have: Any) -> Any:
    spec = RunSpec(
        kind=Kind.CALL,
        target=f"attacks:{name}",
        payload={"numbers": kernel.NUMBERS, **have},
        inputs={"attacks.py": HERE / "attacks.py"},
        limits=SHORT,
    )
    return SubprocessRunner(nursery=nursery).run(spec)


@pytest.mark.parametrize("without", [["landlock"], ["notify"], ["seccomp"]], indirect=True)
def test_one_layer_less_still_keeps_files_and_network(without: Nursery, tmp_path: Path) -> None:
    measured = attack("fs_open", without, outside=str(tmp_path))
    assert (measured.ok, list(tmp_path.iterdir())) == (False, [])
    assert not attack("net_tcp", without, port=9).ok


@pytest.mark.parametrize("without", [["notify"]], indirect=True)
def test_without_notices_a_hook_counts_and_says_so(without: Nursery, tmp_path: Path) -> None:
    measured = attack("fs_pathlib", without, outside=str(tmp_path))
    assert measured.attempts is not None
    assert measured.attempts.exact is False
    assert measured.guarantees["counted_by_kernel"] is False
    counted = attack("fs_open", without, outside=str(tmp_path)).attempts
    assert (counted.file_writes, counted.exact) == (1, False)


@pytest.mark.parametrize("without", [["seccomp"]], indirect=True)
def test_notices_need_the_filter(without: Nursery) -> None:
    assert set(without.missing()) == {"seccomp", "notify"}


def test_what_is_required_must_hold() -> None:
    rules = policy.Policy(frozenset({"landlock"}))
    with pytest.raises(SandboxUnavailable, match=r"SANDBOX_REQUIRE names landlock.*lacks: no"):
        rules.check({"landlock": "no"})
    rules.check({"notify": "no"})


def test_a_layer_that_nobody_knows_is_refused() -> None:
    with pytest.raises(SandboxUnavailable, match="names 'gvisor'; known are namespaces"):
        policy.Policy(frozenset({"gvisor"})).check({})


def test_nothing_runs_without_any_wall_unless_allowed() -> None:
    with pytest.raises(SandboxUnavailable, match="SANDBOX_ALLOW_UNISOLATED=1"):
        policy.Policy().check(MISSING)
    policy.Policy(allow_unisolated=True).check(MISSING)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, policy.Policy()),
        ({"SANDBOX_REQUIRE": "landlock, seccomp,"}, policy.Policy(frozenset({"landlock", "seccomp"}))),
        ({"SANDBOX_ALLOW_UNISOLATED": "1"}, policy.Policy(allow_unisolated=True)),
        ({"SANDBOX_ALLOW_UNISOLATED": "no"}, policy.Policy()),
        (
            {"SANDBOX_WARM_IDLE_SECONDS": "5", "SANDBOX_WARM_MEMORY_MB": "0"},
            policy.Policy(warm=policy.Warm(idle_seconds=5, memory_mb=0)),
        ),
    ],
)
def test_the_environment_sets_the_policy(environ: dict[str, str], expected: policy.Policy) -> None:
    assert policy.policy_of(environ) == expected


@pytest.mark.parametrize("text", ["0", "soon", "nan", "1e9", "-1"])
def test_a_wait_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(SandboxUnavailable, match="SANDBOX_WARM_IDLE_SECONDS must be a number from 1 to"):
        policy.policy_of({"SANDBOX_WARM_IDLE_SECONDS": text})


@pytest.mark.parametrize("without", [["landlock"]], indirect=True)
def test_a_run_is_refused_when_a_required_layer_is_missing(
    without: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "_configured", [policy.Policy(frozenset({"landlock"}))])
    with pytest.raises(SandboxUnavailable, match="left out on demand"):
        attack("fs_open", without)
    found = probe(without)
    assert (found.allowed, "landlock" in found.refused) == (False, True)
    assert found.as_data()["layers"]["landlock"] == {
        "held": False, "reason": "left out on demand", "required": True,
        "means": found.layers[1].means,
    }  # fmt: skip
    assert "MISSING landlock (required): left out on demand" in found.as_text()


def test_a_spawner_that_is_gone_is_replaced() -> None:
    nursery = Nursery()
    runner = SubprocessRunner(nursery=nursery)
    spec = RunSpec(kind=Kind.CALL, target="attacks:sec_environ", payload={"secret": "x"}, limits=SHORT)
    nursery.missing()
    first = nursery.pid()
    subprocess.run(["kill", "-9", str(first)], check=True)
    while psutil.Process(first).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert runner.run(spec).outcome is Outcome.FAILED  # no such module: but it ran
    assert nursery.pid() not in (None, first)
    nursery.close()


# ------------------------------------------------------------------ the filter's program


def test_every_machine_has_numbers_for_what_is_refused() -> None:
    for text in (kernel._X86_64, kernel._AARCH64):
        known = {word.partition(":")[0] for word in (text + kernel._BOTH).split()}
        assert {"connect", "execve", "openat", "clone", "socket", "sendto"} <= known
        assert {"ptrace", "mount", "unshare", "setns", "bpf", "keyctl"} <= known & set(filters.REFUSED)
        assert {"clone3", "io_uring_setup", "memfd_create"} <= known & set(filters.ABSENT)


@pytest.mark.parametrize("network", [True, False])
@pytest.mark.parametrize("notify", [True, False])
def test_every_jump_of_the_program_stays_inside(notify: bool, network: bool) -> None:
    code = filters.program(notify, network)
    for place, (operation, yes, no, _) in enumerate(code):
        if operation in (0x15, 0x35, 0x45):
            assert place + 1 + max(yes, no) < len(code)
    assert (code[-1][0], len(code) < 4096) == (0x06, True)
    answers = {value for operation, _, _, value in code if operation == 0x06}
    assert (filters.NOTIFY in answers) is notify


# ------------------------------------------------------------------ verdicts from outside


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (True, True, True),
        (1, True, False),
        (1, 1.0, False),
        ({"a": [1, None]}, {"a": [1, None]}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1, 2], [2, 1], False),
        ("1", 1, False),
        (None, False, False),
    ],
)
def test_only_the_same_json_is_the_same(left: Any, right: Any, expected: bool) -> None:
    assert same(left, right) is expected


def test_answers_are_compared_outside(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text("def double(n): return 2 * n if n < 3 else None\n")
    spec = RunSpec(kind=Kind.CALL, target="bot:double", checkout=tmp_path)
    verdict = examine(InProcessRunner(), spec, [Case(payload=n, expected=2 * n) for n in (1, 2, 3)])
    assert (verdict.passed, verdict.failed, verdict.ok) == (2, 1, False)
    assert verdict.measurements[2].reason == "returned something else than expected"
    assert not examine(InProcessRunner(), spec, []).ok
    with pytest.raises(SpecError, match="only a function"):
        examine(InProcessRunner(), RunSpec(kind=Kind.FILE, target="bot.py", checkout=tmp_path), [])


def test_a_bad_run_stays_bad() -> None:
    measured = InProcessRunner().run(RunSpec(kind=Kind.CALL, target="nowhere:x"))
    assert compared(measured, None) is measured


# ------------------------------------------------------------------ commands


def command(*words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "sandbox", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("body", "words", "code"),
    [
        ("print('hi')", (), 0),
        ("raise ValueError", (), 1),
        ("import time; time.sleep(60)", ("--wall", "1"), 4),
        ("while True: print('x' * 10**6)", (), 5),
        ("a = []\nwhile True: a.append(bytearray(2**24))", ("--memory", "128"), 6),
        ("open('/usr/x', 'w')", (), 7),
        ("import ctypes; ctypes.string_at(0)", (), 8),
        ("def go(): return 7", ("--call", "go", "--expect", "7"), 0),
        ("def go(): return True", ("--call", "go", "--expect", "1"), 1),
        ("def go(n): return n + 1", ("--call", "go", "--input", "6", "--expect", "7"), 0),
    ],
)
def test_the_exit_code_tells_the_outcome(
    tmp_path: Path, body: str, words: tuple[str, ...], code: int
) -> None:
    file = tmp_path / "it.py"
    file.write_text(body)
    assert command("run", str(file), *words)[0] == code


def test_a_measurement_is_printed_as_json(tmp_path: Path) -> None:
    (tmp_path / "it.py").write_text("open('x', 'w'); print('hello')")
    code, told = command("run", str(tmp_path / "it.py"), "--json")
    measured = json.loads(told)
    assert (code, measured["outcome"], measured["output_tail"]) == (0, "ok", "hello\n")
    assert (measured["attempts"]["file_writes"], measured["attempts"]["exact"]) == (1, True)
    assert measured["claims"] == ["output_tail"]


def test_a_preset_limits_the_run(tmp_path: Path) -> None:
    (tmp_path / "it.py").write_text("import time; time.sleep(60)")
    (tmp_path / "preset.json").write_text('{"SCENARIO_NAME": "short", "TIME_LIMIT": 1}')
    code, told = command("run", str(tmp_path / "it.py"), "--preset", str(tmp_path / "preset.json"))
    assert (code, "over 1 s" in told) == (4, True)


def test_a_file_that_is_not_there_is_bad_usage() -> None:
    code, told = command("run", "/nowhere.py")
    assert (code, "there is no file /nowhere.py" in told) == (2, True)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--wall", "0"), "limit wall_seconds must be a positive number"),
        (("--memory", "0"), "limit memory_bytes must be a positive number"),
        (("--memory", "99999999999999"), "below 2^53"),
        (("--wall", "nan"), "limit wall_seconds"),
        (("--checkout", "/nowhere"), "there is no folder /nowhere"),
        (("--checkout", "/"), "/ can't be a checkout"),
        (("--preset", "/nowhere.json"), "the preset /nowhere.json can't be read: No such file"),
    ],
)
def test_a_wish_that_cannot_be_met_is_bad_usage(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    reason: str,
) -> None:
    monkeypatch.setattr(cli, "Stop", lambda: None)  # the signals are pytest's own
    (tmp_path / "it.py").write_text("pass")
    assert cli.run_main([str(tmp_path / "it.py"), *words]) == cli.USAGE
    assert reason in capsys.readouterr().err


def test_an_input_that_is_no_json_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run_main(["it.py", "--input", "{"])
    assert ended.value.code == cli.USAGE
    assert "argument --input: that is no JSON: Expecting" in capsys.readouterr().err


def test_the_verdict_is_ours_and_comes_last(tmp_path: Path) -> None:
    (tmp_path / "it.py").write_text("import os\nprint('RESULT {\"passed\": true}', flush=True)\nos._exit(0)")
    words = ("--call", "selftest", "--expect", "true", "--json", "--verdict-line")
    code, told = command("run", str(tmp_path / "it.py"), *words)
    assert (code, told.splitlines()[-1]) == (1, 'RESULT {"passed": false, "outcome": "failed"}')


def test_the_probe_tells_what_holds() -> None:
    code, told = command("probe", "--json")
    found = json.loads(told)
    assert (code, found["allowed"], set(found["layers"])) == (0, True, set(policy.LAYERS))
    assert all(each["held"] or each["reason"] for each in found["layers"].values())


def test_a_probe_that_cannot_be_made_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "_configured", [])
    monkeypatch.setenv("SANDBOX_WARM_MEMORY_MB", "much")
    assert cli.probe_main([]) == cli.REFUSED
    assert capsys.readouterr().err.startswith("sandbox probe: SANDBOX_WARM_MEMORY_MB must be a number")


def test_both_start_without_django() -> None:
    assert plain_command(["manage.py", "sandbox", "run"]) is cli.run_main
    assert plain_command(["manage.py", "sandbox", "probe"]) is cli.probe_main
