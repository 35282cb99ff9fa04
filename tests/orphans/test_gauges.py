"""Gauges of orphan modules: the names of the specification, from rows, up and down."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from menace_site.metrics import SOURCES
from orphans import gauges
from orphans.domain.findings import Classification
from orphans.domain.states import ModuleState
from orphans.models import OrphanModule
from orphans.services import tallies
from tests.orphans.rows import make_module

pytestmark = pytest.mark.django_db

NAMES = {
    "orphan_modules_tested_total",
    "orphan_modules_reintroduced_total",
    "orphan_modules_failed_total",
    "orphan_modules_redundant_total",
    "orphan_modules_legacy_total",
    "orphan_modules_side_effects_total",
    "isolated_modules_discovered_total",
    "isolated_modules_integrated_total",
}


class Families:
    def collect(self) -> object:
        return gauges.families()


def scraped() -> dict[str, float]:
    """Return every sample of alpha as Prometheus reads it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Families())  # type: ignore[arg-type]
    lines = generate_latest(registry).decode().splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if 'subject="alpha"' in line]
    return {name.partition("{")[0]: float(value) for name, value in pairs}


def test_every_name_of_the_specification_is_exported() -> None:
    make_module()

    assert set(scraped()) >= NAMES
    assert gauges.families in SOURCES


def test_without_any_module_there_is_no_sample() -> None:
    assert scraped() == {}


def test_counts_only_grow() -> None:
    make_module()
    tallies.add("alpha", {tallies.TESTED: 2, tallies.SIDE_EFFECTS: 5})
    tallies.add("alpha", {tallies.TESTED: 1, tallies.FAILED: 0})
    tallies.add("beta", {tallies.TESTED: 9})

    samples = scraped()

    assert samples["orphan_modules_tested_total"] == 3
    assert samples["orphan_modules_side_effects_total"] == 5
    assert samples["orphan_modules_failed_total"] == 0


@pytest.mark.parametrize("state", [ModuleState.INTEGRATED, ModuleState.RETIRED, ModuleState.LIVE])
def test_legacy_goes_up_and_down(state: ModuleState) -> None:
    make_module(classification=Classification.LEGACY)
    settled = make_module(classification=Classification.LEGACY)
    assert scraped()["orphan_modules_legacy_total"] == 2

    OrphanModule.objects.filter(pk=settled.pk).update(state=state)

    assert scraped()["orphan_modules_legacy_total"] == 1


def test_legacy_goes_down_when_a_module_is_reclassified() -> None:
    module = make_module(classification=Classification.LEGACY)

    OrphanModule.objects.filter(pk=module.pk).update(classification=Classification.ISOLATED)

    assert scraped()["orphan_modules_legacy_total"] == 0


def test_redundant_counts_the_flag_and_the_class_once() -> None:
    make_module(classification=Classification.REDUNDANT, redundant=True)
    make_module(classification=Classification.LEGACY, redundant=True)

    assert scraped()["orphan_modules_redundant_total"] == 2


def test_a_scrape_costs_three_statements(django_assert_num_queries: object) -> None:
    for subject in ("alpha", "beta", "gamma"):
        make_module(subject)

    with django_assert_num_queries(3):  # type: ignore[operator]
        list(gauges.families())
