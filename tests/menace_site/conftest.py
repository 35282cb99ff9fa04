"""What several tests of the site need."""

import os
import signal
from collections.abc import Iterator

import pytest
from django.conf import settings
from redis import Redis

from menace_site.testing.servers import Servers


@pytest.fixture
def frozen_valkey(private_servers: Servers) -> Iterator[None]:
    """A Valkey that accepts connections and never answers, as long as the test lasts."""
    with Redis.from_url(settings.REDIS_URL) as client:
        pid = client.info("server")["process_id"]
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)
