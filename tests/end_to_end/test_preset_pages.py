"""The pages of scenario presets in a real Chromium."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from orphans.models import ScenarioPreset
from tests.end_to_end.browsing import Watched, sign_in
from tests.factories import make_preset

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 844}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PAGES = ("/presets/", "/presets/-/new/", "/presets/mine/", "/presets/mine/edit/")


@pytest.fixture
def web(page: Page, live_server: LiveServer) -> Watched:
    """An approver at the browser."""
    return sign_in(page, live_server.url)


def test_a_preset_is_made_from_a_canonical_one_and_deleted(web: Watched) -> None:
    page = web.go("/presets/")
    page.get_by_role("row", name="concurrency_spike_low").get_by_role("link", name="Start from it").click()
    expect(page.get_by_label("THREAD_BURST")).to_have_value("10")
    page.get_by_label("Name", exact=True).fill("mine")
    page.get_by_label("MEMORY_LIMIT").fill("1 ms")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("has the unit 'ms'")).to_be_visible()
    page.get_by_label("MEMORY_LIMIT").fill("1Gi")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", name="mine")).to_be_visible()
    expect(page.get_by_role("row", name="THREAD_BURST")).to_contain_text("10 threads call at once")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.get_by_text("mine was deleted")).to_be_visible()
    assert not ScenarioPreset.objects.exists()
    assert [words for words in web.complaints() if "422" not in words] == []  # the refusal above


def test_no_row_hides_behind_the_head_of_its_table(web: Watched) -> None:
    make_preset("mine", THREAD_BURST=5)
    page = web.go("/presets/")
    head, row = (page.locator(f"table.rows {part}").first.bounding_box() for part in ("thead tr", "tbody tr"))
    assert head is not None
    assert row is not None
    assert row["y"] >= head["y"] + head["height"] - 1


@pytest.mark.parametrize("address", PAGES)
def test_the_pages_fit_a_phone_and_break_no_rule(web: Watched, address: str) -> None:
    make_preset("mine", THREAD_BURST=5, NETWORK_LATENCY_MS=200, GPU_LIMIT=1)
    page = web.go(address)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert page.evaluate(OVERFLOW) <= 0
    assert web.complaints() == []


def test_the_names_of_the_pages_are_not_broken_on_a_phone(web: Watched) -> None:
    page = web.go("/presets/")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    links = page.get_by_role("navigation", name="Main").get_by_role("link").all()
    heights = [box["height"] for link in links if (box := link.bounding_box())]
    assert len(heights) >= 4
    assert max(heights) < 40
