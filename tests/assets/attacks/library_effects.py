"""Programs that use installed libraries, with known side effects; `EXPECTED` as in `effects.py`."""

import contextlib
import ctypes
import os
import socket
from pathlib import Path

AWAY = "192.0.2.1"


def f_tofile(_):
    import numpy

    numpy.arange(9.0).tofile("a")


def f_numpy_save(_):
    import numpy

    numpy.savez("a.npz", numpy.arange(9.0))


def f_memmap(_):
    import numpy

    held = numpy.memmap("a", dtype="f8", mode="w+", shape=(9,))
    held[:] = 1.0
    held.flush()


def f_torch_save(_):
    import torch

    torch.save(torch.zeros(3), "a.pt")


def n_psycopg(_):
    import psycopg

    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(f"host={AWAY} port=5432 user=x dbname=x connect_timeout=2 gssencmode=disable")


def n_redis(_):
    import redis

    with contextlib.suppress(redis.RedisError):
        redis.Redis(AWAY, socket_connect_timeout=2, retry=None).ping()


def n_name(_):
    """Ask the C library for a name: there is no name server, which it finds out by asking the usual one."""
    with contextlib.suppress(OSError):
        socket.getaddrinfo("nowhere.invalid", 80, socket.AF_INET, socket.SOCK_STREAM)


def n_local_name(_):
    """Names of the run's own hosts are read from a file."""
    socket.getaddrinfo("localhost", 80)


def p_posix_spawn(_):
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def p_ctypes_fork(_):
    pid = ctypes.CDLL(None).fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def f_database(_):
    """A database on disk: its file, a journal for each of two transactions, and their removal."""
    import sqlite3

    with contextlib.closing(sqlite3.connect("a.db")) as base:
        base.execute("create table t (n int)")
        base.execute("insert into t values (1)")
        base.commit()
    assert Path("a.db").exists()


#: writes, connections, processes: what `strace -f` sees, but for the name service's own socket
EXPECTED = {
    "f_tofile": (1, 0, 0), "f_numpy_save": (1, 0, 0), "f_memmap": (1, 0, 0), "f_torch_save": (1, 0, 0),
    "f_database": (5, 0, 0), "n_psycopg": (0, 1, 0), "n_redis": (0, 1, 0), "n_name": (0, 2, 0),
    "n_local_name": (0, 0, 0), "p_posix_spawn": (0, 0, 1), "p_ctypes_fork": (0, 0, 1),
}  # fmt: skip
