"""Calls of a module's functions with inputs made from their annotations.

Everything here executes code of a bot and is only ever called behind the sandbox. A made input fits the
annotation, not what the author had in mind, so an exception alone says little and is only told. Some
exceptions no input can be blamed for: a name that isn't defined, an import that is gone, a call that
doesn't fit what it calls. Those are how forgotten code breaks, and they are raised: so the test fails.
"""

import inspect
import operator
import re
import signal
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from types import FrameType, ModuleType
from typing import Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

from orphans.domain.probing import (
    MAX_CALLS,
    TEXT,
    Job,
    Lines,
    call_all,
    describable,
    finish,
    imported,
    needed,
    place_of,
)

INPUTS: Final = 5
"""Inputs a function is called with; more find little more, and each may take its second."""
CALL_SECONDS: Final = 1.0
PLAIN: TypeAlias = int | str | list[int] | None
"""What stands for `Any`: it has values of its own in no library of types."""
MISFIT: Final = re.compile(
    r"missing \d+ required|unexpected keyword argument|takes .* positional arguments? but|"
    r"multiple values for argument"
)

Arguments = Mapping[str, Any]


class TooLong(BaseException):
    """A call took over a second. No `Exception`, so that no function catches it as one of its own."""


@dataclass(frozen=True, slots=True)
class Made:
    """A function, what it is called with, and what it raised."""

    name: str
    function: Callable[..., Any]
    inputs: list[Arguments] = field(default_factory=list)
    raised: Counter[str] = field(default_factory=Counter)

    def told(self) -> dict[str, Any]:
        """Return the number of inputs and of exceptions by class."""
        return {"inputs": len(self.inputs), "raised": dict(self.raised)}


def call_made(payload: Mapping[str, Any], job: Job) -> dict[str, Any]:
    """Import the module of `payload` (`path`, `module`), call what needs no argument, then what needs some.

    Returns the functions called (`called`), `made` (function → number of inputs, exceptions by class), the
    share of lines that ran and calls by function. Raises what no input can be blamed for.
    """
    place = place_of(payload, job)
    with Lines(place) as lines:
        module = imported(payload["module"], place)
        called = call_all(module)
    made = _with_inputs(module, job)
    with lines:
        for each in made:
            _call_with_all(each)
    told = {each.name[:TEXT]: each.told() for each in made}
    names = [*called, *told][:MAX_CALLS]
    return {"called": names, "made": told, "lines": lines.share(), "functions": lines.calls()}


def _call_with_all(made: Made) -> None:
    """Call with one input after the other; one that takes too long is the last."""
    for number, arguments in enumerate(made.inputs, 1):
        try:
            with time_limit(CALL_SECONDS):
                finish(_apply(made.function, arguments))
        except (Exception, SystemExit, TooLong) as error:
            if is_broken(error):
                raise
            made.raised[type(error).__name__[:TEXT]] += 1
            if isinstance(error, TooLong):
                del made.inputs[number:]


def is_broken(error: BaseException) -> bool:
    """Return whether the code is broken whatever the input was."""
    if isinstance(error, AttributeError):
        return isinstance(error.obj, ModuleType)
    misfit = isinstance(error, TypeError) and MISFIT.search(str(error)) is not None
    return misfit or isinstance(error, NameError | ImportError)


def _apply(function: Callable[..., Any], arguments: Arguments) -> Any:
    kinds = {name: each.kind for name, each in inspect.signature(function).parameters.items()}
    first = [value for name, value in arguments.items() if kinds[name].name == "POSITIONAL_ONLY"]
    rest = {name: value for name, value in arguments.items() if kinds[name].name != "POSITIONAL_ONLY"}
    return function(*first, **rest)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TooLong` in the main thread when the block takes longer."""

    def over(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# ------------------------------------------------------------------ inputs


def _with_inputs(module: ModuleType, job: Job) -> list[Made]:
    """Return the functions for which inputs can be made, with them."""
    from hypothesis import configuration, strategies  # a fifth of a second, and many modules need none

    configuration.set_hypothesis_home_dir(str(job.scratch))
    letters = strategies.sampled_from("abc xyz-_./0129é")
    strategies.register_type_strategy(int, strategies.integers(-8, 8))
    strategies.register_type_strategy(float, strategies.floats(-8, 8, width=16))
    strategies.register_type_strategy(str, strategies.text(letters, max_size=8))
    made = (Made(name, function, _inputs(function)) for name, function in describable(module))
    return [each for each in made if each.inputs]


def _inputs(function: Callable[..., Any]) -> list[Arguments]:
    """Return what to call the function with; nothing when its annotations name what can't be made."""
    import hypothesis
    from hypothesis import strategies

    drawn: list[Arguments] = []
    settings = hypothesis.settings(
        max_examples=INPUTS,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    try:
        with time_limit(CALL_SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            hints = get_type_hints(function)
            parts = {each.name: strategies.from_type(concrete(hints[each.name])) for each in needed(function)}
            keep = hypothesis.given(strategies.fixed_dictionaries(parts))(lambda given: drawn.append(given))
            settings(keep)()
    except (Exception, SystemExit, TooLong):  # noqa: BLE001 - whatever a bot's annotations and constructors raise
        return []
    return drawn


def concrete(hint: Any) -> Any:
    """Return an annotation with something that has values in the place of `Any` and `object`."""
    if hint is Any or hint is object:
        return PLAIN
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return reduce(operator.or_, map(concrete, inner))
    if not isinstance(origin, type) or not all(map(_is_type, inner)):
        return hint
    generic: Any = origin
    return generic[tuple(map(concrete, inner))]


def _is_type(part: Any) -> bool:
    """Return whether a part of an annotation is one itself, and not a literal, a list or an ellipsis."""
    return part is Any or isinstance(part, type) or get_origin(part) is not None
