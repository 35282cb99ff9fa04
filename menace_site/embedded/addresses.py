"""Where PostgreSQL and Redis answer, computed from the data directory and the environment alone.

Nothing is started here, so that importing the settings is always cheap and safe. The only thing ever
written is a random secret, once, readable by its owner alone.
"""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import ParseResult, parse_qsl, quote, unquote, urlparse

from engines.domain.errors import InvalidInput, NotConfigured

DATABASE = "menace"
POSTGRES_PORT = 5432  # only a part of the socket's name: the embedded server opens no port
SOCKET_PATH_LIMIT = 100  # bytes; the kernel's limit is 107 on Linux and 103 on macOS
ADMIN_PASSWORD_FILE = Path("secrets") / "admin-password"
TRUE = {"1", "true", "yes", "on"}
SCHEMES = {
    "DATABASE_URL": {"postgres", "postgresql"},
    "REDIS_URL": {"redis", "rediss", "unix", "redis+socket"},
}


def socket_dir(data_dir: Path) -> Path:
    """Return the short private directory in the temporary folder where this data directory's servers listen.

    It depends on the user and on the resolved path alone: two data directories never share one, and every
    process finds the same one. `MENACE_RUNTIME_DIR` moves it where the usual temporary folder won't do.
    """
    name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    base = Path(os.environ.get("MENACE_RUNTIME_DIR") or _temporary_folder())
    directory = base / f"menace-{os.getuid()}" / name
    if len(os.fsencode(directory / f".s.PGSQL.{POSTGRES_PORT}")) > SOCKET_PATH_LIMIT:
        raise InvalidInput(
            f"{directory} is too long for a socket's path; set MENACE_RUNTIME_DIR to a shorter folder",
            field="MENACE_RUNTIME_DIR",
        )
    return directory


def _temporary_folder() -> str:
    """Return one folder for all of a user's processes: TMPDIR differs between shells, /tmp does not."""
    usual = "/tmp"  # noqa: S108 # nosec B108 - what lies in it is 0700 and its owner is checked before use
    return usual if Path(usual).is_dir() else tempfile.gettempdir()


def valkey_socket(data_dir: Path) -> Path:
    """Return the embedded Valkey's socket."""
    return socket_dir(data_dir) / "valkey.sock"


def database_settings(data_dir: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return Django's `DATABASES["default"]`: `DATABASE_URL` if set, else the embedded server's socket.

    Raises InvalidInput that names the variable when the URL can't be used.
    """
    common: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
    if environ.get("DATABASE_URL"):
        return common | _from_url(_parsed("DATABASE_URL", environ["DATABASE_URL"]))
    return common | {
        "NAME": DATABASE,
        "USER": DATABASE,
        "PASSWORD": secret(data_dir, "services"),
        "HOST": str(socket_dir(data_dir)),
        "PORT": str(POSTGRES_PORT),
        "OPTIONS": {"connect_timeout": 5},
    }


def _from_url(url: ParseResult) -> dict[str, Any]:
    """Translate `postgresql://user:password@host:port/name?option=value`; `?host=` may be a folder."""
    options: dict[str, Any] = {"connect_timeout": 5, **dict(parse_qsl(url.query))}
    name = unquote(url.path.lstrip("/"))
    if not name:
        raise InvalidInput("DATABASE_URL names no database: expected …/NAME", field="DATABASE_URL")
    return {
        "NAME": name,
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": options.pop("host", None) or unquote(url.hostname or ""),
        "PORT": str(options.pop("port", None) or _port("DATABASE_URL", url) or ""),
        "OPTIONS": options,
    }


def redis_url(data_dir: Path, environ: Mapping[str, str]) -> str:
    """Return the address for redis-py and Django's cache: `REDIS_URL` if set, else the embedded socket.

    Raises InvalidInput that names the variable when the URL can't be used.
    """
    if environ.get("REDIS_URL"):
        url = _parsed("REDIS_URL", environ["REDIS_URL"])
        _port("REDIS_URL", url)
        if url.scheme in {"redis", "rediss"} and not url.hostname:
            raise InvalidInput(
                "REDIS_URL names no host: expected redis://HOST:PORT/NUMBER", field="REDIS_URL"
            )
        return environ["REDIS_URL"].replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    return f"unix://:{secret(data_dir, 'services')}@{quote(str(valkey_socket(data_dir)))}?db=0"


def broker_url(data_dir: Path, environ: Mapping[str, str]) -> str:
    """Return the same address as Celery spells it (`redis+socket://…?virtual_host=` for a socket)."""
    url = redis_url(data_dir, environ)
    return url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")


def uses_embedded_database(environ: Mapping[str, str]) -> bool:
    """Tell whether the embedded PostgreSQL is in charge."""
    return not environ.get("DATABASE_URL")


def uses_embedded_redis(environ: Mapping[str, str]) -> bool:
    """Tell whether the embedded Valkey is in charge."""
    return not environ.get("REDIS_URL")


def _parsed(variable: str, value: str) -> ParseResult:
    try:
        url = urlparse(value)
    except ValueError as error:
        raise InvalidInput(f"{variable} can't be read: {error}", field=variable) from error
    allowed = sorted(SCHEMES[variable])
    if url.scheme not in allowed:
        raise InvalidInput(f"{variable} must begin with one of {', '.join(allowed)} and ://", field=variable)
    return url


def _port(variable: str, url: ParseResult) -> int | None:
    try:
        return url.port
    except ValueError as error:
        raise InvalidInput(f"{variable} has no usable port: {error}", field=variable) from error


def secret_key(data_dir: Path, environ: Mapping[str, str]) -> str:
    """Return Django's secret key: `DJANGO_SECRET_KEY`, else a random one kept in the data directory.

    Raises NotConfigured in production without the variable: several machines must share one key.
    """
    if environ.get("DJANGO_SECRET_KEY"):
        return environ["DJANGO_SECRET_KEY"]
    if environ.get("MENACE_PRODUCTION", "").lower() in TRUE:
        raise NotConfigured(
            "DJANGO_SECRET_KEY is not set; production needs one of 50 random characters or more"
        )
    return secret(data_dir, "secret-key")


def secret(data_dir: Path, name: str) -> str:
    """Return a random secret of this installation; the first call makes it, for its owner's eyes only."""
    path = data_dir / "secrets" / name
    if not path.is_file():
        _write_once(path, secrets.token_urlsafe(48))
    return path.read_text().strip()


def _write_once(path: Path, text: str) -> None:
    """Write a file of mode 0600 that appears whole or not at all; the first of several writers wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first: its secret counts
    finally:
        draft.unlink()
