"""The orphans' pages in Chromium: rows full of attacks, widths and themes, keyboard and mouse."""

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from engines.services import orphan_work
from orphans.models import ModuleMapEntry, OrphanModule, OrphanTally
from tests.end_to_end.browsing import Watched, sign_in
from tests.end_to_end.test_pages_hostile import EVIL, SHORT
from tests.engines.repositories import make_repository
from tests.factories import make_engine, make_entry, make_revision
from tests.orphans.rows import make_batch, make_module, make_run, make_scan

pytestmark = pytest.mark.django_db(transaction=True)

UNSEEN = "\u202e\u2066\u200b\x1b[31m\x07"
WORST = UNSEEN + EVIL
FILE = "pkg/'\"><img src=x onerror=alert(9)>.py"
SOURCE = f"'''{EVIL}'''\n</code></pre><script>alert(6)</script> = 1  # \u202e{SHORT}\nx = \"{{{{7*7}}}}\"\n"
PAGES = (
    "/orphans/?state=all",
    "/orphans/?q=<img src=x>&engine='\"><script>",
    '/orphans/?order="onload=alert(1)&confidence_min=<',
    "/orphans/{module}/",
    "/orphans/{module}/source/",
    "/orphans/{module}/twin/",
    "/orphans/{module}/audit/",
    "/orphans/runs/{run}/",
    "/orphans/scans/",
    "/orphans/scans/{scan}/",
    "/orphans/self-tests/",
    "/orphans/self-tests/{batch}/",
    "/orphans/revisions/",
    "/orphans/revisions/{revision}/",
    "/admin/orphans/orphanmodule/",
    "/admin/orphans/orphanmodule/{module}/change/",
    "/admin/orphans/modulerun/",
    "/admin/orphans/modulerun/{run}/change/",
    "/admin/orphans/selftestrun/{batch}/change/",
    "/admin/orphans/scanrun/{scan}/change/",
    "/admin/orphans/modulemapentry/",
    "/admin/orphans/orphantally/",
    "/admin/engines/workflowrevision/{revision}/change/",
)


NAME = """e => e.getAttribute("aria-label") || e.textContent.trim() || e.title
  || e.labels?.[0]?.textContent"""


def poison(root: Path) -> dict[str, int]:
    """Put attacks into every field that a bot, a program or a person fills; return the rows' ids."""
    cache.clear()
    repository = make_repository(root / "bot", {FILE: SOURCE, "ok.py": "x = 1\n"})
    engine = make_engine("alpha", repository=str(repository))
    fact = {"kind": WORST, "detail": WORST, "path": FILE, "line": 1}
    make_scan()
    scan = make_scan(
        source=EVIL[:64],
        repository=EVIL,
        message=EVIL,
        counts={EVIL: 3},
        changes={"new": [WORST], "gone": [FILE]},
        unreadable={WORST: WORST},
        options={EVIL: EVIL},
    )
    words: dict[str, Any] = {
        "reason": WORST,
        "state_reason": WORST,
        "decided_label": EVIL[:150],
        "evidence": [fact],
    }
    ties: dict[str, Any] = {
        "parents": [WORST, FILE],
        "chain": [WORST, FILE],
        "twin": WORST,
        "similarity": 0.5,
        "head": WORST,
    }
    module = make_module(path=FILE, state="passed", **words, **ties)
    make_module(path=f"{UNSEEN}{SHORT}", parents=[FILE], state="testing", **words)
    batch = make_batch(source=EVIL[:64], requested_label=EVIL[:150], message=EVIL, total=1, state="running")
    run = make_run(batch, FILE, module=module, state="failed", **_observed())
    root_revision = make_revision(engine, workflow=SHORT, steps=[EVIL], input=EVIL, created_label=EVIL[:150])
    revision = make_revision(
        engine, "candidate", parent=root_revision, workflow=SHORT, steps=[EVIL, WORST], **_proposed()
    )
    make_entry(target=f"orphan:{module.pk}", verb=SHORT[:40], actor=EVIL[:150], detail={WORST: WORST})
    ModuleMapEntry.objects.create(subject="alpha", path=FILE, group=1, provenance={EVIL: EVIL})
    OrphanTally.objects.create(subject="alpha", name=SHORT[:32], count=1)
    failed = {"kind": "scan", "engine_id": engine.pk, "paths": [], "by": {"label": EVIL}}
    orphan_work.failed(failed, WORST)
    found = {"module": module, "scan": scan, "batch": batch, "run": run, "revision": revision}
    return {name: row.pk for name, row in found.items()}


def _observed() -> dict[str, Any]:
    return {
        "reason": WORST,
        "exception": WORST,
        "output_tail": WORST,
        "tests": [WORST],
        "calls": [WORST],
        "file_writes": 1,
        "examples": {"file_writes": [WORST]},
        "guarantees": {EVIL: False},
    }


def _proposed() -> dict[str, Any]:
    conditions = [{"name": EVIL, "ok": False, "seen": WORST}]
    side = {"runs": EVIL, "successes": EVIL, "outcomes": [EVIL]}
    return {
        "inserted_step": EVIL,
        "module_path": FILE,
        "evidence": {"preconditions": conditions, "match": {EVIL: EVIL}, "refused": WORST},
        "benchmark": {EVIL: EVIL, "presets": {EVIL: {"parent": side, "candidate": side}}},
    }


@pytest.fixture
def web(page: Page, live_server: LiveServer) -> Watched:
    """An administrator at the browser."""
    return sign_in(page, live_server.url, "admin")


@pytest.mark.parametrize("address", PAGES)
def test_nothing_runs_and_nothing_leaves(web: Watched, tmp_path: Path, address: str) -> None:
    page = web.go(address.format(**poison(tmp_path)))
    page.wait_for_timeout(150)
    page.evaluate(
        "document.querySelectorAll('main details:not(.menu)').forEach((fold) => (fold.open = true))"
    )
    assert web.complaints() == []
    assert page.locator("img[src='x'], img[src*='evil'], a[href^='javascript']").count() == 0
    if not address.startswith("/admin/"):
        text = page.locator("body").text_content() or ""
        assert not set("\u202e\u2066\u200b\x1b\x07") & set(text)


def test_rows_that_come_anew_run_nothing(web: Watched, tmp_path: Path) -> None:
    poison(tmp_path)
    page = web.page
    with page.expect_response(lambda answer: "/orphans/news/" in answer.url):
        web.go("/orphans/?state=all")
    page.wait_for_timeout(150)
    assert page.locator("tr[data-open] img").count() == 0
    assert web.complaints() == []


WIDTHS = (1440, 390)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_its_window(web: Watched, tmp_path: Path, width: int, theme: str) -> None:
    ids = poison(tmp_path)
    web.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    web.page.set_viewport_size({"width": width, "height": 900})
    too_wide = {}
    for address in PAGES:
        if address.startswith("/admin/"):
            continue
        page = web.go(address.format(**ids))
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            too_wide[address] = over
    assert too_wide == {}


def test_every_control_has_a_name(web: Watched, tmp_path: Path) -> None:
    ids = poison(tmp_path)
    for address in (
        "/orphans/?state=all",
        "/orphans/{module}/",
        "/orphans/self-tests/{batch}/",
        "/orphans/scans/",
    ):
        page = web.go(address.format(**ids))
        for control in page.locator("main button, main a, main input:not([type=hidden]), main select").all():
            assert control.evaluate(NAME), (address, control.evaluate("e => e.outerHTML"))


def test_retiring_by_keyboard_and_taking_it_back(web: Watched) -> None:
    make_engine("alpha")
    rows = [make_module(path=f"pkg/m{number}.py") for number in range(3)]
    page = web.go("/orphans/?order=path")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("1 ticked")
    page.get_by_role("button", name="Retire").click()
    expect(page.locator("#confirm")).to_contain_text("Retire 1 module?")
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.locator(".note.success")).to_contain_text("1 module retired")
    assert OrphanModule.objects.get(pk=rows[0].pk).state == "retired"
    page.locator("#act-undo").click()
    expect(page.locator(".note.success")).to_contain_text("is as before")
    assert OrphanModule.objects.get(pk=rows[0].pk).state == "found"
    assert web.complaints() == []


def test_verdicts_stream_in_without_a_reload(web: Watched) -> None:
    make_engine("alpha")
    batch = make_batch(state="running", total=2)
    first, second = make_run(batch, "a.py", state="running"), make_run(batch, "b.py")
    page = web.go(f"/orphans/self-tests/{batch.pk}/")
    expect(page.locator(f"#r{first.pk} .state")).to_have_text("running")
    for run in (first, second):
        type(run).objects.filter(pk=run.pk).update(state="passed")
    expect(page.locator(f"#r{first.pk} .state")).to_have_text("passed")
    expect(page.locator("#live")).to_contain_text("2 of 2 have a verdict")
    type(batch).objects.filter(pk=batch.pk).update(state="done")
    expect(page.locator("#live")).to_have_attribute("data-state", "done")
    assert page.locator("#live[hx-trigger]").count() == 0


def test_the_module_page_loads_its_source_and_a_line_can_be_pointed_at(web: Watched, tmp_path: Path) -> None:
    ids = poison(tmp_path)
    page = web.go(f"/orphans/{ids['module']}/")
    expect(page.locator("#source .source li")).to_have_count(3)
    web.go(f"/orphans/{ids['module']}/source/#L2")
    expect(page.locator("#L2")).to_be_in_viewport()
    page.locator("nav.tabs").get_by_text("Overview").click()
    page.locator("svg.near a").first.focus()
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(f"/orphans/{ids['module']}/")


def test_a_page_of_modules_is_retired_and_taken_back_by_keys(page: Page, live_server: LiveServer) -> None:
    make_engine("alpha")
    for number in range(3):
        make_module(path=f"m{number}.py")
    web = sign_in(page, live_server.url)
    web.go("/orphans/?engine=alpha")
    page.locator("summary", has_text="Columns").click()
    page.get_by_label("Twin", exact=True).uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.locator("[data-bulk-count]")).to_have_text("3 ticked")
    page.keyboard.press("b")
    expect(page.locator("[data-bulk-act=Test]")).to_be_focused()
    page.locator("[data-bulk-act=Retire]").press("Enter")
    page.locator("[data-agree]").press("Enter")
    expect(page.locator(".note.success")).to_contain_text("3 modules retired")
    page.keyboard.press("u")
    page.keyboard.press("Enter")
    expect(page.locator(".note.success")).to_contain_text("3 modules are as before")
    expect(page.locator("th.c-twin")).to_be_hidden()
    expect(page.locator("th.c-class")).to_be_visible()
    assert set(OrphanModule.objects.values_list("state", flat=True)) == {"found"}
    assert web.complaints() == []
