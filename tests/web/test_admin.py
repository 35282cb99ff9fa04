"""Django's admin: every row has a list, and what the machine writes can't be edited."""

import re

import pytest
from django.apps import apps
from django.contrib import admin as django_admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from engines.models import Engine, Promotion
from menace_site.models import AuditEntry
from tests.factories import make_cycle, make_cycles, make_engine, make_step
from tests.web.promotion_rows import make_promotion

OURS = ("engines", "forecasting", "menace_site")
MODELS = [model for label in OURS for model in apps.get_app_config(label).get_models()]
EDITABLE = {"Engine", "Preference"}


def address(model: type[models.Model], end: str = "") -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{end}"


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_a_list(admin: Client, model: type[models.Model]) -> None:
    assert django_admin.site.is_registered(model)
    assert admin.get(address(model)).status_code == 200


@pytest.mark.parametrize("model", [model for model in MODELS if model.__name__ not in EDITABLE])
def test_what_the_machine_writes_cannot_be_added(admin: Client, model: type[models.Model]) -> None:
    assert admin.get(address(model, "add/")).status_code == 403


def test_no_name_of_several_rows_is_an_s_too_many(admin: Client) -> None:
    page = admin.get("/admin/").content.decode()
    for model in (*MODELS, *apps.get_app_config("orphans").get_models()):
        name = str(model._meta.verbose_name_plural)
        assert not re.search(r"ss$|[^aeiou]ys$", name), name
        assert f">{name[0].upper()}{name[1:]}</a>" in page


def test_the_decision_page_is_in_words_and_leads_to_all_evidence(admin: Client) -> None:
    held = make_promotion(make_engine("alpha"), state="held", verdict="hold")
    page = admin.get(address(Promotion, f"{held.pk}/decide/")).content.decode()
    assert f'href="/promotions/{held.pk}/"' in page
    assert "p_collapse" not in page.partition("<pre>")[0]
    assert 'value="reject">Reject</button>' in page
    assert 'value="approve" disabled title="' in page


@pytest.mark.parametrize("end", ["change/", "delete/"])
def test_a_cycle_cannot_be_changed(admin: Client, end: str) -> None:
    cycle = make_cycle(state="failed")
    assert (
        admin.post(f"/admin/engines/cycle/{cycle.pk}/{end}", {"state": "done", "post": "yes"}).status_code
        == 403
    )
    cycle.refresh_from_db()
    assert cycle.state == "failed"


def test_people_without_the_staff_flag_stay_out(approver: Client) -> None:
    assert approver.get("/admin/")["Location"].startswith("/admin/login/")


def test_changing_an_engine_goes_through_the_service_and_is_audited(admin: Client) -> None:
    engine = make_engine("alpha")
    fields = {
        "team": "",
        "base_energy": "2.5",
        "base_cpu_seconds": "60",
        "base_trials": "20",
        "schedule_seconds": "",
        "seed": "0",
        "enabled": "on",
    }
    assert admin.post(f"/admin/engines/engine/{engine.pk}/change/", fields).status_code == 302
    engine.refresh_from_db()
    assert engine.base_energy == 2.5
    assert AuditEntry.objects.filter(verb="engine.update", target="engine:alpha").exists()


def test_an_engine_cannot_be_deleted_with_its_history(admin: Client) -> None:
    engine = make_engine("alpha")
    assert admin.post(f"/admin/engines/engine/{engine.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Engine.objects.filter(pk=engine.pk).exists()


def test_a_long_list_is_counted_to_a_cap_and_read_at_once(admin: Client) -> None:
    make_cycles(120)
    make_step(make_cycle())
    with CaptureQueriesContext(connection) as context:
        admin.get("/admin/engines/cycle/")
    counts = [query["sql"] for query in context.captured_queries if "COUNT(*) AS" in query["sql"]]
    assert all(" LIMIT " in sql for sql in counts)
    assert len(context.captured_queries) <= 12
