"""Functions of a made bot, each of which a key of a preset changes."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


def price(order: Any) -> dict[str, float]:
    """Trust the caller: a wrong input raises what Python raises."""
    return {"total": sum(line["amount"] * line["price"] for line in order["lines"])}


def shout(order: Any) -> dict[str, int]:
    """Raise when text can't be written as UTF-8, or when it was written to break a query."""
    text = order["text"]
    text.encode()
    if "DROP TABLE" in text:
        raise PermissionError("injected")
    return {"length": len(text)}


def burn(order: Any) -> None:
    """Use a core for ever."""
    while True:
        pass


def sleep(order: Any) -> None:
    time.sleep(60)


def grow(order: Any) -> int:
    """Touch 300 MiB."""
    kept = []
    for _ in range(300):
        kept.append(os.urandom(1 << 20))
        time.sleep(0.002)
    return len(kept)


def write(order: Any) -> int:
    """Write 8 MiB into the folder that may be written to."""
    path = Path(os.environ.get("TMPDIR", "/tmp")) / "much"
    with path.open("wb") as file:
        for _ in range(8):
            file.write(bytes(1 << 20))
    return path.stat().st_size


def spawn(order: Any) -> int:
    """Start a process and wait for it."""
    return subprocess.run([sys.executable, "-c", "import time; time.sleep(1)"], check=True).returncode


def open_many(order: Any) -> int:
    return len([os.open(os.devnull, os.O_RDONLY) for _ in range(100)])


def start_threads(order: Any) -> int:
    """Have 60 threads at one moment."""
    go = threading.Event()
    threads = [threading.Thread(target=go.wait, daemon=True) for _ in range(60)]
    try:
        for thread in threads:
            thread.start()
        return len(threads)
    finally:
        go.set()


def get(path: str) -> Any:
    url = os.environ["SANDBOX_STUB_URL"] + path
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.loads(answer.read())


def fetch(order: Any) -> Any:
    """Ask the API once."""
    return get("/items/3")["value"]


def fetch_page(order: Any) -> int:
    return len(get("/items?size=100")["items"])


def wait(order: Any) -> str:
    time.sleep(0.05)
    return threading.current_thread().name


async def wait_async(order: Any) -> None:
    await asyncio.sleep(0.05)


def tell_name(order: Any) -> None:
    """Fail with the name of the scenario."""
    raise RuntimeError(os.environ["SANDBOX_SCENARIO_NAME"])
