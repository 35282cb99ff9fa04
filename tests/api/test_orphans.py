"""Endpoints of orphan modules, scans, self-tests, revisions and the sandbox."""

import pytest
from django.core.cache import cache

from engines.models import Engine
from menace_site.models import AuditEntry
from orphans.models import OrphanModule
from tests.api.conftest import Api
from tests.factories import make_engine, make_revision, make_team
from tests.orphans.rows import make_batch, make_module, make_run, make_scan


@pytest.fixture
def alpha(db: None) -> Engine:
    """An engine that everybody sees."""
    cache.clear()
    return make_engine("alpha")


class TestModules:
    """The list, one module, and acts."""

    def test_the_list_is_the_queue_unless_states_are_named(self, viewer: Api, alpha: Engine) -> None:
        make_module(path="a.py")
        make_module(path="b.py", state="retired")
        assert [row["path"] for row in viewer.get("orphans/").json()["results"]] == ["a.py"]
        assert len(viewer.get("orphans/", state="all").json()["results"]) == 2

    def test_filters_order_and_fields(self, viewer: Api, alpha: Engine) -> None:
        for number, confidence in enumerate((0.9, 0.5, 0.7)):
            make_module(path=f"m{number}.py", confidence=confidence, classification="isolated")
        make_module(path="x.py")
        answer = viewer.get(
            "orphans/", classification="isolated", confidence_min=0.6, order="-confidence", fields="path"
        )
        assert answer.json()["results"] == [{"path": "m0.py"}, {"path": "m2.py"}]

    @pytest.mark.parametrize("query", [{"state": "odd"}, {"confidence_min": "2"}, {"colour": "red"}])
    def test_a_mistake_is_refused_by_name(self, viewer: Api, alpha: Engine, query: dict[str, str]) -> None:
        answer = viewer.get("orphans/", **query)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] in query

    def test_pages_go_by_key(self, viewer: Api, alpha: Engine) -> None:
        for _ in range(5):
            make_module()
        first = viewer.get("orphans/", size=2).json()
        second = viewer.client.get(first["next"], headers=viewer.headers).json()
        ids = [row["id"] for row in first["results"] + second["results"]]
        assert ids == sorted(ids, reverse=True)
        assert len(set(ids)) == 4

    def test_one_module_has_its_evidence(self, viewer: Api, alpha: Engine) -> None:
        module = make_module(evidence=[{"kind": "k", "detail": "d", "path": None, "line": None}])
        shown = viewer.get(f"orphans/{module.pk}/").json()
        assert shown["evidence"][0]["kind"] == "k"
        assert shown["side_effects"] is None

    def test_a_foreign_module_does_not_exist(self, viewer: Api, operator: Api) -> None:
        make_engine("secret", team=make_team())
        module = make_module("secret")
        assert viewer.get(f"orphans/{module.pk}/").status_code == 404
        assert viewer.get("orphans/", state="all").json()["results"] == []
        answer = operator.post("orphans/acts/", {"act": "retire", "ids": [module.pk]})
        assert answer.status_code == 400
        assert OrphanModule.objects.get().state == "found"

    def test_an_act_tells_what_it_reached_and_what_not(self, operator: Api, alpha: Engine) -> None:
        open_, gone = make_module(), make_module(state="gone", path="gone.py")
        answer = operator.post("orphans/acts/", {"act": "retire", "ids": [open_.pk, gone.pk], "reason": "x"})
        assert answer.json() == {"done": [open_.pk], "refused": ["gone.py is gone"]}
        entry = AuditEntry.objects.get(verb="orphan.retire")
        assert (entry.target, entry.actor_kind) == (f"orphan:{open_.pk}", "token")

    def test_the_same_key_acts_once(self, operator: Api, alpha: Engine) -> None:
        body = {"act": "retire", "ids": [make_module().pk]}
        first = operator.post("orphans/acts/", body, Idempotency_Key="k1")
        again = operator.post("orphans/acts/", body, Idempotency_Key="k1")
        assert again.json() == first.json()
        assert again.headers["Idempotency-Replayed"] == "true"
        assert AuditEntry.objects.filter(verb="orphan.retire").count() == 1

    @pytest.mark.parametrize(
        "body",
        [
            {"act": "burn", "ids": [1]},
            {"act": "retire", "ids": []},
            {"act": "retire", "ids": ["1"]},
            {"act": "retire", "ids": [1], "force": True},
            {"act": "retire", "ids": list(range(1, 300))},
        ],
    )
    def test_a_body_that_is_wrong_is_refused(self, operator: Api, alpha: Engine, body: object) -> None:
        assert operator.post("orphans/acts/", body).status_code == 400

    def test_a_viewer_may_not(self, viewer: Api, alpha: Engine) -> None:
        answer = viewer.post("orphans/acts/", {"act": "retire", "ids": [make_module().pk]})
        assert answer.status_code == 403


class TestScans:
    """Scans: the history, and asking for one."""

    def test_list_and_one(self, viewer: Api, alpha: Engine) -> None:
        scan = make_scan(changes={"new": ["a.py"]})
        assert viewer.get("scans/", engine="alpha").json()["results"][0]["id"] == scan.pk
        assert viewer.get(f"scans/{scan.pk}/").json()["changes"] == {"new": ["a.py"]}

    def test_a_worker_is_asked(self, operator: Api, alpha: Engine) -> None:
        answer = operator.post("scans/", {"engine": "alpha"})
        assert answer.status_code == 202
        assert answer.json()["source"].startswith("web:")

    def test_an_engine_that_is_off_is_a_conflict(self, operator: Api, db: None) -> None:
        make_engine("off", enabled=False)
        assert operator.post("scans/", {"engine": "off"}).status_code == 409

    def test_a_foreign_engine_is_unknown(self, operator: Api) -> None:
        make_engine("secret", team=make_team())
        assert operator.post("scans/", {"engine": "secret"}).status_code == 400


class TestSelfTests:
    """Sets, their modules, cancelling."""

    def test_a_set_with_its_modules(self, viewer: Api, alpha: Engine) -> None:
        batch = make_batch(total=2)
        make_run(batch, "a.py", state="passed", guarantees={"landlock": True})
        make_run(batch, "b.py")
        assert viewer.get(f"self-tests/{batch.pk}/").json()["passed"] is None
        rows = viewer.get(f"self-tests/{batch.pk}/runs/", state="passed", fields="path,guarantees").json()
        assert rows["results"] == [{"path": "a.py", "guarantees": {"landlock": True}}]

    def test_runs_of_one_path(self, viewer: Api, alpha: Engine) -> None:
        run = make_run(make_batch(), "a.py")
        make_run(make_batch(), "b.py")
        assert [row["id"] for row in viewer.get("module-runs/?path=a.py").json()["results"]] == [run.pk]
        assert viewer.get(f"module-runs/{run.pk}/").json()["file_writes"] is None

    def test_cancelling_ends_what_waits_and_once_only(self, operator: Api, alpha: Engine) -> None:
        batch = make_batch(total=1)
        make_run(batch)
        assert operator.post(f"self-tests/{batch.pk}/cancel/").json()["state"] == "cancelled"
        assert operator.post(f"self-tests/{batch.pk}/cancel/").status_code == 409


class TestRevisions:
    """Revisions of workflows."""

    def test_taking_back(self, operator: Api, alpha: Engine) -> None:
        root = make_revision(alpha)
        made = make_revision(alpha, "candidate", parent=root, workflow=root.workflow, module_path="a.py")
        rows = operator.get("revisions/", engine="alpha", state="candidate").json()["results"]
        assert [row["id"] for row in rows] == [made.pk]
        assert operator.post(f"revisions/{made.pk}/revert/").json()["state"] == "reverted"
        assert operator.post(f"revisions/{root.pk}/revert/").status_code == 409


def test_the_sandbox_says_what_holds(viewer: Api) -> None:
    shown = viewer.get("sandbox/").json()
    assert set(shown["layers"]) >= {"landlock", "seccomp"}
    assert shown["allowed"] == (shown["refused"] == "")
    for layer in shown["layers"].values():
        assert layer["held"] or layer["reason"]
