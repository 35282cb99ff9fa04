"""Make sure that the embedded servers answer for as long as this process lives."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engines.domain.errors import Conflict, InvalidInput, MenaceError, NotAllowed, NotConfigured
from menace_site.embedded.addresses import uses_embedded_database, uses_embedded_redis
from menace_site.embedded.keeper import keeper_lock, state_file, users_lock
from menace_site.embedded.locks import FileLock

KEEPER = Path(__file__).with_name("keeper.py")
START_SECONDS = 90.0
RETRY_SECONDS = 5.0
EXIT_CODES: dict[type[MenaceError], int] = {InvalidInput: 2, Conflict: 3, NotConfigured: 4, NotAllowed: 5}


class Services:
    """A share in the running servers; they end some time after the last share is given back."""

    def __init__(self, data_dir: Path, share: FileLock | None, servers: list[str]) -> None:
        self.data_dir = data_dir
        self.servers = servers
        self._share = share

    def close(self) -> None:
        """Give the share back without waiting."""
        if self._share is not None:
            self._share.release()

    def close_and_wait(self, seconds: float = 30.0) -> None:
        """Give the share back and wait until the servers have ended, unless somebody else still uses them."""
        self.close()
        deadline = time.monotonic() + seconds
        while self._share is not None and time.monotonic() < deadline:
            if not keeper_lock(self.data_dir).held_by_somebody() or _others_share(self.data_dir):
                return
            time.sleep(0.05)


def _others_share(data_dir: Path) -> bool:
    """Tell whether anybody uses the servers; the keeper holding that lock alone, while it stops, does not."""
    users = users_lock(data_dir)
    stopping = not users.acquire(shared=True)
    users.release()
    return not stopping and users.held_by_somebody()


def wanted_servers(environ: Mapping[str, str]) -> list[str]:
    """Return which of the embedded servers this environment needs."""
    wanted = {"postgres": uses_embedded_database(environ), "valkey": uses_embedded_redis(environ)}
    return [name for name, needed in wanted.items() if needed]


def ensure_services(data_dir: Path, environ: Mapping[str, str] = os.environ) -> Services:
    """Start what isn't running, share what is, and return once all of it answers.

    Raises NotConfigured with the reason when a server can't be started, Conflict when the running ones were
    started for another mix of embedded and external servers.
    """
    names = wanted_servers(environ)
    if not names:
        return Services(data_dir, None, names)
    share = users_lock(data_dir)
    if not share.acquire(shared=True, timeout=30):
        raise Conflict(f"the servers of {data_dir} are still stopping; try again")
    try:
        _wait_until_ready(data_dir, names)
    except BaseException:
        share.release()
        raise
    return Services(data_dir, share, names)


def _wait_until_ready(data_dir: Path, names: list[str]) -> None:
    deadline, next_try = time.monotonic() + START_SECONDS, 0.0
    while time.monotonic() < deadline:
        if keeper_lock(data_dir).held_by_somebody():
            state = read_state(data_dir)
            if state.get("ready"):
                return _refuse_other_mix(data_dir, state["servers"], names)
        elif next_try and "error" in read_state(data_dir):
            raise NotConfigured(read_state(data_dir)["error"])
        elif time.monotonic() >= next_try:
            _start_keeper(data_dir, names)
            next_try = time.monotonic() + RETRY_SECONDS
        time.sleep(0.02)
    raise NotConfigured(f"the servers of {data_dir} gave no answer; see {data_dir / 'logs'}")


def _refuse_other_mix(data_dir: Path, running: list[str], names: list[str]) -> None:
    if not set(names) <= set(running):
        raise Conflict(
            f"{data_dir} is in use with {' and '.join(running)} embedded, but this command needs "
            f"{' and '.join(names)}: use the same DATABASE_URL and REDIS_URL, or another SANDBOX_DATA_DIR"
        )


def read_state(data_dir: Path) -> dict[str, Any]:
    """Return what the keeper says of itself; empty while there is none."""
    try:
        state: dict[str, Any] = json.loads(state_file(data_dir).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return state


def _start_keeper(data_dir: Path, names: list[str]) -> None:
    """Start a keeper that is nobody's child; should another be first, it ends by itself."""
    state_file(data_dir).unlink(missing_ok=True)
    log = data_dir / "logs" / "keeper.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        subprocess.run(
            [sys.executable, "-I", str(KEEPER), str(data_dir.resolve()), *names],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            check=True,
        )


def exit_code(error: MenaceError) -> int:
    """Return what a command ends with: 2 bad input, 3 in another state, 4 not set up, else 1."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)
