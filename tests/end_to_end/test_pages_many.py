"""What people do with many cycles and long logs in Chromium: compare, act on all, undo, save, search."""

import re

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from engines.models import Cycle
from engines.views import bulk
from menace_site.models import AuditEntry, SavedView
from tests.end_to_end.browsing import Watched, sign_in
from tests.factories import make_cycle, make_cycles, make_engine, make_step

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def web(page: Page, live_server: LiveServer) -> Watched:
    """An approver at the browser."""
    return sign_in(page, live_server.url)


def test_two_ticked_cycles_are_compared_by_a_key(web: Watched) -> None:
    engine = make_engine()
    older, newer = make_cycle(engine, roi_delta=1.0), make_cycle(engine, roi_delta=1.5)
    page = web.go("/cycles/")
    compare = page.locator("[data-compare]")
    page.locator("input[name=id]").nth(0).click()
    expect(compare).to_be_hidden()
    page.locator("input[name=id]").nth(1).click()
    expect(compare).to_be_visible()
    page.keyboard.press("c")
    page.wait_for_url(re.compile(rf"/cycles/compare/\?ids={newer.pk}(,|%2C){older.pk}$"))
    row = page.get_by_role("row", name="ROI delta")
    expect(row).to_contain_text("+1.5")
    expect(row).to_contain_text("−0.5")  # noqa: RUF001
    page.get_by_role("link", name=f"Make cycle {older.pk} the baseline").click()
    expect(page.get_by_role("row", name="ROI delta")).to_contain_text("+0.5")
    assert web.complaints() == []


def test_all_that_match_are_taken_batch_by_batch_without_a_click(
    web: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 40)
    engine = make_engine("alpha")
    make_cycles(130, engine, state="queued")
    page = web.go("/cycles/?engine=alpha")
    page.locator("input[name=id]").nth(0).click()
    page.locator("[data-bulk-all]").check()
    page.locator("[data-bulk-act=Cancel]").click()
    expect(page.locator("#act-all")).to_have_text("Cancel 130 cycles")
    assert Cycle.objects.filter(state="queued").count() == 130
    page.locator("#act-all").click()
    expect(page.locator(".note.success")).to_contain_text("130 cycles cancelled", timeout=30_000)
    assert Cycle.objects.filter(state="cancelled").count() == 130
    assert AuditEntry.objects.filter(verb="cycle.cancel").count() == 130
    assert web.complaints() == []


def test_a_pause_is_taken_back_with_one_click(web: Watched) -> None:
    cycle = make_cycle(state="queued")
    page = web.go(f"/cycles/{cycle.pk}/")
    page.locator("#act-pause").click()
    expect(page.locator("#live")).to_have_attribute("data-state", "paused")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#live")).to_have_attribute("data-state", "queued")
    expect(page.locator("#act-undo")).to_have_count(0)
    assert web.complaints() == []


def test_a_view_is_saved_opened_and_dropped(web: Watched) -> None:
    make_cycle(state="done")
    make_cycle(state="failed")
    page = web.go("/cycles/?state=failed")
    page.locator("#views > summary").click()
    page.get_by_label("Save what is shown as").fill("what broke")
    page.get_by_label("open the list with it").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".note.success")).to_contain_text("what broke is kept")
    web.go("/cycles/")
    expect(page).to_have_url(re.compile("state=failed"))
    page.locator("#views > summary").click()
    expect(page.get_by_role("link", name="what broke")).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Drop what broke").click()
    page.locator("[data-agree]").click()
    expect(page.locator(".note.success")).to_contain_text("dropped")
    assert not SavedView.objects.exists()
    assert web.complaints() == []


def test_terms_typed_after_a_slash_filter_the_list(web: Watched) -> None:
    alpha = make_engine("alpha")
    hit = make_cycle(alpha, state="failed", roi_delta=2.0)
    make_cycle(alpha, state="failed", roi_delta=0.1)
    page = web.go("/cycles/")
    page.keyboard.press("/")
    page.keyboard.type("state:failed roi>0.5")
    page.keyboard.press("Enter")
    expect(page.locator("table#cycles tbody tr")).to_have_count(1)
    expect(page.locator(f"#c{hit.pk}")).to_be_visible()
    assert "state=failed" in page.url
    page.get_by_role("link", name="Drop ROI delta > 0.5").click()
    expect(page.locator("table#cycles tbody tr")).to_have_count(2)
    assert web.complaints() == []


def test_matches_in_a_log_are_jumped_to(web: Watched) -> None:
    cycle = make_cycle()
    make_step(cycle, log="\n".join(f"trial {number}" for number in range(400)) + "\nfault one\nx\nfault two")
    page = web.go(f"/cycles/{cycle.pk}/logs/?q=fault")
    expect(page.locator("#hit-1")).not_to_be_in_viewport()
    page.keyboard.press("n")
    expect(page.locator("#hit-1")).to_be_in_viewport()
    expect(page.locator("#hit-1")).to_have_class("at")
    page.get_by_role("button", name="Next match").click()
    expect(page.locator("[data-hit-at]")).to_have_text("2 of 2")
    page.keyboard.press("p")
    expect(page.locator("[data-hit-at]")).to_have_text("1 of 2")
    assert web.complaints() == []


def test_the_admin_follows_the_theme_of_the_other_pages_and_back(
    web: Watched, live_server: LiveServer
) -> None:
    page = web.page
    page.emulate_media(color_scheme="light")
    web = Watched(sign_in(page, live_server.url, "admin").page, live_server.url)
    web.go("/account/")
    page.locator("[data-theme-toggle]").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    web.go("/admin/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    page.locator("#header .theme-toggle").click()  # dark, light, the system's: light here
    web.go("/account/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    assert web.complaints() == []


@pytest.mark.parametrize(
    "address",
    [
        "/cycles/{0}/logs/?q=t",
        "/cycles/compare/?ids={0},{1}&all=1",
        "/admin/",
        "/admin/engines/cycle/",
        "/cycles/?q=foo:bar",
    ],
)
def test_a_page_fits_a_phone(page: Page, live_server: LiveServer, address: str) -> None:
    web = sign_in(page, live_server.url, "admin")
    cycles = [make_cycle(message="x" * 300) for _ in range(2)]
    make_step(cycles[0], log="t" * 500)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    web.go(address.format(*(cycle.pk for cycle in cycles)))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert web.complaints() == []


def test_the_overview_runs_a_cycle_from_a_phone(web: Watched) -> None:
    engine = make_engine("alpha")
    web.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page = web.go("/")
    page.get_by_role("button", name="Run a cycle of alpha").click()
    expect(page.locator(".note.success, .note.warning")).to_contain_text("is queued")
    assert Cycle.objects.filter(engine=engine).count() == 1


def test_the_row_that_the_keyboard_is_at_stays_when_the_page_renews_itself(web: Watched) -> None:
    make_engine("alpha")
    make_engine("beta")
    page = web.go("/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    row = page.locator("tr.at")
    expect(row).to_have_attribute("data-href", "/engines/beta/")
    with page.expect_response(lambda response: response.request.headers.get("hx-request") == "true"):
        page.evaluate("document.querySelector('#live').dataset.old = 'yes'")
    expect(page.locator("#live:not([data-old])")).to_be_visible()
    expect(row).to_have_attribute("data-href", "/engines/beta/")
    expect(row.locator("a").first).to_be_focused()
    assert web.complaints() == []


def test_a_focused_button_keeps_the_focus_when_the_page_renews_itself(web: Watched) -> None:
    engine = make_engine("alpha")
    page = web.go("/")
    page.locator(f"#run-{engine.pk}").focus()
    page.evaluate("document.querySelector('#live').dataset.old = 'yes'")
    expect(page.locator("#live:not([data-old])")).to_be_visible(timeout=9_000)
    expect(page.locator(f"#run-{engine.pk}")).to_be_focused()


@pytest.mark.parametrize("menu", ["#views", "#query-help", "details:has([data-columns])"])
def test_a_menu_opens_inside_a_phones_screen(web: Watched, menu: str) -> None:
    make_cycle()
    web.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page = web.go("/cycles/")
    page.locator(f"{menu} > summary").click()
    box = page.locator(f"{menu} > .sheet").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
