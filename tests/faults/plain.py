"""A plain Celery application with default settings: what the durable cycle is compared with."""

import os
import time
from pathlib import Path

from celery import Celery

app = Celery("plain", broker=os.environ.get("PLAIN_BROKER", "memory://"))


@app.task(name="plain.nap")
def nap(number: int, seconds: float, folder: str) -> None:
    """Note the start, work for a while, note the end."""
    (Path(folder) / f"started-{number}").touch()
    time.sleep(seconds)
    (Path(folder) / f"done-{number}").touch()


@app.task(name="plain.nothing")
def nothing(*_: object) -> None:
    """Do nothing."""


@app.task(name="plain.mark")
def mark(*words: str) -> None:
    """Append the last word to the file named by the one before: the end of a chain."""
    with Path(words[-2]).open("a") as file:
        file.write(f"{words[-1]}\n")
