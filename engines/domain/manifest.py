"""The manifest of a bot: `[tool.menace]` of its `pyproject.toml`, or a `menace.toml`.

`parse` turns text into values and refuses what is wrong with file, key, reason and way out;
`manifest_check.check` then looks whether what it names exists. A repository without a manifest is
valid: it has no pipeline, no workflows and no value model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from engines.domain.errors import ManifestError
from engines.domain.manifest_reading import (
    Table,
    check_glob,
    check_path,
    check_reference,
    check_word,
    table_of,
)

FILES: Final = ("menace.toml", "pyproject.toml")
"""Where a manifest may stand; one of them, not both."""

MAX_WORKFLOWS: Final = 100
MAX_STEPS: Final = 100

Direction = Literal["max", "min"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What the bot's work is worth, all in one currency."""

    #: the metric that pays, such as "accuracy" or "mae"
    metric: str
    #: whether more or less of it is better
    direction: Direction = "max"
    #: value of a change of 1.0 of the metric in the good direction
    unit_value: float = 0.0
    #: value of one successful run of a workflow
    value_per_success: float = 0.0
    #: price of one hour of one CPU
    cpu_hour_cost: float = 0.0
    #: price of a thousand tokens of a language model
    token_cost_per_1k: float = 0.0
    #: CPU time is billed in steps of so many seconds, rounded up; 0 bills it exactly
    cpu_billing_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """Ordered steps `module:function`, each taking and returning a payload."""

    name: str
    steps: tuple[str, ...]
    #: JSON file of the repository that the first step gets; None: the first step gets null
    input: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseBudget:
    """What a cycle of energy 1 may spend on its search."""

    cpu_seconds: float = 60.0
    trials: int = 30


BASE_BUDGET: Final = BaseBudget()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything a bot says of itself."""

    #: the file it came from; empty when the repository has none
    file: str = ""
    #: `package.module:factory`, see docs/howto/attach-a-repository.md
    pipeline: str | None = None
    value: Value | None = None
    workflows: Mapping[str, Workflow] = field(default_factory=dict)
    #: scripts (paths) and `module:function` that are run from outside
    entry_points: tuple[str, ...] = ()
    #: folders and files of tests
    tests: tuple[str, ...] = ()
    #: globs of files that no patch may touch
    protected: tuple[str, ...] = ()
    #: folders to import from, relative to the repository
    import_paths: tuple[str, ...] = (".",)
    budget: BaseBudget = BASE_BUDGET
    #: seconds between two scheduled cycles; None: no schedule
    every_seconds: float | None = None


EMPTY: Final = Manifest()


def parse(text_by_file: Mapping[str, str]) -> Manifest:
    """Return the manifest that stands in the given files (`FILES`; others are ignored).

    Raises:
        ManifestError: names the file, the key, what is wrong and what would do.
    """
    found = [
        (name, table)
        for name in FILES
        if name in text_by_file and (table := table_of(name, text_by_file[name]))
    ]
    if len(found) > 1:
        raise ManifestError(
            "menace.toml: the repository also has [tool.menace] in pyproject.toml; keep one of them",
            file="menace.toml",
        )
    return _manifest(found[0][1]) if found else EMPTY


def _manifest(table: Table) -> Manifest:
    """Read the top table."""
    manifest = Manifest(
        file=table.file,
        pipeline=table.text("pipeline", check_reference),
        value=_value(table.table("value")),
        workflows=_workflows(table.table("workflows")),
        entry_points=table.texts("entry_points", check_entry_point),
        tests=table.texts("tests", check_path),
        protected=table.texts("protected", check_glob),
        import_paths=table.texts("import_paths", check_path) or (".",),
        budget=_budget(table.table("budget")),
        every_seconds=_schedule(table.table("schedule")),
    )
    table.finish()
    if manifest.pipeline is not None and manifest.value is None:
        raise table.error("value", "is missing, so no cycle could say what it gained", "add a [value] table")
    return manifest


def check_entry_point(text: str) -> str:
    """Accept a script's path or `module:function`."""
    return check_reference(text) if ":" in text else check_path(text)


def _value(table: Table | None) -> Value | None:
    if table is None:
        return None
    metric = table.text("metric", check_word)
    if metric is None:
        raise table.error("metric", "is missing", 'say which metric pays, such as metric = "accuracy"')
    direction = table.choice("direction", ("max", "min"), "max")
    value = Value(
        metric=metric,
        direction="min" if direction == "min" else "max",
        unit_value=table.number("unit_value", 0.0, low=0.0, high=1e12),
        value_per_success=table.number("value_per_success", 0.0, low=0.0, high=1e12),
        cpu_hour_cost=table.number("cpu_hour_cost", 0.0, low=0.0, high=1e9),
        token_cost_per_1k=table.number("token_cost_per_1k", 0.0, low=0.0, high=1e9),
        cpu_billing_seconds=table.number("cpu_billing_seconds", 0.0, low=0.0, high=86_400.0),
    )
    table.finish()
    return value


def _workflows(table: Table | None) -> dict[str, Workflow]:
    if table is None:
        return {}
    names = table.keys()
    if len(names) > MAX_WORKFLOWS:
        raise table.error("", f"names {len(names)} workflows", f"keep to {MAX_WORKFLOWS}")
    return {name: _workflow(table, name) for name in names}


def _workflow(parent: Table, name: str) -> Workflow:
    try:
        check_word(name)
    except ValueError as error:
        raise parent.error(name, str(error), "rename the workflow") from None
    table = parent.table(name)
    if table is None:
        raise parent.error(name, "must be a table", f"write [workflows.{name}]")
    steps = table.texts("steps", check_reference, most=MAX_STEPS, repeats=True)
    if not steps:
        raise table.error(
            "steps", "is missing or empty", 'list functions, such as steps = ["bot.steps:load"]'
        )
    workflow = Workflow(name=name, steps=steps, input=table.text("input", check_path))
    table.finish()
    return workflow


def _budget(table: Table | None) -> BaseBudget:
    if table is None:
        return BASE_BUDGET
    budget = BaseBudget(
        cpu_seconds=table.number("cpu_seconds", BASE_BUDGET.cpu_seconds, low=0.1, high=1e6),
        trials=table.integer("trials", BASE_BUDGET.trials, low=1, high=100_000),
    )
    table.finish()
    return budget


def _schedule(table: Table | None) -> float | None:
    if table is None:
        return None
    seconds = table.optional_number("every_seconds", low=10.0, high=31_536_000.0)
    table.finish()
    return seconds
