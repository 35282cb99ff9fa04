"""The pages of promotions and forecasts in Chromium: figures, attacks, a phone's width, a decision."""

from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from engines.models import Engine, Promotion, WorkflowEdge
from engines.services import promotions as services
from tests.end_to_end.browsing import sign_in
from tests.end_to_end.test_pages_hostile import EVIL
from tests.engines import promoting
from tests.factories import make_roi_event
from tests.forecasting.rows import make_forecast, make_sample
from tests.web.promotion_rows import FORECAST, make_promotion

pytestmark = pytest.mark.django_db(transaction=True)

PHONE: ViewportSize = {"width": 390, "height": 844}
CAME = [1.0, 2.0, 3.0, 4.0, 5.0]
NAMED = """() => [...document.querySelectorAll("button, a[href], input:not([type=hidden]), select, textarea")]
  .filter(e => !(e.getAttribute("aria-label") || e.textContent.trim() || e.title))
  .filter(e => !e.labels?.[0]?.textContent.trim()).map(e => e.outerHTML)"""


def poison() -> Promotion:
    """Put attacks into every text that a bot or a program fills."""
    cache.clear()
    engine = Engine.objects.create(name="alpha", repository="/nowhere")
    for number in range(30):
        make_roi_event("alpha", 0.1, source=f"cycle:{number}", roi_after=number / 30)
    for subject in ("alpha", f"alpha/{EVIL}"[:128]):
        make_forecast(subject, actual=CAME, growth="linear", model=EVIL[:64], reason=EVIL, source="cycle:29")
    make_sample(EVIL[:64], -0.2, synergy_roi=0.1)
    WorkflowEdge.objects.create(engine=engine, source="score", target="report", data=0.5)
    bad: dict[str, Any] = {"reason": EVIL, "model": EVIL, "source": "cycle:29", "growth": EVIL}
    parts = {
        "forecast": {**FORECAST, **bad, "subject": "alpha", "probabilities": {EVIL: 0.7, "Stable": 0.3}},
        "impact": {"dependants": {"report": -0.1, EVIL: 0.2}, "source": EVIL},
        "commit": EVIL,
    }
    return make_promotion(engine, kind="workflow", evidence=parts, requested_label=EVIL[:150], message=EVIL)


def test_the_pages_hold_attacks_figures_and_a_phones_width(page: Page, live_server: LiveServer) -> None:
    promotion = poison()
    watched = sign_in(page, live_server.url)
    charts = {
        f"/promotions/{promotion.pk}/": 1,
        "/engines/alpha/forecasts/": 1,
        "/forecasts/?engine=alpha": 3,
        "/promotions/?state=all": 0,
        "/forecasts/models/": 0,
    }
    for size in (None, PHONE):
        if size:
            page.set_viewport_size(size)
        for address, count in charts.items():
            watched.go(address)
            expect(page.locator("[data-drawn]")).to_have_count(count)
            assert page.evaluate(NAMED) == [], address
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= page.evaluate("innerWidth"), address
    assert watched.complaints() == []


def test_an_approver_decides_by_keyboard_and_takes_it_back(page: Page, live_server: LiveServer) -> None:
    cache.clear()
    promotion = promoting.make_promotion()
    watched = sign_in(page, live_server.url)
    watched.go(f"/promotions/{promotion.pk}/")
    expect(page.locator("#fresh")).to_be_visible()
    page.locator("#reason").fill("pays, and the forecast is stable")
    page.locator("#act-approve").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".note.success")).to_contain_text("Approved")
    assert services.apply(promotion.pk) == "applied"
    expect(page.locator("#see-rollback")).to_be_visible()  # the page follows by itself
    page.locator("#see-rollback").click()
    expect(page.locator("#preview")).to_contain_text("champion")
    page.locator("#reason").fill("worse than said")
    page.locator("#act-rollback").click()
    expect(page.locator("#decide")).to_contain_text("rolled back")
    promotion.refresh_from_db()
    assert promotion.state == "rolled_back"
    assert watched.complaints() == []
