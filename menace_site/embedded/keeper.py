"""Keep PostgreSQL and Valkey alive while any command uses them, and end them with the last one.

Run as `python keeper.py DATA_DIR [postgres] [valkey]`. Every user holds a shared lock on `run/users.lock`,
which the kernel drops however the user ends. Once the keeper gets that lock alone, nobody is left.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

if __name__ == "__main__":  # started by its path, so that no package above it is imported
    if os.fork():
        os._exit(0)  # it belongs to nobody: whoever started it may end before it
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engines.domain.errors import MenaceError
from menace_site.embedded.locks import FileLock
from menace_site.embedded.postgres import Postgres
from menace_site.embedded.processes import leash
from menace_site.embedded.valkey import Valkey

POLL_SECONDS = 0.2
START_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 30.0

Server = Postgres | Valkey


def state_file(data_dir: Path) -> Path:
    """Return where the keeper writes what it runs."""
    return data_dir / "run" / "keeper.json"


def keeper_lock(data_dir: Path) -> FileLock:
    """Return the lock that a keeper holds for life."""
    return FileLock(data_dir / "run" / "keeper.lock")


def users_lock(data_dir: Path) -> FileLock:
    """Return the lock that every user shares."""
    return FileLock(data_dir / "run" / "users.lock")


def write_state(data_dir: Path, **facts: object) -> None:
    """Replace the state file at once."""
    path = state_file(data_dir)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps({"pid": os.getpid(), **facts}))
    draft.replace(path)


def start_together(servers: list[Server], seconds: float = START_SECONDS) -> None:
    """Start the servers side by side and wait until all answer. Raises MenaceError or TimeoutError."""
    for server in servers:
        server.start()
    deadline = time.monotonic() + seconds
    while not all(server.ready() for server in servers):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no answer after {seconds:.0f} s; see {servers[0].log.parent}")
        time.sleep(0.01)


def stop_together(servers: list[Server]) -> None:
    """Stop Valkey, then PostgreSQL."""
    for server in reversed(servers):
        server.stop()


def keep(servers: list[Server], users: FileLock) -> None:
    """Restart what falls over, with growing pauses, until nobody uses it."""
    pause, next_start = 1.0, 0.0
    while not users.acquire():
        time.sleep(POLL_SECONDS)
        fallen = [server for server in servers if not server.running()]
        if fallen and time.monotonic() >= next_start:
            for server in fallen:
                server.start()
            next_start = time.monotonic() + pause
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def main(data_dir: Path, names: list[str]) -> int:
    """Run until the last user has gone; 0 also when another keeper was first."""
    lock = keeper_lock(data_dir)
    if not lock.acquire():
        return 0
    state_file(data_dir).unlink(missing_ok=True)
    users = users_lock(data_dir)
    servers: list[Server] = []
    servers += [Postgres(data_dir)] if "postgres" in names else []
    servers += [Valkey(data_dir)] if "valkey" in names else []
    try:
        start_together(servers)
        write_state(data_dir, ready=True, servers=names)
        keep(servers, users)
    except (MenaceError, TimeoutError, OSError) as error:
        write_state(data_dir, error=str(error))
        return 1
    finally:
        stop_together(servers)
        leash().close()
    state_file(data_dir).unlink(missing_ok=True)
    return 0


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
