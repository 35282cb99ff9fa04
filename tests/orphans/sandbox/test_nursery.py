"""A process that used the sandbox leaves nothing behind when it ends, however it ends."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import alive, gone

ROOT = Path(__file__).resolve().parents[3]
PROBES = """
import sys
from orphans.sandbox import nursery, probe
probe()
print(nursery.shared().pid(), flush=True)
"""


def started(code: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", code]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, stdin=pipe, text=True)


def test_the_spawner_ends_with_its_process_and_nobody_warns() -> None:
    with started(PROBES) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert not alive(int(output)), "it was waited for"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_spawner_ends_when_its_process_is_killed(number: int) -> None:
    with started(PROBES + "sys.stdin.read()") as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert alive(pid)
        process.send_signal(number)
        process.wait(timeout=30)
        assert gone(pid)


def test_a_child_that_ends_leaves_its_parents_spawner_alone() -> None:
    code = PROBES + (
        "import os\n"
        "child = os.fork()\n"
        "if not child: sys.exit(0)\n"
        "os.waitpid(child, 0)\n"
        "print(nursery.shared().pid(), len(nursery.shared().missing()) >= 0, flush=True)\n"
    )
    with started(code) as process:
        output, _ = process.communicate(timeout=60)
    before, after = output.splitlines()
    assert after == f"{before} True"


def test_a_spawner_that_hangs_is_killed() -> None:
    code = PROBES + "import os, signal\nos.kill(nursery.shared().pid(), signal.SIGSTOP)\n"
    with started(code) as process:
        output, errors = process.communicate(timeout=60)
    assert errors == ""
    assert gone(int(output), seconds=1)


WARM = """
import time
from pathlib import Path
from orphans.sandbox import Kind, RunSpec, SubprocessRunner, kernel, nursery
kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
spec = RunSpec(kind=Kind.CALL, target="posixpath:basename", payload="a/b", profile="tests")
runner = SubprocessRunner()
while not runner.run(spec).warm: time.sleep(0.05)
runner.run(spec)
nursery.shared().close()
def left():
    pids = Path(f"/proc/self/task/{__import__('os').getpid()}/children").read_text().split()
    return [pid for pid in pids if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"]
end = time.monotonic() + 10
while left() and time.monotonic() < end: time.sleep(0.05)
print(left())
"""


def test_a_namespace_ends_also_where_nobody_collects_orphans() -> None:
    """As in a container whose first process waits for no child: a keeper ends when its last process was."""
    with started(WARM) as process:
        output, errors = process.communicate(timeout=60)
    assert (errors, output) == ("", "[]\n")
