"""What the overview and the health page show, as plain mappings."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from engines import charts, panels
from engines.domain.keyset import Order
from engines.domain.states import CycleState
from engines.models import Cycle, Engine
from engines.models.paging import capped_count, page
from engines.panels.bots import order_by_name
from engines.panels.cycles import cycle_row, listed
from menace_site import health
from menace_site.models import ServiceBeat
from orphans.sandbox import SandboxUnavailable, probe

Panel = dict[str, Any]
ENGINES_A_PAGE = 50
LATEST = 8
LATE_SECONDS = 20.0
GONE_SECONDS = 60.0
DATABASE = """
SELECT current_setting('server_version'), pg_database_size(current_database()),
       (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())
"""
BIG_TABLES = """
SELECT relname, nullif(reltuples, -1)::bigint, pg_total_relation_size(oid)
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
ORDER BY pg_total_relation_size(oid) DESC LIMIT 6
"""


def overview(user: User, cursor: str = "") -> Panel:
    """Return the engines that a person sees, the sums over them and the latest cycles."""
    engines = Engine.objects.visible_to(user)
    found = page(
        order_by_name(engines), order=Order("name", descending=False), cursor=cursor, size=ENGINES_A_PAGE
    )
    cards = panels.overview(found.rows)
    for card in cards:
        card["spark"] = charts.sparkline(card["deltas"])
        card["interval"] = charts.foreseen_interval(card["foreseen"])
    cycles = Cycle.objects.visible_to(user)
    return {
        "engines": cards,
        "page": found,
        "tiles": _tiles(cards, user),
        "latest": [cycle_row(cycle) for cycle in listed(cycles.order_by("-pk"))[:LATEST]],
        "now": timezone.now(),
    }


def _tiles(cards: list[Panel], user: User) -> Panel:
    """Return the numbers on top: what runs and waits on these engines, and what failed in a day."""
    day_ago = timezone.now() - timedelta(days=1)
    bad = (CycleState.FAILED, CycleState.QUARANTINED)
    failed = Cycle.objects.visible_to(user).filter(state__in=bad, created_at__gte=day_ago)
    return {
        "engines": len(cards),
        "running": sum(1 for card in cards if card["running"]),
        "queued": sum(card["queued"] for card in cards),
        "paused": sum(card["paused"] for card in cards),
        "candidates": sum(card["candidates"] for card in cards),
        "promotions": sum(card["promotions"] for card in cards),
        "failed": capped_count(failed, 999),
    }


def system() -> Panel:
    """Return the health of every part, each process' sign of life and the size of the tables."""
    now = timezone.now()
    parts = [{"name": name, **part} for name, part in health.check().items() if name != "version"]
    return {
        "parts": parts,
        "ready": all(part["ok"] for part in parts),
        "beats": [_beat(beat, (now - beat.at).total_seconds()) for beat in ServiceBeat.objects.all()[:200]],
        "database": _database(),
        "tables": _tables(),
        "sandbox": sandbox(),
        "now": now,
    }


def sandbox() -> Panel:
    """Return which layers of the sandbox hold on the web's machine; `problem` says why it isn't known."""
    try:
        found = probe().as_data()
    except (OSError, SandboxUnavailable, EOFError) as error:
        return {"problem": f"It can't be asked: {error}", "layers": []}
    layers = [{"name": name, **layer} for name, layer in found["layers"].items()]
    return {**found, "problem": "", "layers": layers}


def _beat(beat: ServiceBeat, age: float) -> Panel:
    """Return one process; late and gone are different things."""
    state = "up-to-date" if age < LATE_SECONDS else ("late" if age < GONE_SECONDS else "away")
    words = {"up-to-date": "answers", "late": "late", "away": "gone"}
    return {
        "service": beat.service,
        "name": beat.name,
        "at": beat.at,
        "state": state,
        "word": words[state],
        **_shown(beat),
    }


def _shown(beat: ServiceBeat) -> Panel:
    detail = beat.detail if isinstance(beat.detail, dict) else {}
    return {"processes": detail.get("processes")}


def _database() -> Panel:
    with connection.cursor() as cursor:
        cursor.execute(DATABASE)
        version, size, connections = cursor.fetchone()
    return {"version": version, "size": size, "connections": connections}


def _tables() -> list[Panel]:
    """Return the largest tables with the planner's estimate of their rows: counting them would walk them."""
    with connection.cursor() as cursor:
        cursor.execute(BIG_TABLES)
        return [{"name": name, "rows": rows, "size": size} for name, rows, size in cursor.fetchall()]
