"""Which modules a self-test executes, and why it leaves the others alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from orphans.domain.findings import Classification

WITHHELD: Final[Mapping[Classification, str]] = {
    Classification.TEST_ONLY: "only tests reach it: they run it already, so there is nothing to bring back",
    Classification.PUBLIC_UNREFERENCED: "a published library may offer it to its users; not executed unasked",
}
NEVER_MAPPED: Final = frozenset(
    {
        Classification.REDUNDANT,
        Classification.LEGACY,
        Classification.HEAVY_SIDE_EFFECTS,
        Classification.TEST_ONLY,
        Classification.PUBLIC_UNREFERENCED,
    }
)
"""Classes that may be executed but never enter the module map or a workflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """What a person or the settings allow."""

    #: follow orphan modules through their imports; off: heads of islands alone
    recursive_orphans: bool = True
    #: the same for what a file lists as isolated
    recursive_isolated: bool = True
    #: take isolated modules at all
    isolated: bool = True
    #: execute what was judged redundant or legacy
    redundant: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What the choice needs to know of a module."""

    path: str
    classification: Classification
    parents: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    redundant: bool = False
    #: why a run of the same content was too heavy; empty: it wasn't, or wasn't run
    heavy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Paths to execute, in order, and paths left alone with the reason."""

    run: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)


def choose(
    candidates: Iterable[Candidate], switches: Switches, *, named: frozenset[str] = frozenset()
) -> Choice:
    """Return what to execute. `named` were asked for by name: only recursion and weight keep them out."""
    reasons = {each.path: _withheld(each, switches, named) for each in candidates}
    return Choice(
        run=tuple(path for path, reason in reasons.items() if not reason),
        skipped={path: reason for path, reason in reasons.items() if reason},
    )


def _withheld(each: Candidate, switches: Switches, named: frozenset[str]) -> str:
    if each.heavy:
        return each.heavy
    if each.path in named:
        return ""
    if each.classification in WITHHELD:
        return WITHHELD[each.classification]
    if (each.redundant or each.classification in NEVER_MAPPED) and not switches.redundant:
        return f"{each.classification}: not executed while SANDBOX_TEST_REDUNDANT is off"
    if each.classification is Classification.ISOLATED:
        return "" if switches.isolated else "isolated modules are not looked for"
    return _unfollowed(each, switches, named)


def _unfollowed(each: Candidate, switches: Switches, named: frozenset[str]) -> str:
    """Say why a helper inside a chain is not followed."""
    if not each.parents:
        return ""
    follows = switches.recursive_isolated if set(each.chain) & named else switches.recursive_orphans
    return "" if follows else "a helper inside a chain, and recursion is off"


def may_be_mapped(classification: Classification, *, redundant: bool) -> bool:
    """Tell whether a module of this class may enter the module map once its test passed."""
    return not redundant and classification not in NEVER_MAPPED


def worth_it(
    roi: float | None, synergy: float | None, *, roi_threshold: float, synergy_threshold: float
) -> bool:
    """Tell whether measured numbers reach at least one of the thresholds.

    What was not measured reaches none; where neither was, the thresholds say nothing and nothing is refused.
    """
    measured = [(roi, roi_threshold), (synergy, synergy_threshold)]
    known = [(value, least) for value, least in measured if value is not None]
    return not known or any(value >= least for value, least in known)
