"""Rows full of attacks: no page runs them, sends anything elsewhere or breaks the content security policy."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from engines.models import Cycle, Engine
from tests.end_to_end.browsing import Watched, sign_in
from tests.factories import (
    make_beat,
    make_cycle,
    make_day,
    make_engine,
    make_entry,
    make_point,
    make_roi_event,
    make_steps,
    make_version,
)

pytestmark = pytest.mark.django_db(transaction=True)
EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg onload=alert(3)>"
    '<a href="javascript:alert(4)">{{7*7}}</a>'
)
SHORT = "<img src=//evil.example/x onerror=alert(5)>"
SITE = (
    "/",
    "/cycles/",
    "/cycles/{}/",
    "/cycles/{}/audit/",
    "/cycles/{}/logs/?q=<",
    "/cycles/compare/?ids={},{other}&all=1",
    "/engines/alpha/",
    "/engines/alpha/edit/",
    "/engines/alpha/audit/",
    "/system/",
    "/audit/",
    "/account/",
)
INJECTION = """() => {
  const script = document.createElement("script");
  script.textContent = "window.ran = 1";
  document.body.append(script);
}"""
ADMIN = (
    "/admin/", "/admin/engines/engine/", "/admin/engines/engine/{engine}/change/", "/admin/engines/cycle/",
    "/admin/engines/cycle/{}/change/", "/admin/engines/cyclestep/", "/admin/engines/cycletally/",
    "/admin/engines/modelversion/", "/admin/forecasting/metricpoint/", "/admin/forecasting/metricdaily/",
    "/admin/forecasting/roievent/", "/admin/menace_site/apitoken/", "/admin/menace_site/auditentry/",
    "/admin/menace_site/servicebeat/", "/admin/menace_site/idempotencykey/", "/admin/menace_site/preference/",
)  # fmt: skip


def poison() -> Cycle:
    """Put attacks into every field that a bot, a program or a person fills."""
    manifest = {"pipeline": EVIL, "value": {EVIL: EVIL}}
    engine = make_engine("alpha", repository=EVIL, manifest=manifest, state_path=EVIL)
    make_version(engine, metrics={EVIL: 1.0}, params={EVIL: EVIL}, commit=SHORT[:40], sha256=EVIL[:64])
    make_roi_event("alpha", source=SHORT[:64], action=EVIL[:64])
    make_roi_event("alpha", ema=0.1)
    make_point("alpha", SHORT, source=EVIL[:64])
    make_day("alpha", engine.created_at.date(), SHORT)
    make_beat(name=EVIL[:150])
    reason = {"code": EVIL, "detail": EVIL, "metric": EVIL, "value": 1, "threshold": 2}
    decision = {"run": True, "energy": 1, "energy_factors": {EVIL: 2}, "reasons": [reason]}
    cycle = make_cycle(
        engine, message=EVIL, requested_label=EVIL[:150], decision=decision, lease_owner=EVIL[:120]
    )
    make_steps(cycle)
    result = {"verdict": EVIL, "warnings": [EVIL], "significance": {EVIL: EVIL}, "search": {EVIL: EVIL}}
    sides = {"champion": {"metrics": {EVIL: 1}}, "challenger": {"metrics": {EVIL: 2}, "params": {EVIL: EVIL}}}
    cycle.steps.update(
        note=EVIL, error=f"{EVIL}\n{EVIL}", log=EVIL, state="failed", result={**result, **sides}
    )
    make_entry(target=f"cycle:{cycle.pk}", verb=SHORT[:40], actor=EVIL[:150], detail={EVIL: EVIL})
    make_entry(target="engine:alpha", actor=EVIL[:150])
    return cycle


@pytest.fixture
def web(page: Page, live_server: LiveServer) -> Watched:
    """An administrator at the browser."""
    return sign_in(page, live_server.url, "admin")


@pytest.mark.parametrize("address", [*SITE, *ADMIN])
def test_nothing_runs_and_nothing_leaves(web: Watched, address: str) -> None:
    cycle = poison()
    other = make_cycle(Engine.objects.get(), message=EVIL)
    page = web.go(address.format(cycle.pk, other=other.pk, engine=Engine.objects.get().pk))
    page.wait_for_timeout(150)
    for fold in page.locator("main details:not(.menu) > summary").all():
        fold.click()
    assert web.complaints() == []
    assert page.locator("img[src='x'], img[src*='evil'], a[href^='javascript']").count() == 0


def test_attacks_in_figures_stay_text(web: Watched) -> None:
    poison()
    page = web.go("/engines/alpha/")
    expect(page.locator("#chart-metric")).to_have_attribute("data-drawn", "yes")
    page.locator("#chart-metric").hover()
    assert page.locator("#chart-metric img, #chart-metric a").count() == 0
    assert web.complaints() == []


@pytest.mark.parametrize(
    "query",
    ["q=<script>alert(1)</script>", "engine='\"><img src=x onerror=alert(1)>", "order=%22onload=alert(1)"],
)
def test_attacks_in_the_address_stay_text(web: Watched, query: str) -> None:
    web.go(f"/cycles/?{query}")
    assert web.complaints() == []


def test_the_policy_allows_no_inline_script_and_no_eval(web: Watched) -> None:
    web.go("/")
    policy = web.page.request.get(f"{web.base}/").headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src "))
    assert scripts == "script-src 'self'"
    assert "frame-ancestors 'none'" in policy
    assert web.page.request.get(f"{web.base}/").headers["x-content-type-options"] == "nosniff"


def test_an_inline_script_would_be_stopped(web: Watched) -> None:
    page = web.go("/")
    page.evaluate(INJECTION)
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in error for error in web.errors)
