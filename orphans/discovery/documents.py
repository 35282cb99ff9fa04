"""Which unreferenced modules the project's own documents show its users how to import."""

import re
from collections.abc import Collection

from orphans.discovery.survey import Survey
from orphans.domain.findings import Evidence
from orphans.domain.late import late
from orphans.domain.names import folder_of

_IMPORT = late(r"^\s*(?:>>> |\.\.\. )?(?:from|import)\s+([A-Za-z_][\w.]*)(?:\s+import\s+\(?([\w, ]+))?")
_SHOWN = late(r"^\s*(?:\.\. (?:py:)?(?:auto)?module:: |:{3} )([A-Za-z_][\w.]*)")
_NEWS = late(r"(?:^|/)(?:change|history|news|release|whatsnew|what_new|authors|todo|upgrad)", re.IGNORECASE)


def documented(survey: Survey, wanted: Collection[str]) -> dict[str, Evidence]:
    """Return, of the wanted modules, those that an example in README or the manual imports, and where.

    News and change logs are about the past and don't count; generated lists of modules don't either.
    """
    found: dict[str, Evidence] = {}
    words = {survey.names.dotted(path): path for path in wanted}
    if not words:
        return found
    signs = [each.encode("utf-8", "surrogateescape") for each in words]
    for path in sorted(survey.tree.documents):
        if _NEWS.search(path) or survey.in_tests(folder_of(path)):
            continue
        data = survey.data(path)
        if any(sign in data for sign in signs):
            found.update(_shown(words, path, data.decode("utf-8", "replace")))
    return found


def _shown(words: dict[str, str], path: str, text: str) -> dict[str, Evidence]:
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        match, shown = _IMPORT.match(line), _SHOWN.match(line)
        if match is not None:
            names = [match[1], *(f"{match[1]}.{each.strip()}" for each in (match[2] or "").split(","))]
        elif shown is not None:
            names = [shown[1]]
        else:
            continue
        for each in names:
            if each in words:
                detail = f"documented: '{line.strip()[:80]}' in {path}"
                found[words[each]] = Evidence(kind="document", detail=detail, path=path, line=number)
    return found
