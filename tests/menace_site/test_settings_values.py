"""Every variable, one by one: what it takes is taken, what it doesn't take is refused by its name."""

import re
import types
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from menace_site.sandbox_settings import IN_DATA_DIR, BadSettings, SandboxSettings
from menace_site.sandbox_settings.describing import allowed
from menace_site.sandbox_settings.fields import WORDS, note_of
from menace_site.sandbox_settings.modules import MIRRORED

FIELDS = SandboxSettings.model_fields
VARIABLES = [(variable, name) for name, field in FIELDS.items() for variable in note_of(field).variables]
FREE = ("a path", "a text", "a secret text", "names separated", "paths separated", "the path of a JSON")
"""What takes any text."""


def read(**environ: str) -> SandboxSettings:
    return SandboxSettings.from_environ(environ)


def limits(field: FieldInfo) -> dict[str, float]:
    """Return the bounds of a number by pydantic's names."""
    words = ("ge", "gt", "le", "lt")
    found = ((word, getattr(each, word, None)) for each in field.metadata for word in words)
    return {word: float(value) for word, value in found if value is not None}


def kind_of(field: FieldInfo) -> Any:
    annotation: Any = field.annotation
    if get_origin(annotation) in (Union, types.UnionType):
        return next(part for part in get_args(annotation) if part is not type(None))
    return annotation


def is_number(name: str) -> bool:
    return kind_of(FIELDS[name]) in (int, float)


def takes_anything(name: str) -> bool:
    return allowed(FIELDS[name]).startswith(FREE) and not limits(FIELDS[name])


BAD = [(variable, name) for variable, name in VARIABLES if not takes_anything(name)]
NUMBERS = [(variable, name) for variable, name in VARIABLES if is_number(name)]
BOUNDS = [(variable, name, word) for variable, name in NUMBERS for word in limits(FIELDS[name])]


def refusal(variable: str, value: str) -> str:
    with pytest.raises(BadSettings) as caught:
        read(**{variable: value})
    (line,) = caught.value.problems
    return line


def test_the_lists_below_are_not_empty() -> None:
    assert len(VARIABLES) > 70
    assert len(BAD) > 50
    assert len(BOUNDS) > 40


@pytest.mark.parametrize(("variable", "name"), BAD)
def test_rubbish_is_refused_by_name_value_and_what_would_do(variable: str, name: str) -> None:
    line = refusal(variable, "[rubbish")
    assert line.startswith(f"{variable}=")
    assert line.endswith(f" is not allowed; it takes {allowed(FIELDS[name])}")


@pytest.mark.parametrize(("variable", "name"), NUMBERS)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "0x10", "1,5", "\u0661\u0662x", "--1"])
def test_a_number_is_a_finite_plain_one(variable: str, name: str, value: str) -> None:
    assert refusal(variable, value).startswith(f"{variable}={value!r} is not allowed; it takes a ")


@pytest.mark.parametrize(("variable", "name", "word"), BOUNDS)
def test_a_bound_is_taken_or_not_as_it_says(variable: str, name: str, word: str) -> None:
    bound, whole = limits(FIELDS[name])[word], kind_of(FIELDS[name]) is int
    step = 1 if whole else max(1e-6, abs(bound) * 1e-9)
    beyond = bound - step if word in ("ge", "gt") else bound + step
    texts = [f"{value:.0f}" if whole else repr(value) for value in (bound, beyond)]
    assert refusal(variable, texts[1]).startswith(variable)
    if word in ("gt", "lt"):
        assert refusal(variable, texts[0]).startswith(variable)
    elif not variable.startswith("AUTOSCALE_M") and not variable.startswith("ALIGNMENT_"):
        assert getattr(read(**{variable: texts[0]}), name) == bound


def shown(value: Any) -> str:
    """Return a default as somebody would write it into an environment."""
    if isinstance(value, bool):
        return f"{value:d}"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


@pytest.mark.parametrize(("variable", "name"), VARIABLES)
def test_a_default_written_down_is_the_default(variable: str, name: str) -> None:
    default = FIELDS[name].default
    if default in (None, []) or name in IN_DATA_DIR:
        assert getattr(read(**{variable: "  "}), name) == getattr(read(), name)
    else:
        assert getattr(read(**{variable: shown(default)}), name) == getattr(read(), name)


SWITCHES = [(variable, name) for variable, name in VARIABLES if FIELDS[name].annotation is bool]


@pytest.mark.parametrize(("variable", "name"), SWITCHES)
def test_a_switch_moves_itself_and_what_follows_it(variable: str, name: str) -> None:
    usual = read().model_dump()
    changed = read(**{variable: shown(not usual[name])}).model_dump()
    moved = {key for key in usual if changed[key] != usual[key]}
    assert moved == {name, *followers(name)}


def followers(name: str) -> set[str]:
    direct = {key for key, leader in MIRRORED.items() if leader == name}
    return direct.union(*(followers(each) for each in direct))


@pytest.mark.parametrize("word", [*WORDS, *(word.upper() for word in WORDS)])
def test_a_switch_reads_each_word(word: str) -> None:
    assert read(MENACE_DEBUG=word).debug is WORDS[word.lower()]


@pytest.mark.parametrize("word", ["2", "-1", "enable", "y", "t", "ja", "01", "1.0", "true false"])
def test_a_switch_reads_no_other_word(word: str) -> None:
    assert refusal("MENACE_DEBUG", word).startswith(f"MENACE_DEBUG={word!r}")


LITERALS = [(variable, name) for variable, name in VARIABLES if get_origin(kind_of(FIELDS[name])) is Literal]


@pytest.mark.parametrize(("variable", "name"), LITERALS)
def test_a_choice_takes_its_words_alone(variable: str, name: str) -> None:
    for word in get_args(kind_of(FIELDS[name])):
        assert getattr(read(**{variable: word}), name) == word
        assert refusal(variable, f"{word}x").startswith(variable)


@pytest.mark.parametrize("rate", ["0/min", "-1/min", "5", "5/", "/min", "5/fortnight", "5 /min", "1.5/s"])
def test_a_rate_of_another_form_is_refused(rate: str) -> None:
    assert refusal("MENACE_API_RATE", rate).startswith("MENACE_API_RATE=")


SECRETS = [(variable, name) for variable, name in VARIABLES if SecretStr in get_args(FIELDS[name].annotation)]


@pytest.mark.parametrize(("variable", "name"), SECRETS)
def test_a_secret_is_in_no_text_that_somebody_may_print(variable: str, name: str) -> None:
    settings = read(**{variable: "c4n4ry-s3cr3t"})
    for text in (repr(settings), str(settings), settings.model_dump_json(), repr(settings.model_dump())):
        assert "c4n4ry" not in text
    assert getattr(settings, name).get_secret_value() == "c4n4ry-s3cr3t"


@pytest.mark.parametrize(("variable", "name"), SECRETS)
def test_a_secret_is_not_shown_beside_another_fault(variable: str, name: str) -> None:
    with pytest.raises(BadSettings) as caught:
        read(**{variable: "c4n4ry-s3cr3t", "MENACE_STEP_RETRIES": "x"})
    assert "c4n4ry" not in f"{caught.value} {caught.value.problems}"


def faults(environ: dict[str, str]) -> list[str]:
    """Return the variables that are refused."""
    try:
        SandboxSettings.from_environ(environ)
    except BadSettings as error:
        return [re.split("[= ]", line)[0] for line in error.problems] or ["nothing named"]
    return []


some = st.dictionaries(st.sampled_from([each for each, _ in VARIABLES]), st.text(max_size=12), max_size=4)


@profile(max_examples=40, deadline=None)
@given(some)
def test_any_environment_is_read_or_refused_by_name(environ: dict[str, str]) -> None:
    refused = faults(environ)
    assert set(refused) <= set(dict(VARIABLES))
    assert len(refused) == len(set(refused))
    left = {variable: value for variable, value in environ.items() if variable not in refused}
    assert faults(left) == []
