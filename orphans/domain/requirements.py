"""Which packages a repository says that it needs: names, versions and markers, and nothing else.

The text is a stranger's. Options of pip, links, paths and repositories could fetch from anywhere or run
code while installing, so only plain requirements of the packaging standard (PEP 508) are taken.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement

from orphans.domain.errors import InvalidInput

FILES: Final = ("pyproject.toml", "requirements.txt")
MAX_REQUIREMENTS: Final = 500
MAX_TEXT: Final = 2**20
CONTINUED: Final = re.compile(r"\\\r?\n")
COMMENT: Final = re.compile(r"(^|\s)#.*")
HASH: Final = re.compile(r"\s--hash[=\s]\S+")
SOME: Final = "name packages as `name>=1.2`"


def of_text(text: str, source: str) -> tuple[str, ...]:
    """Return the requirements of a `requirements.txt`; comments and hashes are left out.

    Raises:
        InvalidInput: a line is an option, a link, a path, or no requirement.
    """
    _refuse_long(text, source)
    lines = (HASH.sub("", COMMENT.sub("", line)).strip() for line in CONTINUED.sub(" ", text).splitlines())
    return _checked((line for line in lines if line), source)


def declared(texts: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a repository says that it needs, from those of `FILES` that it has, by name.

    `[project] dependencies` of its `pyproject.toml`, else its `requirements.txt`.

    Raises:
        InvalidInput: it says nothing, or something that is not taken.
    """
    told = of_pyproject(texts["pyproject.toml"]) if "pyproject.toml" in texts else None
    if told is None and "requirements.txt" in texts:
        told = of_text(texts["requirements.txt"], "requirements.txt")
    if told is None:
        raise InvalidInput(
            "the repository declares no dependencies: it has neither [project] dependencies in "
            "pyproject.toml nor a requirements.txt; give --requirements FILE",
            field="requirements",
        )
    return told


def of_pyproject(text: str) -> tuple[str, ...] | None:
    """Return `[project] dependencies` of a `pyproject.toml`; None when it declares none.

    Raises:
        InvalidInput: it is no TOML, or an entry is no plain requirement.
    """
    source = "pyproject.toml"
    _refuse_long(text, source)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{source} is no TOML: {error}", field="requirements") from None
    project = document.get("project")
    told: Any = project.get("dependencies") if isinstance(project, dict) else None
    if told is None:
        return None
    if not isinstance(told, list) or not all(isinstance(each, str) for each in told):
        raise InvalidInput(f"{source}: dependencies must be a list of texts; {SOME}", field="requirements")
    return _checked(told, source)


def _refuse_long(text: str, source: str) -> None:
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"{source} is longer than {MAX_TEXT} characters", field="requirements")


def _checked(lines: Iterable[str], source: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(_requirement(line, source) for line in lines))
    if len(found) > MAX_REQUIREMENTS:
        raise InvalidInput(
            f"{source} names {len(found)} packages, over {MAX_REQUIREMENTS}", field="requirements"
        )
    return found


def _requirement(line: str, source: str) -> str:
    shown = repr(line[:80])
    if line.startswith("-"):
        raise InvalidInput(
            f"{source}: {shown} is an option of pip, which is not taken; {SOME}", field="requirements"
        )
    try:
        requirement = Requirement(line)
    except (InvalidRequirement, RecursionError):
        raise InvalidInput(f"{source}: {shown} is no requirement; {SOME}", field="requirements") from None
    if requirement.url:
        raise InvalidInput(
            f"{source}: {shown} is a link, and only packages of the index are taken; {SOME}",
            field="requirements",
        )
    return str(requirement)
