"""The module map: what enters it, what doesn't, and back."""

from typing import Any

import pytest

from menace_site.models import AuditEntry
from orphans.domain.acting import CLI
from orphans.domain.errors import InvalidInput
from orphans.domain.findings import Classification
from orphans.domain.states import ModuleState
from orphans.models import ModuleMapEntry, OrphanModule, OrphanTally
from orphans.services import decisions
from orphans.services.including import NEVER as MAPPED
from orphans.services.including import UNCOUNTED, include, take_out
from tests.orphans.rows import make_batch, make_module, make_run

pytestmark = pytest.mark.django_db

PASSED: Any = {"state": ModuleState.PASSED, "side_effects": 0.0}


def mapped() -> dict[str, int]:
    entries = ModuleMapEntry.objects.filter(removed_at=None).order_by("path")
    return dict(entries.values_list("path", "group"))


def taken(*paths: str, **fields: object) -> object:
    return include("alpha", paths, by="ada", source="test", **fields)  # type: ignore[arg-type]


def test_what_passed_enters_with_its_provenance() -> None:
    module = make_module(path="a.py", isolated=True, **PASSED)
    run = make_run(make_batch(), "a.py", module=module, state="passed")

    included = include("alpha", ["a.py"], by="ada", source="cycle:7")

    entry = ModuleMapEntry.objects.get()
    assert included.added == ("a.py",)
    assert (entry.run, entry.added_label, entry.provenance["source"]) == (run, "ada", "cycle:7")
    assert OrphanModule.objects.get().state == ModuleState.INTEGRATED
    counts = dict(OrphanTally.objects.values_list("name", "count"))
    assert counts == {"reintroduced": 1, "isolated_integrated": 1}


def test_taking_in_again_adds_nothing() -> None:
    make_module(path="a.py", **PASSED)
    taken("a.py")

    included = include("alpha", ["a.py"], by="ada", source="test")

    assert (included.added, included.refused) == ((), {})
    assert OrphanTally.objects.get(name="reintroduced").count == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"state": ModuleState.FOUND}, "its self-test has not passed"),
        ({"state": ModuleState.FAILED, "state_reason": "it raised"}, "it raised"),
        ({**PASSED, "classification": Classification.LEGACY}, MAPPED.format("legacy")),
        ({**PASSED, "redundant": True}, MAPPED.format("redundant")),
        (
            {**PASSED, "classification": Classification.TEST_ONLY},
            MAPPED.format("test_only"),
        ),
        (
            {"state": ModuleState.PASSED},
            UNCOUNTED,
        ),
    ],
)
def test_what_does_not_belong_is_refused_with_the_reason(fields: dict[str, Any], reason: str) -> None:
    make_module(path="a.py", **fields)

    included = include("alpha", ["a.py"], by="ada", source="test")

    assert included.refused == {"a.py": reason}
    assert mapped() == {}


def test_uncounted_side_effects_are_accepted_only_where_counting_is_off() -> None:
    make_module(path="a.py", state=ModuleState.PASSED)

    assert include("alpha", ["a.py"], by="ada", source="test", counted=False).added == ("a.py",)


def test_the_caller_can_keep_one_out() -> None:
    make_module(path="a.py", **PASSED)

    included = include("alpha", ["a.py"], by="ada", source="test", refused={"a.py": "no gain"})

    assert included.refused == {"a.py": "no gain"}
    assert OrphanModule.objects.get().state_reason == "no gain"


def test_an_island_shares_a_number_also_when_it_comes_in_later() -> None:
    make_module(path="head.py", head="head.py", chain=["head.py"], **PASSED)
    make_module(path="help.py", head="head.py", chain=["head.py", "help.py"], parents=["head.py"], **PASSED)
    make_module(path="other.py", head="other.py", chain=["other.py"], **PASSED)

    taken("head.py", "other.py")
    taken("help.py")

    groups = mapped()
    assert groups["help.py"] == groups["head.py"] != groups["other.py"]


def test_subjects_have_maps_of_their_own() -> None:
    make_module("beta", path="a.py", **PASSED)

    taken("a.py")

    assert mapped() == {}


def test_what_is_taken_out_is_open_again_and_stays_as_history() -> None:
    make_module(path="a.py", **PASSED)
    taken("a.py")

    assert take_out("alpha", ["a.py", "b.py"], by="ada") == ["a.py"]

    module = OrphanModule.objects.get()
    assert (module.state, module.state_reason) == ("restored", "taken out of the module map by ada")
    assert (mapped(), ModuleMapEntry.objects.count()) == ({}, 1)


def test_decisions_are_made_for_many_and_audited_each() -> None:
    rows = [make_module(), make_module(), make_module(state=ModuleState.INTEGRATED)]

    decided = decisions.retire([row.pk for row in rows] + [10**9], actor=CLI, reason="moved")

    assert decided.changed == (rows[0].pk, rows[1].pk)
    assert set(decided.refused) == {rows[2].pk, 10**9}
    assert AuditEntry.objects.filter(verb="orphan.retire").count() == 2
    assert OrphanModule.objects.get(pk=rows[0].pk).decided_label == CLI.label


@pytest.mark.parametrize("before", ["found", "passed", "failed", "restored"])
def test_a_retirement_taken_back_is_what_it_was(before: str) -> None:
    module = make_module(state=ModuleState(before))
    decisions.retire([module.pk], actor=CLI)

    decisions.restore([module.pk], actor=CLI)

    module.refresh_from_db()
    assert module.state == before


def test_an_integration_taken_back_leaves_the_map() -> None:
    module = make_module(path="a.py", **PASSED)
    taken("a.py")

    decided = decisions.restore([module.pk], actor=CLI)

    assert (decided.changed, mapped()) == ((module.pk,), {})


def test_there_is_nothing_to_take_back_of_what_was_only_found() -> None:
    module = make_module()

    assert "nothing to take back" in decisions.restore([module.pk], actor=CLI).refused[module.pk]


def test_too_many_at_once_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at most 1000"):
        decisions.retire(range(2_000), actor=CLI)
