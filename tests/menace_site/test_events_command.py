"""`manage.py events tail` as a process: follows what comes, survives Redis away, ends quietly."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest
from django.conf import settings
from redis import Redis

from menace_site.events import Bus
from menace_site.testing.servers import Servers

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def bus(private_servers: Servers) -> Bus:
    """An empty bus."""
    with Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    return Bus(settings.REDIS_URL, maxlen=100)


class Tail:
    """A running `events tail --json`."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", "events", "tail", "--json", *arguments]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._lines.put(line)

    def next(self) -> dict[str, object]:
        """Return the next message."""
        message: dict[str, object] = json.loads(self._lines.get(timeout=60))
        return message


@pytest.fixture
def tail(bus: Bus) -> Iterator[Tail]:
    """A tail from the beginning of what is kept."""
    bus.publish("cycle:queued", {"cycle": 1})
    running = Tail("--since", "0")
    yield running
    running.process.kill()
    running.process.communicate()


def test_follows_and_ends_quietly(tail: Tail, bus: Bus) -> None:
    assert tail.next()["data"] == {"cycle": 1}
    bus.publish("cycle:finished", {"cycle": 1, "roi_delta": None})
    message = tail.next()
    assert (message["topic"], message["data"]) == ("cycle:finished", {"cycle": 1, "roi_delta": None})
    tail.process.send_signal(signal.SIGINT)
    assert tail.process.wait(30) == 0
    assert (tail.process.stderr.read() if tail.process.stderr else "?") == ""


def test_goes_on_after_redis_was_away(tail: Tail, bus: Bus, private_servers: Servers) -> None:
    assert tail.next()["data"] == {"cycle": 1}
    private_servers.valkey.kill9()
    private_servers.restart_fallen()
    later = Bus(settings.REDIS_URL, maxlen=100)
    later.publish("cycle:queued", {"cycle": 2})
    assert tail.next()["data"] == {"cycle": 2}
