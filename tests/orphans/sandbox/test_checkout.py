"""What of a checkout no run sees: repositories at any depth, sockets, pipes; and what can be no checkout."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orphans.sandbox import (
    Kind,
    Limits,
    RunSpec,
    SpecError,
    SubprocessRunner,
    checkout,
    nursery,
    order,
    plans,
)

SHORT = Limits(wall_seconds=20, cpu_seconds=10, memory_bytes=1024 * 2**20)
CANARY = "c4n4ry"
LOOK = """
import os, socket
def go(_):
    told = {}
    names = "sub/.git/config sub/deep/.git .hg/hgrc sub/.gitignore sandbox_data/key pipe"
    for name in names.split():
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
            told[name] = os.read(handle, 100).decode()
        except OSError as error:
            told[name] = type(error).__name__
    for number, kind in enumerate((socket.SOCK_STREAM, socket.SOCK_DGRAM)):
        try:
            line = socket.socket(socket.AF_UNIX, kind)
            line.connect("sub/" + ("stream", "datagram")[number])
            line.send(b"out")
            told[number] = "reached"
        except OSError as error:
            told[number] = type(error).__name__
    try:
        told["out"] = os.write(os.open("pipe", os.O_WRONLY | os.O_NONBLOCK), b"out")
    except OSError as error:
        told["out"] = type(error).__name__
    return told
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A checkout with other repositories in it, a pipe somebody reads, and two sockets somebody serves."""
    for folder in ("sub/.git", "sub/deep", ".hg", "sandbox_data"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("sub/.git/config", "sub/deep/.git", ".hg/hgrc", "sandbox_data/key"):
        (tmp_path / name).write_text(CANARY)
    (tmp_path / "sub" / ".gitignore").write_text("plain")
    (tmp_path / "look.py").write_text(LOOK)
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDWR | os.O_NONBLOCK)
    lines = [socket.socket(socket.AF_UNIX, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
    for line, name in zip(lines, ("stream", "datagram"), strict=True):
        line.bind(str(tmp_path / "sub" / name))
        (tmp_path / "sub" / name).chmod(0o777)
        line.setblocking(False)
    lines[0].listen()
    yield tmp_path
    for line in lines:
        with pytest.raises(BlockingIOError):  # nobody ever came
            line.accept() if line.type == socket.SOCK_STREAM else line.recv(10)
        line.close()
    with pytest.raises(BlockingIOError):
        os.read(reader, 10)
    os.close(reader)


def test_no_run_sees_what_is_hidden(place: Path) -> None:
    spec = RunSpec(kind=Kind.CALL, target="look:go", checkout=place, limits=SHORT)
    runner = SubprocessRunner()
    for _ in range(3):  # on the spot, and with everything made ready before
        measured = runner.run(spec)
        assert measured.ok, measured.explain()
        told = measured.result
        assert CANARY not in str(told)
        assert (told["sub/.gitignore"], told["sub/deep/.git"], told["pipe"]) == ("plain", "", "")
        assert "reached" not in str(told)
        assert told["out"] in ("PermissionError", "OSError")
    assert (place / ".hg" / "hgrc").read_text() == CANARY


def test_what_is_hidden_is_found_at_any_depth_and_at_once(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "plain.py").write_text("")
    (tmp_path / "a" / "link").symlink_to("/etc/passwd")
    assert checkout.hidden(tmp_path) == []
    (tmp_path / "a" / "b" / ".svn").mkdir()
    assert checkout.hidden(tmp_path) == [f"{tmp_path}/a/b/.svn"]
    os.mkfifo(tmp_path / "a" / "pipe")
    assert sorted(checkout.hidden(tmp_path)) == [f"{tmp_path}/a/b/.svn", f"{tmp_path}/a/pipe"]
    (tmp_path / "a" / "b" / ".svn").rmdir()
    assert checkout.hidden(tmp_path) == [f"{tmp_path}/a/pipe"]


def test_only_folders_that_changed_are_listed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old").mkdir()
    for folder in (tmp_path / "old", tmp_path):
        os.utime(folder, (1, 1))
    listed = []
    real = os.scandir

    def listing(place: str) -> Any:
        listed.append(place)
        return real(place)

    monkeypatch.setattr(os, "scandir", listing)
    checkout.hidden(tmp_path)
    checkout.hidden(tmp_path)
    assert listed == [str(tmp_path), str(tmp_path / "old")]
    (tmp_path / "old" / ".git").mkdir()
    assert checkout.hidden(tmp_path) == [f"{tmp_path}/old/.git"]


def test_too_much_to_cover_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "MOST", 1)
    for name in ("a", "b"):
        os.mkfifo(tmp_path / name)
    with pytest.raises(SpecError, match="holds over 1 repositories, sockets"):
        SubprocessRunner().run(RunSpec(kind=Kind.FILE, target="x.py", checkout=tmp_path))


@pytest.mark.parametrize(
    "place", ["/", "/tmp", "/etc", "/proc", "/proc/self", "/dev", "/sys/kernel", "/dev/shm"]
)
def test_a_place_of_the_private_root_is_no_checkout(place: str) -> None:
    if not Path(place).is_dir() or str(Path(place).resolve()) != place:
        place = "/proc"
    with pytest.raises(SpecError, match="can't be a checkout"):
        SubprocessRunner().run(RunSpec(kind=Kind.FILE, target="x.py", checkout=Path(place)))


def test_a_checkout_that_holds_the_interpreter_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a project with its environment inside: it was hidden by the environment's own place once."""
    (tmp_path / "it.py").write_text("import os\ndef go(_): return sorted(os.listdir('.'))\n")
    (tmp_path / "lib").mkdir()
    around = order.surroundings()
    around["places"] = [*around["places"], str(tmp_path / "lib")]
    monkeypatch.setattr(nursery, "surroundings", lambda: around)
    own = nursery.Nursery()
    spec = RunSpec(kind=Kind.CALL, target="it:go", checkout=tmp_path, limits=SHORT)
    measured = SubprocessRunner(nursery=own).run(spec)
    own.close()
    assert measured.result == ["it.py", "lib"], measured.explain()


def test_places_beside_what_is_hidden_hold_all_the_rest(tmp_path: Path) -> None:
    """Where nothing can be covered Landlock gets them one by one, and never a link's target."""
    for folder in ("a/.git", "a/b", "c"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "a" / "x.py").write_text("")
    (tmp_path / "out").symlink_to("/etc")
    found = plans.beside(str(tmp_path), [f"{tmp_path}/a/.git"])
    assert found == [f"{tmp_path}/a/b", f"{tmp_path}/a/x.py", f"{tmp_path}/c"]
    assert plans.beside(str(tmp_path / "c"), [f"{tmp_path}/a/.git"]) == [f"{tmp_path}/c"]


def test_two_threads_may_look_at_once(tmp_path: Path) -> None:
    (tmp_path / "a" / ".git").mkdir(parents=True)
    told: list[list[str]] = []
    threads = [threading.Thread(target=lambda: told.append(checkout.hidden(tmp_path))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert told == [[f"{tmp_path}/a/.git"]] * 4


LATE = """
import socket, time
def go(kind):
    time.sleep(1)  # one look alone: an overlay may remember that there was nothing
    line = socket.socket(socket.AF_UNIX, kind)
    try:
        line.connect("late.sock")
    except ConnectionRefusedError:
        return "refused"
    return "connected"
"""


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_a_socket_made_after_the_run_began_leads_nowhere(tmp_path: Path, mode: int) -> None:
    (tmp_path / "bot.py").write_text(LATE)
    tmp_path.chmod(mode)
    with socket.socket(socket.AF_UNIX) as line:

        def listen() -> None:
            line.bind(str(tmp_path / "late.sock"))
            (tmp_path / "late.sock").chmod(0o777)
            line.listen()

        timer = threading.Timer(0.5, listen)
        timer.start()
        spec = RunSpec(kind=Kind.CALL, target="bot:go", payload=socket.SOCK_STREAM, checkout=tmp_path)
        measured = SubprocessRunner().run(spec)
        timer.join()
    assert (measured.result, measured.guarantees["sockets_closed"]) == ("refused", True), measured.explain()


@pytest.mark.parametrize("name", ["a:b", "a,b", "a\\b", "a b", "ä=1"])
def test_a_checkout_may_have_any_name(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    place.mkdir()
    (place / "bot.py").write_text("def go(_): return __file__")
    measured = SubprocessRunner().run(RunSpec(kind=Kind.CALL, target="bot:go", checkout=place))
    assert (measured.result, measured.guarantees["sockets_closed"]) == (f"{place}/bot.py", True)
