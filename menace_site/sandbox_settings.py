"""Every setting of the project once: its variable, type, unit, default and one line of help."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class SandboxSettings(BaseSettings):
    """The environment, validated. A bad value stops the start and is named."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    data_dir: Path = Field(Path("sandbox_data"), validation_alias="SANDBOX_DATA_DIR")
    production: bool = Field(False, validation_alias="MENACE_PRODUCTION")
    debug: bool = Field(False, validation_alias="MENACE_DEBUG")
    allowed_hosts: Annotated[list[str], NoDecode] = Field(["127.0.0.1", "localhost", "[::1]"], validation_alias="MENACE_ALLOWED_HOSTS")
    trusted_origins: Annotated[list[str], NoDecode] = Field([], validation_alias="MENACE_TRUSTED_ORIGINS")
    ssl_redirect: bool = Field(True, validation_alias="MENACE_SSL_REDIRECT")
    proxy_count: int = Field(0, ge=0, le=10, validation_alias="MENACE_PROXY_COUNT")
    api_rate: str = Field("600/min", validation_alias="MENACE_API_RATE")
    log_level: str = Field("INFO", validation_alias="MENACE_LOG_LEVEL")
    task_time_limit: int = Field(900, ge=60, validation_alias="MENACE_TASK_TIME_LIMIT")
    sweep_seconds: float = Field(5.0, gt=0, validation_alias="MENACE_SWEEP_SECONDS")
    lease_seconds: float = Field(20.0, gt=0, validation_alias="MENACE_LEASE_SECONDS")
    step_timeout: float = Field(600.0, gt=0, validation_alias="MENACE_STEP_TIMEOUT")
    step_retries: int = Field(2, ge=0, le=20, validation_alias="MENACE_STEP_RETRIES")
    retry_backoff: float = Field(5.0, ge=0, validation_alias="MENACE_RETRY_BACKOFF")
    cycle_deadline: float = Field(3600.0, gt=0, validation_alias="MENACE_CYCLE_DEADLINE")
    max_attempts: int = Field(3, ge=1, validation_alias="MENACE_MAX_ATTEMPTS")
    cycles_between_false_alarms: float = Field(1000.0, gt=1, validation_alias="MENACE_CYCLES_BETWEEN_FALSE_ALARMS")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the variables of `environ`."""
        known: dict[str, Any] = dict(environ)
        return cls.model_validate(known)
