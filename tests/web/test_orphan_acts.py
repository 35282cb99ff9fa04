"""Acts on orphan modules by page: one, ticked ones, all that match; undo; what became of them."""

import pytest
from django.core.cache import cache
from django.test import Client

from engines.services import orphan_acts
from engines.views import bulk, undo
from menace_site.models import AuditEntry
from orphans.models import OrphanModule, SelfTestRun
from tests.factories import make_engine, make_revision, make_team
from tests.orphans.rows import make_batch, make_module, make_run, make_scan
from tests.web.test_queries import statements

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _alpha(db: None) -> None:
    cache.clear()
    make_engine("alpha")


def states(*modules: OrphanModule) -> list[str]:
    return [OrphanModule.objects.get(pk=module.pk).state for module in modules]


class TestTicked:
    """The rows that somebody ticked."""

    def test_retiring_touches_only_the_ticked_ones_and_can_be_undone(self, operator: Client) -> None:
        one, other, third = make_module(), make_module(state="passed"), make_module()
        response = operator.post("/orphans/bulk/retire/", {"id": [one.pk, other.pk]}, follow=True)
        assert "2 modules retired" in response.content.decode()
        assert states(one, other, third) == ["retired", "retired", "found"]
        operator.post("/undo/", {"key": operator.session["undo"]["key"]})
        assert states(one, other, third) == ["found", "passed", "found"]
        assert AuditEntry.objects.filter(verb="orphan.restore").count() == 2

    def test_what_an_act_does_not_fit_is_told(self, operator: Client) -> None:
        gone = make_module(state="gone", path="lost.py")
        response = operator.post("/orphans/bulk/retire/", {"id": gone.pk}, follow=True)
        assert "lost.py is gone" in response.content.decode()

    def test_nothing_ticked_is_told(self, operator: Client) -> None:
        assert "Nothing was ticked" in operator.post("/orphans/bulk/test/", follow=True).content.decode()

    def test_testing_asks_a_worker(self, operator: Client) -> None:
        module = make_module()
        response = operator.post("/orphans/bulk/test/?engine=alpha", {"id": module.pk})
        assert response["Location"] == "/orphans/?engine=alpha"
        entry = AuditEntry.objects.get(verb="orphans.test")
        assert entry.detail["paths"] == [module.path]

    def test_foreign_modules_and_viewers_are_kept_out(self, operator: Client, viewer: Client) -> None:
        make_engine("secret", team=make_team())
        foreign, own = make_module("secret"), make_module()
        operator.post("/orphans/bulk/retire/", {"id": foreign.pk})
        assert viewer.post("/orphans/bulk/retire/", {"id": own.pk}).status_code == 403
        assert states(foreign, own) == ["found", "found"]


class TestAllThatMatch:
    """Counted first, then taken batch by batch."""

    def test_first_it_only_says_what_would_happen(self, operator: Client) -> None:
        rows = [make_module(classification="legacy") for _ in range(3)]
        make_module()
        response = operator.post("/orphans/bulk/retire/?classification=legacy", {"all": "1"})
        assert str(response.context["total"]) == "3"
        assert "Retire 3 modules" in response.content.decode()
        assert set(states(*rows)) == {"found"}

    def test_a_yes_takes_what_was_there_and_not_what_came_later(self, operator: Client) -> None:
        rows = [make_module() for _ in range(3)]
        later = make_module()
        operator.post("/orphans/bulk/retire/", {"all": "1", "top": rows[-1].pk, "total": "3"})
        assert [*states(*rows), *states(later)] == ["retired"] * 3 + ["found"]
        assert AuditEntry.objects.filter(verb="orphans.retire_all").count() == 1

    def test_many_go_batch_by_batch(self, operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bulk, "BATCH", 2)
        rows = [make_module() for _ in range(5)]
        sent = {"all": "1", "top": rows[-1].pk, "total": "5"}
        for done in (2, 4):
            state = operator.post("/orphans/bulk/retire/", sent).context["state"]
            assert state["done"] == done
            sent = {"all": "1", **state}
        response = operator.post("/orphans/bulk/retire/", sent, follow=True)
        assert "5 modules retired" in response.content.decode()
        assert set(states(*rows)) == {"retired"}

    def test_all_batches_are_taken_back_with_one_click(
        self, operator: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bulk, "BATCH", 2)
        monkeypatch.setattr(undo, "BATCH", 3)
        rows = [make_module(state=state) for state in ("found", "passed", "found", "failed", "found")]
        sent = {"all": "1", "top": rows[-1].pk, "total": "5"}
        answer = operator.post("/orphans/bulk/retire/?engine=alpha", sent)
        while answer.status_code == 200:
            answer = operator.post(
                "/orphans/bulk/retire/?engine=alpha", {"all": "1", **answer.context["state"]}
            )
        assert set(states(*rows)) == {"retired"}
        key = {"key": operator.session["undo"]["key"]}
        part = operator.post("/undo/", key, headers={"HX-Request": "true"})
        assert (part.context["dealt"], part.context["of"]) == (3, 5)
        assert "<html" not in part.content.decode()
        last = operator.post("/undo/", part.context["state"], follow=True)
        assert last.redirect_chain[-1][0] == "/orphans/?engine=alpha"
        assert "5 modules are as before" in last.content.decode()
        assert states(*rows) == ["found", "passed", "found", "failed", "found"]

    def test_stopping_between_batches_leaves_an_undo_for_what_was_done(
        self, operator: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bulk, "BATCH", 2)
        rows = [make_module() for _ in range(5)]
        sent = {"all": "1", "top": rows[-1].pk, "total": "5"}
        state = operator.post("/orphans/bulk/retire/", sent).context["state"]
        stopped = operator.post("/orphans/bulk/retire/", {"all": "1", "stop": "1", **state}, follow=True)
        assert "2 modules retired" in stopped.content.decode()
        assert states(*rows).count("retired") == 2
        operator.post("/undo/", {"key": operator.session["undo"]["key"]})
        assert set(states(*rows)) == {"found"}

    def test_a_run_that_another_one_overtook_offers_no_undo(
        self, operator: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bulk, "BATCH", 2)
        rows = [make_module() for _ in range(5)]
        sent = {"all": "1", "top": rows[-1].pk, "total": "5"}
        first = operator.post("/orphans/bulk/retire/", sent).context["state"]
        operator.post("/orphans/bulk/retire/", {**sent, "top": rows[3].pk})
        while (answer := operator.post("/orphans/bulk/retire/", {"all": "1", **first})).status_code == 200:
            first = answer.context["state"]
        assert "undo" not in operator.session

    def test_a_filter_with_a_mistake_touches_nothing(self, operator: Client) -> None:
        module = make_module()
        sent = {"all": "1", "top": module.pk, "total": "1"}
        response = operator.post("/orphans/bulk/retire/?confidence_min=high", sent)
        assert "The filter has a mistake" in response.content.decode()
        assert states(module) == ["found"]

    @pytest.mark.parametrize("act", sorted(orphan_acts.FITS))
    def test_nothing_that_fits_is_said(self, operator: Client, act: str) -> None:
        make_module(state="gone")
        text = operator.post(f"/orphans/bulk/{act}/?state=gone", {"all": "1"}).content.decode()
        assert f"Nothing to {act}" in text


class TestOne:
    """The buttons of the module's page."""

    def test_the_reason_is_kept(self, operator: Client) -> None:
        module = make_module()
        operator.post(f"/orphans/{module.pk}/retire/", {"reason": "replaced by rules.py"})
        assert OrphanModule.objects.get().state_reason == "replaced by rules.py"
        assert "/orphans/" in operator.get(f"/orphans/{module.pk}/").content.decode()

    def test_taking_in_enters_the_map_and_can_be_undone(self, operator: Client) -> None:
        module = make_module(state="passed", side_effects=0.0)
        operator.post(f"/orphans/{module.pk}/integrate/")
        assert states(module) == ["integrated"]
        operator.post("/undo/", {"key": operator.session["undo"]["key"]})
        assert states(module) == ["restored"]


class TestScanNow:
    """The button that asks for a scan."""

    def test_it_leads_to_the_engines_queue(self, operator: Client) -> None:
        response = operator.post("/engines/alpha/scan/", follow=True)
        assert "A worker scans alpha" in response.content.decode()

    def test_an_engine_that_is_off_is_refused(self, operator: Client) -> None:
        make_engine("off", enabled=False)
        assert "switched off" in operator.post("/engines/off/scan/", follow=True).content.decode()


class TestSelfTests:
    """Sets of self-tests."""

    def test_running_ones_come_first_and_the_page_renews_itself(self, viewer: Client) -> None:
        batch = make_batch(state="running", total=3)
        slow = make_run(batch, "slow.py", state="running")
        for _ in range(2):
            make_run(batch, state="passed")
        response = viewer.get(f"/orphans/self-tests/{batch.pk}/")
        assert response.context["rows"][0]["id"] == slow.pk
        assert 'hx-trigger="every 2s"' in response.content.decode()
        assert response.context["batch"]["percent"] == 67

    def test_an_ended_set_stands_still(self, viewer: Client) -> None:
        batch = make_batch(state="done", total=0)
        assert 'hx-trigger="every' not in viewer.get(f"/orphans/self-tests/{batch.pk}/").content.decode()

    def test_cancelling(self, operator: Client) -> None:
        batch = make_batch(total=1)
        make_run(batch)
        operator.post(f"/orphans/self-tests/{batch.pk}/cancel/")
        assert SelfTestRun.objects.get().state == "cancelled"
        again = operator.post(f"/orphans/self-tests/{batch.pk}/cancel/", follow=True)
        assert "It has ended already" in again.content.decode()


class TestScansAndRevisions:
    """The history of scans; what became of proposals."""

    def test_a_scan_is_shown_beside_the_one_before(self, viewer: Client) -> None:
        make_scan(counts={"orphan": 3})
        scan = make_scan(counts={"orphan": 5, "legacy": 1}, changes={"new": ["fresh.py"]})
        shown = viewer.get(f"/orphans/scans/{scan.pk}/")
        compared = {row["name"]: row["change"] for row in shown.context["scan"]["compared"]}
        assert compared == {"orphan": 2, "legacy": 1}
        assert "fresh.py" in shown.content.decode()

    def test_a_revision_shows_its_steps_against_its_parents(self, viewer: Client) -> None:
        engine = make_engine("beta")
        root = make_revision(engine, steps=["a:b", "c:d"])
        made = make_revision(
            engine, "candidate", parent=root, workflow=root.workflow, steps=["a:b", "new:step", "c:d"]
        )
        diff = viewer.get(f"/orphans/revisions/{made.pk}/").context["revision"]["diff"]
        assert [(line["mark"], line["step"]) for line in diff] == [
            (" ", "a:b"),
            ("+", "new:step"),
            (" ", "c:d"),
        ]

    def test_taking_back(self, operator: Client) -> None:
        engine = make_engine("beta")
        root = make_revision(engine)
        made = make_revision(engine, "candidate", parent=root, workflow=root.workflow, module_path="m.py")
        operator.post(f"/orphans/revisions/{made.pk}/revert/")
        made.refresh_from_db()
        assert made.state == "reverted"
        refused = operator.post(f"/orphans/revisions/{made.pk}/revert/", follow=True)
        assert "nothing to take back" in refused.content.decode()


LISTS = ("scans/", "self-tests/", "self-tests/{batch}/", "scans/{scan}/", "revisions/")


@pytest.mark.parametrize("part", LISTS)
def test_more_rows_cost_no_more_statements(admin: Client, part: str) -> None:
    engine = make_engine("beta")
    counts = []
    for rows in (10, 100):
        scan, batch = make_scan(), make_batch(state="running", total=rows)
        for _ in range(rows):
            make_scan()
            make_run(make_batch(), state="passed")
            make_run(batch, state="passed")
            make_revision(engine)
        address = f"/orphans/{part}".format(batch=batch.pk, scan=scan.pk)
        counts.append(len(statements(admin, address)))
    assert counts[0] == counts[1] <= 12
