"""The servers that DATABASE_URL and REDIS_URL name: whether they answer and are new enough."""

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from menace_site.embedded.addresses import redis_url, uses_embedded_database, uses_embedded_redis
from menace_site.embedded.binaries import POSTGRES_FLOOR, REDIS_FLOOR, parse_version
from menace_site.supervisor import probes
from menace_site.supervisor.probes import Finding, Machine, shown

ASK_SECONDS = 5


def database(machine: Machine) -> Finding:
    """PostgreSQL: the program that would be started, or the server that DATABASE_URL names."""
    if uses_embedded_database(machine.environ):
        return probes.postgres(machine)
    remedy = "mend DATABASE_URL, start that server, or unset it to use the embedded one"
    try:
        with psycopg.connect(machine.environ["DATABASE_URL"], connect_timeout=ASK_SECONDS) as connection:
            found = divmod(connection.info.server_version, 10000)
    except psycopg.Error as error:
        return Finding("postgresql", False, f"DATABASE_URL: {str(error).strip().splitlines()[0]}", remedy)
    return Finding(
        "postgresql", found >= POSTGRES_FLOOR, f"{shown(found)} at DATABASE_URL", "use version 14 or newer"
    )


def broker(machine: Machine) -> Finding:
    """Valkey or Redis: the program that would be started, or the server that REDIS_URL names."""
    if uses_embedded_redis(machine.environ):
        return probes.valkey(machine)
    remedy = "mend REDIS_URL, start that server, or unset it to use the embedded one"
    try:
        with Redis.from_url(
            redis_url(machine.data_dir, machine.environ),
            socket_timeout=ASK_SECONDS,
            socket_connect_timeout=ASK_SECONDS,
        ) as client:
            facts = client.info("server")
    except (RedisError, OSError, ValueError) as error:
        return Finding("valkey", False, f"REDIS_URL: {error}", remedy)
    found = parse_version(str(facts["redis_version"]))
    return Finding(
        "valkey", found >= REDIS_FLOOR, f"speaks Redis {shown(found)} at REDIS_URL", "use 6.2 or newer"
    )


SERVERS = (database, broker)
EVERYTHING = (probes.python, *probes.BEFORE_START, *SERVERS, *probes.LATER)
