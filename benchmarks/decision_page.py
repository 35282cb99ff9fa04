#!/usr/bin/env python3
"""Cost of the page that a promotion is decided on, with 10,000 points of history, beside the same with 10.

    .venv/bin/python benchmarks/decision_page.py [--points 10000] [--rounds 20] [--json FILE]

Starts an embedded PostgreSQL and Valkey of its own in a temporary folder, makes one engine with so many ROI
events and forecasts, and one with ten of each, and asks for the warm pages through Django's WSGI handler in
this process: CPU of the web side and of its database session apart, the best of three medians. Exit code 1
when a bar is missed.
"""

import argparse
import sys
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.private import ended, private_servers

CPU_MS = 100.0
QUERIES = 12
FEW = 10
WORKFLOWS = 20
Report = dict[str, Any]


def main() -> int:
    """Measure, print and compare with the bars."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with private_servers("decision", MENACE_API_RATE="100000/s"):
        report = measured(options.points, options.rounds)
    print_report(report)
    return ended(report, options.json)


def measured(points: int, rounds: int) -> Report:
    """Fill both engines and return what their pages cost."""
    sizes = {"many": points, "few": FEW}
    ids = {name: fill(name, count) for name, count in sizes.items()}
    pages = {name: costs(name, pk, rounds) for name, pk in ids.items()}
    missed = list(misses(pages["many"]))
    machine = import_module("page_cost").machine()
    return {"machine": machine, "points": points, "rounds": rounds, "pages": pages, "missed": missed}


def fill(name: str, points: int) -> int:
    """Make an engine with its history and a promotion of it; return the promotion's id."""
    from django.utils import timezone  # once Django is set up

    from forecasting.models import Forecast, RoiEvent
    from tests.factories import make_engine
    from tests.forecasting.rows import make_forecast
    from tests.web.promotion_rows import FORECAST, make_promotion

    engine, now = make_engine(name), timezone.now()
    RoiEvent.objects.bulk_create(
        [
            RoiEvent(
                subject=name,
                source=f"cycle:{place}",
                action="retrain",
                delta=0.01,
                roi_after=0.5 + place % 7 / 10,
                at=now - timedelta(hours=points - place),
            )
            for place in range(points)
        ],
        batch_size=1_000,
    )
    plain = make_forecast(name, source="cycle:0", actual=[1.0, 1.2, 0.8, 1.1, 1.0], settled_at=now)
    columns = {field.attname: getattr(plain, field.attname) for field in Forecast._meta.concrete_fields}
    columns.pop("id")
    Forecast.objects.bulk_create(
        [Forecast(**{**columns, "source": f"cycle:{place}"}) for place in range(1, points)], batch_size=1_000
    )
    dependants = {f"workflow-{number}": 0.01 * number for number in range(WORKFLOWS)}
    frozen = {**FORECAST, "subject": name, "source": f"cycle:{points - 1}", "at": now.isoformat()}
    history = [0.5 + place % 7 / 10 for place in range(60)]
    parts = {"forecast": frozen, "history": history, "impact": {"dependants": dependants}}
    return make_promotion(engine, kind="workflow", evidence=parts).pk


def costs(name: str, pk: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return the cost of each page about one engine."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import connection
    from django.test import Client

    from tests.factories import make_user

    cost = import_module("page_cost")
    connection.settings_dict["CONN_MAX_AGE"] = None  # one session to the end: its CPU is measured too
    connection.close()
    client, handler = Client(), WSGIHandler()
    client.force_login(make_user("approver"), backend="django.contrib.auth.backends.ModelBackend")
    headers = {"Cookie": f"sessionid={client.cookies['sessionid'].value}", "Host": "127.0.0.1"}
    paths = {
        "decision page": f"/promotions/{pk}/",
        "its figure": f"/promotions/{pk}/forecast.json",
        "its figure, 2,000 cycles": f"/promotions/{pk}/forecast.json?shown=2000",
        "what changed since": f"/promotions/{pk}/freshness/",
        "forecasts of the engine": f"/engines/{name}/forecasts/",
        "evaluation dashboard": f"/forecasts/?engine={name}",
        "list of promotions": "/promotions/?state=all",
    }
    asked = [cost.Request(title, path, headers) for title, path in paths.items()]
    return {
        each.name: {**cost.in_process(handler, each, rounds), **cost.queries(handler, each)} for each in asked
    }


def misses(pages: dict[str, dict[str, float]]) -> list[str]:
    """Return what is over its bar."""
    spent = sum(pages[title]["cpu_ms"] for title in ("decision page", "its figure"))
    found = [] if spent <= CPU_MS else [f"decision page with its figure: {spent:.0f} ms, over {CPU_MS:.0f}"]
    return found + [
        f"{title}: {each['queries']:.0f} queries, over {QUERIES}"
        for title, each in pages.items()
        if each["queries"] > QUERIES
    ]


def print_report(report: Report) -> None:
    """Print one row a page: CPU with the long and with the short history, statements, bytes."""
    print(f"{'':28}{'CPU ms':>9}{'with 10':>9}{'DB ms':>8}{'queries':>9}{'KiB':>8}")
    for title, many in report["pages"]["many"].items():
        few = report["pages"]["few"][title]
        cells = (
            f"{many['cpu_ms']:9.1f}{few['cpu_ms']:9.1f}{many['database_cpu_ms']:8.1f}{many['queries']:9.0f}"
        )
        print(f"{title:28}{cells}{many['bytes'] / 1024:8.1f}")
    print("missed:", "; ".join(report["missed"]) or "none")


if __name__ == "__main__":
    sys.exit(main())
