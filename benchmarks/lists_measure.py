"""What `lists.py` measures, once the settings point at its private servers."""

import argparse
import json
import secrets
import socket
import statistics
from datetime import timedelta
from io import StringIO
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import Group, User
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.test import Client
from django.urls import clear_url_caches, path
from django.utils import timezone
from page_cost import Request, export, in_process, machine, over_http, queries, web_server
from playwright.sync_api import sync_playwright

from engines.models import Cycle
from menace_site import urls
from menace_site.testing.browser import ARGUMENTS, find_chromium
from menace_site.tokens import create_token

SMALL = 1_000
PASSWORD = secrets.token_urlsafe(16)
Figures = dict[str, dict[str, Any]]


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure with few rows, then with many."""
    connection.settings_dict["CONN_MAX_AGE"] = None  # one session to the end: its CPU is measured too
    connection.close()
    handler = WSGIHandler()
    headers = clients()
    make(SMALL)
    small = {request.name: measure(handler, request, options.rounds) for request in requests(headers)}
    seeding = make(options.cycles - SMALL)
    pages = {request.name: measure(handler, request, options.rounds) for request in requests(headers)}
    for name, figures in pages.items():
        figures["growth"] = round(figures["cpu_ms"] / small[name]["cpu_ms"], 2)
        figures["to_anchor"] = round(figures["cpu_ms"] / pages["anchor"]["cpu_ms"], 2)
    measure_served(pages, headers, options)
    pages["making the rows"] = {"seconds": seeding["seconds"]}
    return {
        "machine": machine(),
        "cycles": options.cycles,
        "seeding": seeding,
        "small": small,
        "pages": pages,
    }


def make(cycles: int) -> dict[str, Any]:
    """Add so many made cycles."""
    out = StringIO()
    call_command("benchmark_data", cycles=cycles, json=True, stdout=out)
    done: dict[str, Any] = json.loads(out.getvalue())
    return done


def clients() -> dict[str, dict[str, str]]:
    """Return the headers of a signed-in operator, of a program with a token, and of a superuser."""
    ada = User.objects.create_user("ada", password=PASSWORD)
    ada.groups.add(Group.objects.get(name="operator"))
    _, secret = create_token(
        ada, name="bench", scopes=["read"], expires_at=timezone.now() + timedelta(days=1)
    )
    browser = Client()
    browser.force_login(ada)
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    return {"page": {"Cookie": cookie}, "api": {"Authorization": f"Bearer {secret}"}, "scrape": {}}


def requests(headers: dict[str, dict[str, str]]) -> list[Request]:
    """Return the pages to measure."""
    newest = Cycle.objects.values_list("id", flat=True)[0]
    install_anchor()
    return [
        Request("anchor", "/anchor", headers["scrape"]),
        Request("api list of 100", "/api/cycles/?size=100", headers["api"]),
        Request("overview", "/", headers["page"]),
        Request("cycle list", "/cycles/", headers["page"]),
        Request("engine page", "/engines/bench-000/", headers["page"]),
        Request("cycle page", f"/cycles/{newest}/", headers["page"]),
        Request("search, common", "/cycles/?q=retrain", headers["page"]),
        Request("search, nothing", "/cycles/?q=nothing+like+this", headers["page"]),
        Request("ROI figure", "/engines/bench-000/charts/roi.json", headers["page"]),
        Request("metrics", "/metrics", headers["scrape"]),
    ]


def install_anchor() -> None:
    """Add the bare list to the site's addresses, in this process alone."""
    columns = ("id", "engine__name", "state", "created_at", "duration", "roi_delta")

    def anchor(request: HttpRequest) -> JsonResponse:
        return JsonResponse({"rows": list(Cycle.objects.order_by("-id").values(*columns)[:100])})

    if not any(getattr(pattern, "name", "") == "anchor" for pattern in urls.urlpatterns):
        urls.urlpatterns.append(path("anchor", login_not_required(anchor), name="anchor"))
        clear_url_caches()


def measure(handler: WSGIHandler, request: Request, rounds: int) -> dict[str, Any]:
    """Return the figures of one page, in this process."""
    return {**in_process(handler, request, rounds), **queries(handler, request)}


def measure_served(pages: Figures, headers: dict[str, dict[str, str]], options: argparse.Namespace) -> None:
    """Add what the pages cost over HTTP and in a browser."""
    port = free_port()
    with web_server(port) as pid:
        for request in requests(headers):
            if request.name != "anchor":
                pages[request.name].update(over_http(port, pid, request, options.rounds))
        everything = Request("export", "/cycles/export.csv", headers["page"])
        pages["export of all"] = export(port, pid, everything, options.cycles)
        if not options.no_browser:
            for request in requests(headers):
                if request.name in ("overview", "cycle list", "engine page", "cycle page"):
                    pages[request.name].update(in_browser(port, request))


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


PAINTED = """() => {
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    const nav = performance.getEntriesByType('navigation')[0];
    const files = performance.getEntriesByType('resource').filter(e => !/plotly|chart/i.test(e.name));
    return {
        content_ms: Math.max(paint ? paint.startTime : 0, nav.domContentLoadedEventEnd),
        loaded_bytes: nav.transferSize + files.reduce((sum, e) => sum + e.transferSize, 0),
    };
}"""


def in_browser(port: int, request: Request, times: int = 5) -> dict[str, float]:
    """Return when the content stood there (median of first visits) and what was loaded without charts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(find_chromium()), args=[*ARGUMENTS, "--no-sandbox"]
        )
        visits = [_visit(browser, port, request) for _ in range(times)]
        browser.close()
    return {name: round(statistics.median(visit[name] for visit in visits)) for name in visits[0]}


def _visit(browser: Any, port: int, request: Request) -> dict[str, float]:
    """Visit with an empty cache."""
    name, _, value = request.headers["Cookie"].partition("=")
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{port}"}])
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}{request.path}", wait_until="load")
    page.wait_for_selector("main")
    page.wait_for_timeout(300)
    figures: dict[str, float] = page.evaluate(PAINTED)
    context.close()
    return figures
