"""What scans change about the rows."""

from pathlib import Path

import pytest

from orphans.domain.findings import Classification, Evidence, Finding, Scan
from orphans.domain.states import ModuleState
from orphans.models import ModuleMapEntry, OrphanModule, OrphanTally, ScanRun
from orphans.services.scanning import file_hash, record_scan

pytestmark = pytest.mark.django_db


def finding(path: str, word: str = "orphan", **fields: object) -> Finding:
    plain = {
        "path": path,
        "classification": Classification(word),
        "confidence": 0.9,
        "reason": "nothing imports it",
    }
    return Finding(**{**plain, **fields})  # type: ignore[arg-type]


def scan(*findings: Finding, isolated: tuple[str, ...] = ()) -> Scan:
    by_path = {each.path: each for each in findings}
    return Scan(
        modules=9, edges=7, findings=by_path, isolated=isolated, unreadable={"x.py": "no"}, seconds=0.1
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text(f"NAME = {name!r}\n")
    return tmp_path


def record(checkout: Path, found: Scan, source: str = "one") -> ScanRun:
    return record_scan("alpha", found, checkout=checkout, source=source, commit="c" * 40)


def states() -> dict[str, str]:
    return dict(OrphanModule.objects.values_list("path", "state"))


def set_state(path: str, state: ModuleState) -> None:
    OrphanModule.objects.filter(path=path).update(state=state)


def test_a_finding_becomes_a_row_with_all_that_is_known(checkout: Path) -> None:
    evidence = Evidence(kind="string", detail="'a' in settings", path="b.py", line=3)
    found = finding(
        "a.py", parents=("b.py",), chain=("b.py", "a.py"), twin="c.py", similarity=0.5, evidence=(evidence,)
    )

    row = record(checkout, scan(found, finding("b.py", "isolated"), isolated=("b.py",)))

    module = OrphanModule.objects.get(path="a.py")
    assert (module.parents, module.chain, module.head) == (["b.py"], ["b.py", "a.py"], "b.py")
    assert (module.twin, module.similarity, module.isolated) == ("c.py", 0.5, False)
    assert module.evidence == [{"kind": "string", "detail": "'a' in settings", "path": "b.py", "line": 3}]
    assert module.content_hash == file_hash(checkout, "a.py") != ""
    assert (row.found, row.counts, row.changes["new"]) == (2, {"orphan": 1, "isolated": 1}, ["a.py", "b.py"])
    assert OrphanTally.objects.get(name="isolated_discovered").count == 1


def test_a_repeated_source_changes_nothing(checkout: Path) -> None:
    first = record(checkout, scan(finding("a.py")))
    again = record(checkout, scan(finding("b.py")))

    assert first.pk == again.pk
    assert list(states()) == ["a.py"]


@pytest.mark.parametrize("state", [each for each in ModuleState if each not in ("live", "gone")])
def test_unchanged_content_keeps_its_state(checkout: Path, state: ModuleState) -> None:
    record(checkout, scan(finding("a.py")))
    set_state("a.py", state)

    record(checkout, scan(finding("a.py")), "two")

    assert states() == {"a.py": state}


@pytest.mark.parametrize(
    ("state", "becomes"),
    [
        ("failed", "found"),
        ("retired", "found"),
        ("skipped", "found"),
        ("passed", "found"),
        ("integrated", "integrated"),
    ],
)
def test_other_content_is_found_anew_unless_it_is_in_the_map(
    checkout: Path, state: str, becomes: str
) -> None:
    record(checkout, scan(finding("a.py")))
    OrphanModule.objects.update(side_effects=3.0)
    set_state("a.py", ModuleState(state))
    (checkout / "a.py").write_text("NAME = 'other'\n")

    row = record(checkout, scan(finding("a.py")), "two")

    assert states() == {"a.py": becomes}
    assert OrphanModule.objects.get().side_effects is None
    assert row.changes["changed"] == ["a.py"]


def test_what_is_reached_again_is_live_and_what_has_no_file_is_gone(checkout: Path) -> None:
    record(checkout, scan(finding("a.py"), finding("b.py")))
    (checkout / "b.py").unlink()

    row = record(checkout, scan(), "two")

    assert states() == {"a.py": "live", "b.py": "gone"}
    assert (row.changes["live"], row.changes["gone"]) == (["a.py"], ["b.py"])


def test_what_is_found_again_is_open_again(checkout: Path) -> None:
    record(checkout, scan(finding("a.py")))
    record(checkout, scan(), "two")

    record(checkout, scan(finding("a.py")), "three")

    module = OrphanModule.objects.get()
    assert (module.state, module.state_reason) == ("found", "found again")


def test_a_map_entry_goes_with_its_file(checkout: Path) -> None:
    record(checkout, scan(finding("a.py")))
    set_state("a.py", ModuleState.INTEGRATED)
    ModuleMapEntry.objects.create(subject="alpha", path="a.py", group=1)
    record(checkout, scan(), "two")
    assert states() == {"a.py": "integrated"}

    (checkout / "a.py").unlink()
    record(checkout, scan(), "three")

    assert states() == {"a.py": "gone"}
    assert not ModuleMapEntry.objects.filter(removed_at=None).exists()


def test_another_class_is_counted_and_listed(checkout: Path) -> None:
    record(checkout, scan(finding("a.py", "legacy")))

    row = record(checkout, scan(finding("a.py", "isolated")), "two")

    assert row.changes["reclassified"] == ["a.py"]
    assert OrphanTally.objects.get(name="reclassified").count == 1


def test_a_heavy_module_stays_heavy_until_its_content_changes(checkout: Path) -> None:
    record(checkout, scan(finding("a.py")))
    OrphanModule.objects.update(classification=Classification.HEAVY_SIDE_EFFECTS, state="skipped")

    record(checkout, scan(finding("a.py")), "two")
    assert OrphanModule.objects.get().classification == "heavy_side_effects"

    (checkout / "a.py").write_text("pass\n")
    record(checkout, scan(finding("a.py")), "three")
    assert OrphanModule.objects.get().classification == "orphan"


def test_subjects_do_not_touch_each_other(checkout: Path) -> None:
    record(checkout, scan(finding("a.py")))
    record_scan("beta", scan(), checkout=checkout, source="one")

    assert states() == {"a.py": "found"}


def test_a_link_has_no_content(checkout: Path) -> None:
    (checkout / "link.py").symlink_to("/etc/hostname")

    assert file_hash(checkout, "link.py") == file_hash(checkout, "../x") == file_hash(checkout, "no.py") == ""


def test_many_findings_take_a_bounded_number_of_statements(
    checkout: Path, django_assert_max_num_queries: object
) -> None:
    many = scan(*(finding(f"m{number}.py") for number in range(300)))

    with django_assert_max_num_queries(15):  # type: ignore[operator]
        record(checkout, many)
    with django_assert_max_num_queries(15):  # type: ignore[operator]
        record(checkout, many, "two")
