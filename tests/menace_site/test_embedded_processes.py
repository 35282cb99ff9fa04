"""Nothing outlives its owner, however the owner ends."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil

from menace_site.embedded.launch import can_enter_user_namespace
from menace_site.embedded.locks import FileLock
from menace_site.embedded.processes import kill_group, launcher, spawn, stop
from tests.waiting import gone, until

ROOT = Path(__file__).resolve().parents[2]
SLEEPER = "import time; time.sleep(60)"
FAMILY = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); {SLEEPER}"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {SLEEPER}"


def owner(tmp_path: Path, code: str) -> subprocess.Popen[str]:
    """Start a process that owns others by `spawn` and prints their pids."""
    script = tmp_path / "owner.py"
    script.write_text(
        "import subprocess, sys, time\n"
        "from menace_site.embedded.processes import spawn\n" + textwrap.dedent(code)
    )
    return subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_kill_9_of_the_owner_ends_its_processes_and_their_children(tmp_path: Path) -> None:
    code = f"""
        held = spawn([sys.executable, "-c", {FAMILY!r}], output=subprocess.DEVNULL)
        print(held.pid, flush=True)
        time.sleep(60)
    """
    with owner(tmp_path, code) as process:
        assert process.stdout is not None
        held = int(process.stdout.readline())
        children = until(psutil.Process(held).children)
        process.kill()
        assert gone(held)
        assert gone(children[0].pid)


def test_kill_9_of_the_owner_and_its_leash_still_ends_its_processes(tmp_path: Path) -> None:
    code = f"""
        from menace_site.embedded.processes import leash
        held = spawn([sys.executable, "-c", {SLEEPER!r}], output=subprocess.DEVNULL)
        print(held.pid, leash()._process.pid, flush=True)
        time.sleep(60)
    """
    with owner(tmp_path, code) as process:
        assert process.stdout is not None
        held, leash = map(int, process.stdout.readline().split())
        until(lambda: "launch.py" not in " ".join(psutil.Process(held).cmdline()))
        os.kill(leash, signal.SIGKILL)
        process.kill()
        assert gone(held) == (sys.platform == "linux"), "only Linux can do this without the leash"


def test_an_orderly_end_of_the_owner_ends_its_processes_too(tmp_path: Path) -> None:
    code = f"""
        held = spawn([sys.executable, "-c", {SLEEPER!r}], output=subprocess.DEVNULL)
        print(held.pid, flush=True)
    """
    with owner(tmp_path, code) as process:
        assert process.stdout is not None
        assert gone(int(process.stdout.readline()))


def test_stop_kills_what_does_not_listen() -> None:
    process = spawn([sys.executable, "-c", DEAF], output=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"deaf\n"
    begun = time.monotonic()
    stop(process, signal.SIGTERM, patience=0.3)
    assert process.returncode == -signal.SIGKILL
    assert time.monotonic() - begun < 5
    process.stdout.close()


def test_stop_takes_the_children_along() -> None:
    process = spawn([sys.executable, "-c", FAMILY], output=subprocess.DEVNULL)
    children = until(psutil.Process(process.pid).children)
    stop(process, signal.SIGTERM, patience=5)
    assert gone(children[0].pid)


def test_kill_group_ends_it_at_once() -> None:
    process = spawn([sys.executable, "-c", SLEEPER], output=subprocess.DEVNULL)
    kill_group(process)
    assert process.returncode == -signal.SIGKILL


def test_as_user_is_nobody_special() -> None:
    words = [*launcher(as_user=True), sys.executable, "-c", "import os; print(os.getuid())"]
    uid = int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert uid != 0


def test_asking_for_namespaces_leaves_this_process_as_it_is() -> None:
    before = os.getuid()
    assert can_enter_user_namespace() in {True, False}
    assert os.getuid() == before


def test_a_lock_is_shared_or_alone(tmp_path: Path) -> None:
    first, second, third = (FileLock(tmp_path / "lock") for _ in range(3))
    assert first.acquire(shared=True)
    assert second.acquire(shared=True)
    assert not third.acquire()
    assert third.held_by_somebody()
    first.release()
    second.release()
    assert not third.held_by_somebody()
    assert third.acquire()
    assert not first.acquire(shared=True, timeout=0.05)
    third.release()


def test_a_lock_goes_with_its_killed_holder(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom menace_site.embedded.locks import FileLock\n"
        "lock = FileLock(Path(sys.argv[1]))\nlock.acquire()\nprint('held', flush=True)\ntime.sleep(60)"
    )
    lock = FileLock(tmp_path / "lock")
    words = [sys.executable, "-c", code, str(tmp_path / "lock")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert lock.held_by_somebody()
        holder.kill()
        holder.wait()
        assert lock.acquire(timeout=2)
    lock.release()
