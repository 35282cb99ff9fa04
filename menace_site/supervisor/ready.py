"""Whether the site answers yet."""

import http.client
import json
import socket
from contextlib import closing
from typing import Any

from engines.domain.errors import Conflict

DEFAULT_PORT = 8000
TRIED_PORTS = 20
TIMEOUT_SECONDS = 3.0


def health(host: str, port: int, name: str = "localhost") -> tuple[bool, dict[str, Any]]:
    """Ask `/health` once, as the site called `name`: (ready, parts); (False, {}) if nobody answers."""
    try:
        with closing(http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)) as connection:
            connection.request("GET", "/health", headers={"Host": f"{name}:{port}"})
            reply = connection.getresponse()
            parts: dict[str, Any] = json.loads(reply.read())
    except (OSError, http.client.HTTPException, ValueError):
        return False, {}
    return reply.status == http.HTTPStatus.OK, parts


def missing(parts: dict[str, Any]) -> list[str]:
    """Return what is not ready yet, in words."""
    if not parts:
        return ["web: no answer yet"]
    bad = {name: part for name, part in parts.items() if isinstance(part, dict) and not part.get("ok")}
    return [f"{name}: {part.get('detail', 'not ready')}" for name, part in bad.items()]


def is_free(host: str, port: int) -> bool:
    """Tell whether a server could listen here."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def choose_port(host: str, wanted: int | None) -> int:
    """Return the wanted port, or the first free one from 8000. Raises Conflict if there is none."""
    candidates = [wanted] if wanted is not None else list(range(DEFAULT_PORT, DEFAULT_PORT + TRIED_PORTS))
    for port in candidates:
        if is_free(host, port):
            return port
    raise Conflict(f"port {candidates[0]} on {host} is taken; choose another with --port")
