"""The sentences of the promotion gate: what was seen, and what would change it."""

from collections.abc import Mapping, Sequence
from typing import Final

Said = tuple[str, str]
"""What was seen, and what would make it better."""

MISSING: Final[Mapping[str, Said]] = {
    "gain": (
        "Whether it is better than what is live was not measured.",
        "A cycle that compares it with what is live, and a value model in the bot's manifest.",
    ),
    "history": (
        "Nothing is known of the subject's ROI history.",
        "Cycles whose ROI is measured.",
    ),
    "risk": (
        "There is no forecast of a collapse: Insufficient data.",
        "More measured cycles, after which the forecast is made.",
    ),
    "brittle": (
        "Whether it is brittle was not measured.",
        "Its runs through the hard stages beside what is live, or a forecast that saw the entropy rise.",
    ),
    "p_collapse": (
        "The probability of a collapse was not measured.",
        "A forecast made after the latest cycle.",
    ),
    "projection": (
        "The ROI ahead was not projected.",
        "A forecast made after the latest cycle.",
    ),
    "confidence": (
        "The forecast's confidence is not known: no forecast has been compared with what came.",
        "A cycle after a forecast, so that the two can be compared.",
    ),
    "impact": (
        "What it does to workflows that depend on it was not measured.",
        "A graph of the bot's workflows, estimated from runs.",
    ),
    "flags": (
        "Its code was not looked at for alignment flags.",
        "A flagger that looks at the code.",
    ),
    "self_tests": (
        "Its code was not self-tested.",
        "A self-test of the module in the sandbox.",
    ),
    "freshness": (
        "When the evidence was gathered is not known.",
        "Fresh evidence.",
    ),
}

NO_GAIN: Final[Said] = (
    "It is not significantly better than what is live.",
    "A candidate whose gain is significant.",
)
BRITTLE: Final[Said] = (
    "It is brittle: a little more entropy, or hard conditions, cost it much ROI.",
    "Runs under hard conditions, and cycles, in which it loses no more than what is live.",
)
NO_CODE_ENTROPY: Final = "Entropy was not measured, and it makes no other code run that could raise it."
NOT_BRITTLE: Final = (
    "It is not brittle: neither changes of entropy nor hard conditions were seen to cost much ROI."
)
NO_DEPENDANTS: Final = "No other workflow depends on it."
NO_CODE_FLAGS: Final = "It makes no other code run, so there is nothing to flag."
NO_CODE_TESTS: Final = "It makes no other code run, so there is nothing to self-test."
NO_TESTS: Final[Said] = (
    "No self-test of its code passed.",
    "A self-test of the module that passes in the sandbox.",
)
LABELS: Final = "“Stable” or “Slow decay”"


def verdict(word: str, against: Sequence[str], unmeasured: Sequence[str] = ()) -> str:
    """Return the verdict in one sentence, with the reason that counts most, or with what nobody measured."""
    if word == "promote":
        missing = f"; not measured: {', '.join(unmeasured)}" if unmeasured else ""
        return f"Promote: nothing speaks against it{missing}."
    start = "Hold" if word == "hold" else "Block"
    more = f" (and {len(against) - 1} more)" if len(against) > 1 else ""
    return f"{start}: {against[0]}{more}" if against else start


def gain(worth: float) -> str:
    """Say that it pays."""
    return f"It is significantly better than what is live, worth {worth:+.4g} after its cost."


def never_pays(worth: float) -> Said:
    """Say that it doesn't."""
    return (
        f"It is better than what is live, but worth {worth:+.4g} after its cost.",
        "A candidate that is worth more than it costs.",
    )


def insufficient(seen: int, least: int, enough: int) -> Said:
    """Say how many cycles are missing until there is a verdict at all."""
    return (
        f"Insufficient data: {_cycles(seen)} measured, and a verdict takes {least}.",
        f"{_cycles(least - seen)} more for a first verdict, {_cycles(enough - seen)} more for a full one.",
    )


def low_evidence(seen: int, enough: int) -> Said:
    """Say how many cycles are missing until the verdict counts."""
    return (
        f"Low evidence: the forecast stands on {_cycles(seen)}, and {enough} are needed.",
        f"{_cycles(enough - seen)} more.",
    )


def unsafe(label: str) -> Said:
    """Say that the forecast's label forbids it."""
    return f"The forecast is “{label}”.", f"Cycles after which the forecast is {LABELS}."


def unknown_label(label: str) -> Said:
    """Say that nobody knows what the label means."""
    return f"The forecast says “{label[:40]}”, which is no known label.", f"A forecast that says {LABELS}."


def likely_collapse(chance: float, limit: float) -> Said:
    """Say how likely a collapse is."""
    return (
        f"A collapse has a probability of {chance:.0%}; the policy bears {limit:.0%}.",
        "Cycles after which a collapse is less likely, or a policy that bears more.",
    )


def sure_loss(index: int, mean: float, floor: float) -> Said:
    """Say which event ahead is a loss even at the upper end of its interval."""
    return (
        f"It is projected to lose: cycle {index + 1} ahead brings {mean:+.4g}, and even the upper end of the "
        f"80 % interval is not above {floor:g}.",
        f"Cycles whose ROI is above {floor:g}.",
    )


def doubtful(index: int, mean: float, floor: float) -> Said:
    """Say which event ahead may be a loss."""
    return (
        f"It may lose: cycle {index + 1} ahead is projected to bring {mean:+.4g}, not above {floor:g}.",
        f"Cycles after which every horizon's projected ROI is above {floor:g}.",
    )


def projected(least: float, horizons: int, floor: float) -> str:
    """Say that every event ahead pays."""
    return f"The projected ROI of all {horizons} cycles ahead is {least:+.4g} or more, above {floor:g}."


def unsure(sure: float, tau: float) -> Said:
    """Say how far the forecasts were off."""
    return (
        f"The forecast's confidence is {sure:.2f}, under {tau:.2f}: earlier forecasts were too far off.",
        "Cycles that come as they were forecast.",
    )


def harmed(name: str, worst: float, floor: float) -> Said:
    """Say which dependant loses most."""
    return (
        f"It costs {name[:80]}, which depends on it, {worst:+.4g} (not under {floor:g} is allowed).",
        "A candidate that leaves its dependants as they are.",
    )


def unharmed(count: int, name: str, worst: float) -> str:
    """Say that no dependant loses."""
    many = "workflow depends" if count == 1 else "workflows depend"
    return f"{count} {many} on it; the least gain is {name[:80]}'s with {worst:+.4g}."


def flagged(severity: float, limit: float) -> Said:
    """Say how severe the worst flag is."""
    return (
        f"An alignment flag has a severity of {severity:.2f}; it must be under {limit:.2f}.",
        "A change without that flag, or a flag that a person has found to be harmless.",
    )


def failed_tests(failed: int) -> Said:
    """Say how many self-tests failed."""
    return f"{failed} of its self-tests failed.", "Self-tests that pass."


def stale(why: Sequence[str]) -> Said:
    """Say what has changed since."""
    return f"The evidence is stale: {'; '.join(why)}.", "Fresh evidence: have the gate look again."


def old(age: float, limit: float) -> Said:
    """Say how old the evidence is."""
    return (
        f"The evidence is {age:.0f} hours old; after {limit:g} hours it doesn't count.",
        "Fresh evidence: have the gate look again.",
    )


def fresh(age: float) -> str:
    """Say that the evidence is young."""
    return "The evidence was gathered just now." if age < 0.05 else f"The evidence is {age:.1f} hours old."


def _cycles(count: int) -> str:
    return f"{count} cycle" if count == 1 else f"{count} cycles"
