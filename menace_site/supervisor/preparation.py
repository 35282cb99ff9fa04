"""Run `manage.py prepare` beside the supervisor, which needs neither Django nor its memory for itself."""

import hashlib
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from menace_site.embedded.processes import kill_rest, spawn
from menace_site.supervisor.output import Console

TABLES_READY = "tables up to date"


class Preparation:
    """One run of `manage.py prepare`; `tables_ready` is set as soon as web and workers may start."""

    def __init__(self, root: Path, environ: Mapping[str, str], *, demo: bool, console: Console) -> None:
        self.tables_ready = threading.Event()
        self._console = console
        words = [sys.executable, "manage.py", "prepare", *(["--demo"] if demo else [])]
        self._process = spawn(words, output=subprocess.PIPE, environ=environ, cwd=root)
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                text = line.decode(errors="replace").rstrip()
                self._console.say("menace", text)
                if text == TABLES_READY:
                    self.tables_ready.set()

    def exit_code(self) -> int | None:
        """Return how it ended, None while it runs."""
        code = self._process.poll()
        if code is not None:
            self._reader.join(5)
            kill_rest(self._process)
        return code

    def stop(self) -> None:
        """End it if it still runs: whatever it had begun is in a transaction, or is begun again."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self.exit_code()


def fingerprint(root: Path) -> str:
    """Return a digest of all that decides what the tables look like: our migrations and the packages."""
    files = sorted(root.glob("*/migrations/*.py"))
    digest = hashlib.sha256((root / "requirements.txt").read_bytes())
    for file in files:
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def prepared_file(data_dir: Path) -> Path:
    """Return where the fingerprint of the last complete preparation is kept."""
    return data_dir / "run" / "prepared"


def is_prepared(data_dir: Path, root: Path) -> bool:
    """Tell whether this code prepared this data folder before, so that nothing has to wait for it."""
    kept = prepared_file(data_dir)
    return kept.is_file() and kept.read_text() == fingerprint(root)
