"""Programs with a known number of side effects, each a function; `EXPECTED` says what must be counted.

The way that a library takes is its own business: the kernel sees the same calls.
"""

import asyncio
import ctypes
import mmap
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.fopen.restype = ctypes.c_void_p
LIBC.fclose.argtypes = [ctypes.c_void_p]
AWAY = ("127.0.0.1", 9)


def f_open(_):
    open("a", "w").close()


def f_os_open(_):
    os.close(os.open("a", os.O_CREAT | os.O_WRONLY))


def f_file_io(_):
    import io

    io.FileIO("a", "w").close()


def f_ctypes_open(_):
    LIBC.close(LIBC.open(b"a", 0o101, 0o644))


def f_raw_call(have):
    os.close(LIBC.syscall(ctypes.c_long(have["numbers"]["openat"]), ctypes.c_long(-100), b"a", 0o101, 0o644))


def f_fopen(_):
    LIBC.fclose(LIBC.fopen(b"a", b"w"))


def f_shell(_):
    subprocess.run(["sh", "-c", ": > a"], check=True)


def f_python_child(_):
    subprocess.run([sys.executable, "-I", "-S", "-c", "open('a','w')"], check=True)


def f_fork(_):
    if os.fork() == 0:
        os.close(os.open("a", os.O_CREAT | os.O_WRONLY))
        os._exit(0)
    os.wait()


def f_thread(_):
    worker = threading.Thread(target=f_open, args=(None,))
    worker.start()
    worker.join()


def f_folder_descriptor(_):
    folder = os.open(".", os.O_RDONLY)
    os.close(os.open("a", os.O_CREAT | os.O_WRONLY, dir_fd=folder))


def f_mapped(have):
    with open(have["file"], "r+b") as file:
        mmap.mmap(file.fileno(), 0)[:1] = b"y"


def f_sqlite(_):
    base = sqlite3.connect("db")
    base.execute("create table t(x)")
    base.close()


def f_appended(have):
    with open(have["file"], "a") as file:
        file.write("x")


def f_pathlib(_):
    Path("a").write_text("x")


def f_copy(have):
    shutil.copy(have["file"], "b")


def f_rename(have):
    os.rename(have["file"], "b")


def f_unlink(have):
    os.unlink(have["file"])


def f_mkdir(_):
    os.mkdir("d")


def f_truncate(have):
    os.truncate(have["file"], 0)


def f_symlink(_):
    os.symlink("x", "l")


def f_hardlink(have):
    os.link(have["file"], "b")


def f_temporary(_):
    tempfile.TemporaryFile().close()


def f_denied(_):
    with suppress(OSError):
        open("/usr/made", "w")


def n_tcp(_):
    with suppress(OSError):
        socket.create_connection(AWAY, 1)


def n_ctypes(_):
    with socket.socket() as line:
        address = b"\2\0" + (9).to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
        LIBC.connect(line.fileno(), address, 16)


def n_udp(_):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line, suppress(OSError):
        line.sendto(b"x", AWAY)


def n_urllib(_):
    with suppress(OSError):
        urllib.request.urlopen("http://127.0.0.1:9/", timeout=1)


def n_asyncio(_):
    async def go():
        with suppress(OSError):
            await asyncio.open_connection(*AWAY)

    asyncio.run(go())


def n_shell(_):
    subprocess.run(["bash", "-c", "echo x > /dev/tcp/127.0.0.1/9"], check=False, stderr=subprocess.DEVNULL)


def n_message(_):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line, suppress(OSError):
        line.sendmsg([b"x"], [], 0, AWAY)


def n_child(_):
    code = "import socket\ntry: socket.create_connection(('127.0.0.1', 9), 1)\nexcept OSError: pass"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def z_reads(have):
    Path(have["file"]).read_text()
    print("words")


def z_null(_):
    open("/dev/null", "w").close()


def z_pair(_):
    one, other = socket.socketpair()
    one.sendall(b"x")
    other.recv(1)


def p_run(_):
    subprocess.run(["true"], check=True)


def p_system(_):
    os.system("true; true")


def p_fork(_):
    if os.fork() == 0:
        os._exit(0)
    os.wait()


def p_spawn(_):
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def p_replaced(_):
    os.execv("/bin/true", ["true"])


EXPECTED = {
    **{name: (1, 0, 0) for name in list(globals()) if name.startswith("f_")},
    **{name: (0, 1, 0) for name in list(globals()) if name.startswith("n_")},
    **{name: (0, 0, 0) for name in list(globals()) if name.startswith("z_")},
    **{name: (0, 0, 1) for name in list(globals()) if name.startswith("p_")},
    "f_shell": (1, 0, 1),
    "f_python_child": (1, 0, 1),
    "f_fork": (1, 0, 1),
    # its first use tries the folder: a file made and removed
    "f_temporary": (3, 0, 0),
    # the database, its journal, and the journal's removal
    "f_sqlite": (3, 0, 0),
    "n_shell": (0, 1, 1),
    "n_child": (0, 1, 1),
}
"""Name → file writes, network connections, subprocesses."""
