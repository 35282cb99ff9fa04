"""Programs that a run must survive: each function is one bad habit or one attack."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path


def add(payload):
    return {"sum": payload["a"] + payload["b"]}


def garbage(_):
    sys.stdout.buffer.write(bytes(range(256)) * 20)
    print("\x1b[31mred\x1b[0m \u202etxet\u202c", file=sys.stderr)
    return "done"


def raises(_):
    raise ValueError("no \x1b[31mway\x1b[0m")


def exits(payload):
    sys.exit(payload)


def leaves(payload):
    os._exit(payload)


def crashes(_):
    ctypes.string_at(0)


def kills_itself(_):
    os.kill(os.getpid(), signal.SIGKILL)


def sleeps(_):
    time.sleep(1000)


def ignores_signals(_):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(1000)


def burns(_):
    while True:
        pass


def burns_in_children(_):
    for _ in range(3):
        if os.fork() == 0:
            while True:
                pass
    time.sleep(1000)


def eats(_):
    held = []
    while True:
        held.append(bytearray(16 * 2**20))


def eats_in_children(_):
    for _ in range(6):
        if os.fork() == 0:
            held = bytearray(100 * 2**20)
            time.sleep(1000)
            del held
    time.sleep(1000)


def forks_a_bomb(_):
    while True:
        os.fork()


def pid_file():
    return Path(os.environ["TMPDIR"]) / "pid"


def leaves_a_daemon(_):
    """A double fork into a session of its own, deaf to everything but SIGKILL."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            pid_file().write_text(str(os.getpid()))
            while True:
                time.sleep(1)
        os._exit(0)
    while not pid_file().exists():
        time.sleep(0.01)
    return "left"


def leaves_a_thread(_):
    threading.Thread(target=time.sleep, args=(1000,)).start()
    return "left"


def leaves_a_shell(_):
    subprocess.Popen(["sh", "-c", f"echo $$ > {pid_file()}; exec sleep 1000"], start_new_session=True)
    while not pid_file().exists() or not pid_file().read_text():
        time.sleep(0.01)
    return "left"


def kills_all_it_can_name(_):
    """Every process whose number it can guess; its own first ancestor among them."""
    for pid in [os.getppid(), *range(1, 5000)]:
        if pid not in (0, os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
    return "alive"


def prints_forever(_):
    while True:
        print("x" * 1000)


def returns_nan(_):
    return float("nan")


def returns_an_object(_):
    return object()


def returns_much(payload):
    return "x" * payload


def returns_deep(_):
    found = []
    for _ in range(500):
        found = [found]
    return found


def reads_secrets(_):
    try:
        parent = Path(f"/proc/{os.getppid()}/environ").read_text()
    except OSError:
        parent = ""
    return {
        "environ": dict(os.environ),
        "parent": parent,
        "descriptors": sorted(os.listdir("/proc/self/fd")),
    }


def channel():
    """Find the descriptor on which results are told."""
    for number in range(3, 64):
        place = f"/proc/self/fd/{number}"
        if os.path.lexists(place) and os.readlink(place).startswith("pipe:"):
            return number
    raise LookupError


def forges_lines(payload):
    os.write(channel(), payload.encode())
    return "honest"


def tells_then_sleeps(_):
    os.write(channel(), b'{"progress": 0.1, "message": "here"}\n')
    time.sleep(1000)


def floods_the_channel(_):
    line = json.dumps({"progress": 0.5, "message": "x" * 400}).encode() + b"\n"
    while True:
        os.write(channel(), line)


def holds_the_pipes(_):
    """A child that keeps every inherited descriptor open."""
    if os.fork() == 0:
        time.sleep(1000)
    return "held"


def makes(payload):
    """Leave files in the working scratch folder in the way that `payload` names."""
    scratch = Path(os.environ["TMPDIR"])
    place = scratch / "model.bin"
    if payload == "file":
        place.write_bytes(b"weights")
    elif payload == "link":
        place.symlink_to("/etc/passwd")
    elif payload == "hard link":
        (scratch / "other").write_bytes(b"x")
        os.link(scratch / "other", place)
    elif payload == "fifo":
        os.mkfifo(place)
    elif payload == "folder":
        place.mkdir()
    elif payload == "sparse":
        with place.open("wb") as file:
            file.truncate(10 * 2**20)
    elif payload == "swapped scratch":
        place.write_bytes(b"weights")
        os.rename(scratch, f"{scratch}-moved")
        os.symlink("/etc", scratch)
    return None


def writes_too_much(_):
    with open(Path(os.environ["TMPDIR"]) / "big", "wb") as file:
        while True:
            file.write(b"x" * 2**20)


def locks_its_folder(_):
    folder = Path(os.environ["TMPDIR"]) / "deep" / "er"
    folder.mkdir(parents=True)
    (folder / "file").write_text("x")
    folder.chmod(0)
    folder.parent.chmod(0)
    return None


def talks(_):
    with socket.socket() as line:
        line.settimeout(1)
        return line.connect_ex(("127.0.0.1", 9))
