"""Settings of the site: where things lie, which services it uses, how the web side and the workers behave."""

from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from menace_site.sandbox_settings.fields import Group, Names, Paths, Switch, setting

RATE = r"^[1-9]\d*/(s|sec|second|m|min|minute|h|hour|d|day)$"
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class Places(Group):
    """Where things lie"""

    data_dir: Path = setting(
        Path("sandbox_data"),
        ("SANDBOX_DATA_DIR", "MENACE_DATA_DIR"),
        "Folder of all state: embedded servers, repositories, artifacts, journals.",
    )
    menace_roots: Paths = setting([], "MENACE_ROOTS", "Roots that `resolve_path` searches first, in order.")
    sandbox_repo_paths: Paths = setting(
        [], "SANDBOX_REPO_PATHS", "More roots for `resolve_path`, after MENACE_ROOTS."
    )
    menace_root: Paths = setting([], "MENACE_ROOT", "One root for `resolve_path`, after the lists.")
    sandbox_repo_path: Paths = setting([], "SANDBOX_REPO_PATH", "One more root, after MENACE_ROOT.")
    runtime_dir: Path | None = setting(
        None,
        "MENACE_RUNTIME_DIR",
        "Folder of the embedded servers' sockets; a socket's path must stay under 100 bytes.",
        shown="`/tmp`",
    )

    @property
    def repository_roots(self) -> list[Path]:
        """All roots in the order in which names are looked up."""
        return [*self.menace_roots, *self.sandbox_repo_paths, *self.menace_root, *self.sandbox_repo_path]


class Services(Group):
    """Services and secrets"""

    database_url: SecretStr | None = setting(
        None, "DATABASE_URL", "`postgresql://user:password@host:port/name`.", shown="an embedded PostgreSQL"
    )
    redis_url: SecretStr | None = setting(
        None, "REDIS_URL", "`redis://host:port/0`, of Redis ≥ 6.2 or Valkey.", shown="an embedded Valkey"
    )
    secret_key: SecretStr | None = setting(
        None,
        "DJANGO_SECRET_KEY",
        "Signs sessions; the same on every machine.",
        shown="made once and kept in the data folder; required in production",
    )


class Web(Group):
    """Web and API"""

    production: Switch = setting(False, "MENACE_PRODUCTION", "HTTPS-only cookies, HSTS, hashed static files.")
    debug: Switch = setting(False, "MENACE_DEBUG", "Django's debug pages. Never in production.")
    allowed_hosts: Names = setting(
        ["127.0.0.1", "localhost", "[::1]"], "MENACE_ALLOWED_HOSTS", "Host names the site answers to."
    )
    trusted_origins: Names = setting(
        [], "MENACE_TRUSTED_ORIGINS", "Origins that may post forms, such as `https://menace.example.org`."
    )
    ssl_redirect: Switch = setting(True, "MENACE_SSL_REDIRECT", "In production, send plain HTTP to HTTPS.")
    proxy_count: int = setting(
        0, "MENACE_PROXY_COUNT", "Proxies in front whose forwarding headers are believed.", ge=0, le=10
    )
    api_rate: str = setting(
        "600/min", "MENACE_API_RATE", "Requests one token or user may make.", pattern=RATE
    )
    log_level: LogLevel = setting("INFO", "MENACE_LOG_LEVEL", "Least important log messages shown.")
    metrics_token: SecretStr | None = setting(
        None,
        "MENACE_METRICS_TOKEN",
        "Bearer token with which another machine may read `/metrics`.",
        shown="none: only this machine and signed-in people read it",
    )
    metrics_port: int | None = setting(
        None,
        "MENACE_METRICS_PORT",
        "Port on 127.0.0.1 where a worker serves the same metrics; the seed uses 8001.",
        shown="off",
        ge=1,
        le=65535,
    )


class Workers(Group):
    """Workers and cycles"""

    task_time_limit: int = setting(
        900,
        "MENACE_TASK_TIME_LIMIT",
        "A worker process that runs one task longer is killed.",
        unit="s",
        ge=60,
    )
    sweep_seconds: float = setting(
        5.0,
        "MENACE_SWEEP_SECONDS",
        "How often lost wake-ups and expired leases are looked for.",
        unit="s",
        gt=0,
    )
    lease_seconds: float = setting(
        20.0, "MENACE_LEASE_SECONDS", "How long a worker owns a cycle without a heartbeat.", unit="s", gt=0
    )
    step_timeout: float = setting(600.0, "MENACE_STEP_TIMEOUT", "A step may take this long.", unit="s", gt=0)
    step_retries: int = setting(
        2, "MENACE_STEP_RETRIES", "How often a step that failed is tried again.", ge=0, le=20
    )
    retry_backoff: float = setting(
        5.0, "MENACE_RETRY_BACKOFF", "Pause before the first retry; it doubles each time.", unit="s", ge=0
    )
    cycle_deadline: float = setting(
        3600.0,
        "MENACE_CYCLE_DEADLINE",
        "A whole cycle with all its retries may take this long.",
        unit="s",
        gt=0,
    )
    max_attempts: int = setting(
        3, "MENACE_MAX_ATTEMPTS", "A step that killed its worker so often quarantines the cycle.", ge=1
    )
    beat_seconds: float = setting(
        3.0, "MENACE_BEAT_SECONDS", "How often workers and beat write a sign of life.", unit="s", gt=0, le=60
    )
    events_maxlen: int = setting(
        10_000, "MENACE_EVENTS_MAXLEN", "Messages kept in each stream of the event bus, about.", ge=100
    )
