"""Writes the day's readings to a folder and tells the archive about it.

Importing it is enough: the folder is made and the archive is called at once, as it was written for a
scheduler that could only import.
"""

import json
import os
import socket
import subprocess
from pathlib import Path

TARGET = Path(os.environ.get("TMPDIR", "/tmp")) / "alpha-export"
ARCHIVE = ("127.0.0.1", 9)


def export(readings: dict[str, str]) -> Path:
    """Write the readings and return the file."""
    TARGET.mkdir(exist_ok=True)
    place = TARGET / "readings.json"
    place.write_text(json.dumps(readings))
    (TARGET / "readings.count").write_text(str(len(readings)))
    return place


def announce(place: Path) -> bool:
    """Tell the archive where the file lies; False when it doesn't answer."""
    try:
        with socket.create_connection(ARCHIVE, timeout=1) as line:
            line.sendall(str(place).encode())
    except OSError:
        return False
    return True


announce(export({}))
subprocess.run(["sync", str(TARGET)], check=False)
