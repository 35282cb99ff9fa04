"""Findings as JSON: everything is there, in an order that doesn't change."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.domain.findings import Classification, Evidence, Finding, Scan

few = settings(max_examples=40, deadline=None)
text = st.text(max_size=6)
evidence = st.builds(
    Evidence, kind=text, detail=text, path=st.none() | text, line=st.none() | st.integers(1, 99)
)
findings = st.builds(
    Finding,
    path=text,
    classification=st.sampled_from(Classification),
    parents=st.lists(text, max_size=2).map(tuple),
    chain=st.lists(text, max_size=2).map(tuple),
    redundant=st.booleans(),
    twin=st.none() | text,
    similarity=st.none() | st.floats(0, 1),
    confidence=st.floats(0, 1),
    reason=text,
    evidence=st.lists(evidence, max_size=2).map(tuple),
)


def read(path: str, told: dict[str, Any]) -> Finding:
    """Return the finding behind its JSON, as a reader of the file would build it."""
    plain = {**told, "classification": Classification(told["classification"])}
    lists = {name: tuple(told[name]) for name in ("parents", "chain")}
    facts = tuple(Evidence(**each) for each in told["evidence"])
    return Finding(path=path, **{**plain, **lists, "evidence": facts})


@few
@given(findings)
def test_a_finding_survives_json(finding: Finding) -> None:
    assert read(finding.path, json.loads(json.dumps(finding.to_json(), allow_nan=False))) == finding


@few
@given(
    st.lists(findings, unique_by=lambda each: each.path, max_size=4), st.dictionaries(text, text, max_size=3)
)
def test_a_scan_is_the_same_json_whatever_the_order(found: list[Finding], unreadable: dict[str, str]) -> None:
    def scan(order: list[Finding]) -> str:
        rows = {each.path: each for each in order}
        made = Scan(modules=9, edges=4, findings=rows, isolated=("a",), unreadable=unreadable, seconds=0.5)
        return json.dumps(made.to_json(), allow_nan=False)

    assert scan(found) == scan(found[::-1])
    data = json.loads(scan(found))
    assert set(data["orphans"]) == {each.path for each in found}
    assert list(data["orphans"]) == sorted(data["orphans"])
    assert data["unreadable"] == unreadable
    assert (data["modules"], data["edges"], data["isolated"], data["seconds"]) == (9, 4, ["a"], 0.5)
