"""Where a checkout begins to run: scripts, what tools start by name, and what commands and settings name."""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

from orphans.discovery.survey import Survey
from orphans.domain.facts import facts_of
from orphans.domain.findings import Evidence
from orphans.domain.late import late
from orphans.domain.mentions import Mention, mentions
from orphans.domain.names import INIT, base_of, folder_of, stem_of
from orphans.domain.rules import (
    DOCUMENT_FOLDERS,
    EXAMPLE_FOLDERS,
    EXAMPLE_PARTS,
    MANUAL_TOOLS,
    PACKAGING,
    ROOTS,
    SCRIPT_FOLDERS,
    Root,
)

Found = Iterator[tuple[str, Evidence]]
_VALUE = late(r'"([A-Za-z_]\w*(?:\.\w+)+)"')
_DESCRIBED = late(r"module:: (?:(?<=\n\.\. module:: )|(?<=\n\.\. py:module:: ))([A-Za-z_]\w*(?:\.\w+)+)")
_OPENS = frozenset(":=([,")
"""What a value of a setting, or one in a list of them, comes after."""
_HALF = late(r"=\s*(?:%s|%\(\w+\)s|\{\w*\})\.(\w[\w.]*):\w")
"""An entry point whose package is put in later."""
_CELL = late(rb'"[ \t]*([%!][^"\\]{3,300})')
NEWS = late(r"(?:^|/)(?:change|history|news|release|whatsnew|what_new|authors|todo|upgrad)", re.IGNORECASE)


def test_roots(survey: Survey) -> list[str]:
    """Return the files that test runners collect."""
    return [path for path in survey.names.paths if survey.is_test_file(path) and not survey.is_template(path)]


def named_roots(survey: Survey) -> Found:
    """Yield the files whose place and name make something start them."""
    for path in survey.names.paths:
        if not _is_candidate(survey, path):
            continue
        rule = next((each for each in ROOTS if _applies(survey, each, path)), None)
        if is_example(survey, path):
            yield path, Evidence(kind="example", detail="an example, which people start", path=path)
        elif is_of_manual(survey, path):
            yield path, Evidence(kind="example", detail="code that the manual shows", path=path)
        elif rule is not None:
            yield path, Evidence(kind="convention", detail=rule.reason, path=path)
        elif survey.facts[path].shebang or not stem_of(path).isidentifier():
            yield path, Evidence(kind="script", detail="a script that is run by its path", path=path, line=1)


def is_example(survey: Survey, path: str) -> bool:
    """Tell whether it is an example: it stands in a folder of them that is no part of a package."""
    folders = path.split("/")[:-1]
    first = next((at for at, each in enumerate(folders) if each in EXAMPLE_FOLDERS), None)
    if first is None or survey.in_tests(folder_of(path)):
        return False
    if "/".join(folders[:first]) in survey.names.packages:
        return False
    folder = folder_of(path)
    outside = folder not in survey.names.packages or first == len(folders) - 1
    is_top = base_of(path) == INIT and folder_of(folder) not in survey.names.packages
    return outside or is_top or stem_of(path) in EXAMPLE_PARTS


def is_of_manual(survey: Survey, path: str) -> bool:
    """Tell whether it stands in a manual that is no part of a package, and isn't what builds the manual."""
    folders = path.split("/")[:-1]
    first = next((at for at, each in enumerate(folders) if each in DOCUMENT_FOLDERS), None)
    if first is None or f"{folder_of(path)}/conf.py" in survey.names.paths:
        return False
    inside = "/".join(folders[:first]) in survey.names.packages
    return not inside and MANUAL_TOOLS.isdisjoint(folders[first:])


def _is_candidate(survey: Survey, path: str) -> bool:
    return not (survey.is_test_file(path) or survey.is_template(path))


def _applies(survey: Survey, rule: Root, path: str) -> bool:
    if rule.sign not in path or rule.pattern.fullmatch(path) is None:
        return False
    data = survey.data(path) if rule.words else b""
    return not rule.words or any(word.encode() in data for word in rule.words)


def scripts(survey: Survey, unseen: Iterable[str]) -> Found:
    """Yield those of `unseen` that do something when they are run: a main guard, or statements at the top."""
    for path in sorted(unseen):
        if not _is_candidate(survey, path):
            continue
        guarded = survey.facts[path].guarded
        outside = folder_of(path) not in survey.names.packages and base_of(path) != INIT
        if not (guarded or outside):
            continue
        detail = survey.detail(path)
        if guarded and (detail is None or detail.guarded):
            yield path, Evidence(kind="script", detail="has a main guard", path=path)
        elif outside and detail is not None and _is_script(survey, path, executes=detail.executes):
            yield path, Evidence(kind="script", detail="a script outside of any package", path=path)


def _is_script(survey: Survey, path: str, *, executes: bool) -> bool:
    if survey.in_tests(folder_of(path)):
        return False
    by_hand = not SCRIPT_FOLDERS.isdisjoint(path.split("/")[:-1])
    given = "contrib" in path.split("/")  # for people to copy
    return executes or given or (by_hand and survey.tree.python[path].executable)


def published(survey: Survey) -> Found:
    """Yield the top packages of a checkout that is packaged: users import them by name."""
    packaged = [each for each in PACKAGING if each in survey.tree.texts or each in survey.tree.python]
    if not packaged:
        return
    for folder in survey.top_packages:
        parts = set(folder.split("/"))
        if (
            survey.in_tests(folder)
            or not parts.isdisjoint(SCRIPT_FOLDERS - {folder})
            or survey.is_vendored(folder + "/x")
        ):
            continue
        if folder.count("/") <= 2:
            yield (
                f"{folder}/{INIT}",
                Evidence(kind="package", detail="the package is installed", path=packaged[0]),
            )


def manual(survey: Survey) -> Found:
    """Yield the modules that a packaged library's manual tells its users to name in their settings."""
    if any(each in survey.tree.texts or each in survey.tree.python for each in PACKAGING):
        for path in sorted(survey.tree.documents):
            if DOCUMENT_FOLDERS.isdisjoint(path.split("/")[:-1]) or NEWS.search(path):
                continue
            for line, name in _noted_offers(survey, path):
                found = survey.names.find_attribute(name)
                if found is not None and not survey.is_test(found):
                    detail = f"'{name}' is offered to users by {path}"
                    yield found, Evidence(kind="document", detail=detail, path=path, line=line)


class Offer(NamedTuple):
    """A dotted name in a manual."""

    line: int
    name: str


def _noted_offers(survey: Survey, path: str) -> list[Offer]:
    try:
        return survey.noted(path, survey.tree.documents[path], Offer, offered)
    except OSError:
        return []


def offered(text: str) -> list[Offer]:
    """Return the dotted names that a manual gives as values of settings, or describes, with their lines."""
    values = ((_opening(text, each.start()), each[1]) for each in _VALUE.finditer(text.replace("'", '"')))
    described = _DESCRIBED.finditer("\n" + text) if "module:: " in text else ()
    lines = ((text.rfind("\n", 0, each.start()) + 1, each[1]) for each in described)
    found: list[Offer] = []
    line, last = 1, 0
    for at, name in sorted([*(each for each in values if each[0] >= 0), *lines]):
        line += text.count("\n", last, at)
        last = at
        found.append(Offer(line, name))
    return found


def _opening(text: str, at: int) -> int:
    """Return where the sign is that a value at `at` comes after, blanks left out; -1 where there is none."""
    while at and text[at - 1].isspace():
        at -= 1
    return at - 1 if at and text[at - 1] in _OPENS else -1


def all_mentions(survey: Survey) -> Iterator[tuple[str, Mention]]:
    """Yield what the files around the code name, each with the file."""
    for path in sorted(survey.tree.texts):
        try:
            found = survey.noted(path, survey.tree.texts[path], Mention, partial(mentions, path))
        except OSError as error:
            survey.unreadable[path] = str(error.strerror or error)
            continue
        for each in found:
            yield path, each


def resolve(survey: Survey, text: str, near: str, *, single: bool = False) -> str | None:
    """Return the module that a name in a command, a setting or a string means."""
    text = text.strip().removeprefix("ext://")
    if text.endswith((".py", ".pyw")):
        return _script(survey, text, near)
    name, colon, inner = text.partition(":")
    words = [*name.strip(".").split("."), *(inner.split(".") if colon else ())]
    if "/" in name or not name or not all(each.isidentifier() for each in words):
        return None
    if name.startswith("."):
        return survey.names.find_relative(name, near)
    if "." not in name:
        return survey.names.find(name, near) if single or colon else None
    return survey.names.find(name, near) if colon else survey.names.find_attribute(name, near)


def _script(survey: Survey, text: str, near: str) -> str | None:
    found = survey.names.find_path(text, near)
    bare = "/" not in text.removeprefix("./")
    if found is None or not bare or folder_of(found) in ("", folder_of(near)):
        return found
    return found if survey.names.alike(found) == 1 else None


def imported_elsewhere(survey: Survey) -> Found:
    """Yield what notebooks and extension modules import."""
    for path in sorted(survey.tree.notebooks):
        for each in sorted(survey.edges.get(path, ())):
            yield each, Evidence(kind="notebook", detail=f"imported by the notebook {path}", path=path)
        for each in _named_by_cells(survey, path):
            yield each, Evidence(kind="notebook", detail=f"used by the notebook {path}", path=path)
    for path in sorted(survey.tree.extensions):
        for name in facts_of(survey.data(path)).imports:
            is_relative = name.startswith(".")
            found = survey.names.find_relative(name, path) if is_relative else survey.names.find(name, path)
            if found is not None:
                yield found, Evidence(kind="import", detail=f"imported by {path}", path=path)


def _named_by_cells(survey: Survey, path: str) -> Iterator[str]:
    """Yield what the commands of a notebook load or run: `%load_ext a.b`, `%run x.py`, `!python -m a.b`."""
    for match in _CELL.finditer(survey.data(path)):
        text = match[1].decode("utf-8", "replace")
        names = [each.text for each in mentions("cell.sh", text)]
        names += text.split()[1:2] if text.startswith("%load_ext") else []
        for name in names:
            found = resolve(survey, name, path, single=True)
            if found is not None:
                yield found


def packaged(survey: Survey) -> Iterator[tuple[str, Mention]]:
    """Yield the entry points that the strings of a `setup.py` declare."""
    for path in (each for each in survey.names.paths if base_of(each) == "setup.py"):
        detail = survey.detail(path)
        for each in detail.strings if detail is not None else ():
            if "=" in each.text:
                for mention in mentions("setup.cfg", f"[options.entry_points]\n{each.text}"):
                    yield path, Mention(mention.text, each.line, "entry point", single=True)
        for match in _HALF.finditer(survey.data(path).decode("utf-8", "replace")):
            yield path, Mention(f"{match[1]}.entry", 1, "handler")


def mentioned(survey: Survey) -> Iterator[tuple[str, Evidence, bool]]:
    """Yield the modules that the files around the code name, and whether only tests use the file."""
    for path, each in (*all_mentions(survey), *packaged(survey)):
        tests = each.tests or survey.in_tests(folder_of(path))
        kind = "entry point" if path in PACKAGING else "command" if each.how == "command" else "setting"
        for target in _targets(survey, each, path):
            detail = f"{kind} '{each.text}' in {path}"
            yield target, Evidence(kind=kind, detail=detail, path=path, line=each.line), tests


def _targets(survey: Survey, mention: Mention, path: str) -> Iterator[str]:
    if mention.text.endswith(".*"):
        package = survey.names.find(mention.text[:-2], path)
        if package is not None and base_of(package) == INIT:
            yield from survey.names.below(folder_of(package), deep=False)
        return
    found = resolve(survey, mention.text, path, single=mention.single) or _beside(survey, mention, path)
    if found is not None:
        yield found
    if (
        found is not None
        and base_of(found) == INIT
        and f"{folder_of(found)}/__main__.py" in survey.names.paths
    ):
        yield f"{folder_of(found)}/__main__.py"
    if found is None and "/" in mention.text and mention.how.startswith("[alembic"):
        yield from (
            each for each in survey.names.paths if each.endswith(f"{mention.text.strip('./')}/env.py")
        )


def _beside(survey: Survey, mention: Mention, path: str) -> str | None:
    """Return the module that a file names as seen from its own folder, or a handler from wherever it runs."""
    if mention.how == "handler":
        return survey.names.find(mention.text.rpartition(".")[0], path, loose=True)
    if not mention.single or not re.fullmatch(r"[\w./-]+", mention.text):
        return None
    place = mention.text.strip("./")
    inside = "/".join(filter(None, [folder_of(path), place]))
    return survey.names.at(inside) or survey.names.at(place)
