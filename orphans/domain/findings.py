"""What a scan of a checkout found, as values: modules nothing live reaches, and why.

Paths are repository-relative POSIX paths everywhere, so two files of one name never collide.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple


class Classification(StrEnum):
    """What a module that no root reaches is."""

    #: others of the repository are tied to it, but nothing live reaches them
    ORPHAN = "orphan"
    #: neither imports nor is imported inside the repository
    ISOLATED = "isolated"
    #: only tests reach it
    TEST_ONLY = "test_only"
    #: contained in, or superseded by, a live module
    REDUNDANT = "redundant"
    #: retired by its own evidence: its warning, docstring, path or history
    LEGACY = "legacy"
    #: a run of it did more than the threshold allows
    HEAVY_SIDE_EFFECTS = "heavy_side_effects"
    #: nobody imports it, but a published library may offer it to its users
    PUBLIC_UNREFERENCED = "public_unreferenced"


class Reading(StrEnum):
    """How to read a module that nobody imports."""

    #: an orphan, with less confidence where the project's own documents show how to import it
    AUTO = "auto"
    #: a published library: public modules may be used by others
    LIBRARY = "library"
    #: nobody else imports it
    APPLICATION = "application"


class Evidence(NamedTuple):
    """One fact behind a verdict, with its place."""

    kind: str
    detail: str
    path: str | None = None
    line: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {"kind": self.kind, "detail": self.detail, "path": self.path, "line": self.line}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Evidence":
        """Return what `to_json` wrote."""
        return cls(kind=row["kind"], detail=row["detail"], path=row["path"], line=row["line"])


class Finding(NamedTuple):
    """One module that is not live."""

    path: str
    classification: Classification
    #: 0 to 1
    confidence: float
    #: one sentence for people
    reason: str
    #: modules inside the same island or chain that import it
    parents: tuple[str, ...] = ()
    #: from the head of its island down to it
    chain: tuple[str, ...] = ()
    redundant: bool = False
    twin: str | None = None
    #: share of this module that the twin contains, 0 to 1
    similarity: float | None = None
    evidence: tuple[Evidence, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON, without its path."""
        return {
            "parents": list(self.parents),
            "chain": list(self.chain),
            "classification": self.classification.value,
            "redundant": self.redundant,
            "twin": self.twin,
            "similarity": self.similarity,
            "confidence": self.confidence,
            "reason": self.reason,
            "evidence": [each.to_json() for each in self.evidence],
        }

    @classmethod
    def from_json(cls, path: str, row: Mapping[str, Any]) -> "Finding":
        """Return what `to_json` wrote of the module at `path`. Raises KeyError, TypeError or ValueError."""
        return cls(
            path=path,
            classification=Classification(row["classification"]),
            parents=tuple(row["parents"]),
            chain=tuple(row["chain"]),
            redundant=row["redundant"],
            twin=row["twin"],
            similarity=row["similarity"],
            confidence=row["confidence"],
            reason=row["reason"],
            evidence=tuple(Evidence.from_json(each) for each in row["evidence"]),
        )


class Scan(NamedTuple):
    """Everything one scan of a checkout told."""

    modules: int
    edges: int
    seconds: float
    findings: Mapping[str, Finding] = MappingProxyType({})
    isolated: tuple[str, ...] = ()
    #: files that could not be read as Python 3, with the reason
    unreadable: Mapping[str, str] = MappingProxyType({})

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON; `orphans` maps each path to its finding."""
        return {
            "modules": self.modules,
            "edges": self.edges,
            "orphans": {path: each.to_json() for path, each in sorted(self.findings.items())},
            "isolated": list(self.isolated),
            "unreadable": dict(sorted(self.unreadable.items())),
            "seconds": self.seconds,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Scan":
        """Return what `to_json` wrote. Raises KeyError, TypeError or ValueError."""
        return cls(
            modules=row["modules"],
            edges=row["edges"],
            findings={path: Finding.from_json(path, each) for path, each in row["orphans"].items()},
            isolated=tuple(row["isolated"]),
            unreadable=dict(row["unreadable"]),
            seconds=row["seconds"],
        )
