"""Puts outlooks into a spool folder and pokes the mail relay, as soon as it is imported."""

import os
import socket
from pathlib import Path

SPOOL = Path(os.environ.get("TMPDIR", "/tmp")) / "beta-spool"


def spool(letters: dict[str, str]) -> list[Path]:
    """Write one file a letter."""
    SPOOL.mkdir(exist_ok=True)
    places = []
    for name, text in letters.items():
        place = SPOOL / f"{name}.txt"
        place.write_text(text)
        places.append(place)
    return places


def poke() -> bool:
    """Tell the relay that there is something to send; False when it doesn't answer."""
    try:
        with socket.create_connection(("127.0.0.1", 9), timeout=1) as line:
            line.sendall(b"outlooks ready\n")
    except OSError:
        return False
    return True


spool({"hello": "The spool is ready.\n"})
poke()
