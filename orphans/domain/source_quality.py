"""How maintainable source text is, as numbers: size, decisions, operators, and what linters found.

The maintainability index is Coleman and Oman's (*Using metrics to evaluate software system
maintainability*, IEEE Computer 27(8), 1994), on the scale from 0 to 100 that tools show:

    100 / 171 x max(0, 171 - 5.2 ln V - 0.23 G - 16.2 ln L)

with V the volume (Halstead, *Elements of Software Science*, 1977: n log2 of the number of different
operators and operands, n of all of them), G the number of decisions + 1 (McCabe, 1976), and L the lines that
hold code.
"""

import ast
import io
import math
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from orphans.domain.detail import parse

DECISIONS: Final = (
    ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert, ast.comprehension,
    ast.match_case,
)  # fmt: skip
SECURITY: Final = "S"
"""First letter of the rules whose findings are about security; the others are about quality."""
NO_RULES: Final = ("", "invalid-syntax")
"""What stands for a file that can't be parsed."""
_SILENT: Final = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)
_OPERANDS: Final = frozenset({tokenize.NAME, tokenize.NUMBER, tokenize.STRING})


@dataclass(frozen=True, slots=True)
class Size:
    """What one module's text amounts to."""

    #: lines that hold code
    lines: int
    #: decisions + 1
    decisions: int
    #: bits
    volume: float

    @property
    def maintainability(self) -> float:
        """The index of the module's text, 0 to 100; 100 for a module without code."""
        if not self.lines or self.volume <= 0:
            return 100.0
        lost = 5.2 * math.log(self.volume) + 0.23 * self.decisions + 16.2 * math.log(self.lines)
        return min(100.0, max(0.0, 171 - lost) * 100 / 171)


def size_of(text: str) -> Size | None:
    """Return the size of a module's text; None where it can't be parsed."""
    tree = parse(text.encode("utf-8", "replace"))
    if tree is None:
        return None
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (SyntaxError, tokenize.TokenError):
        return None
    spoken = [each for each in tokens if each.type not in _SILENT]
    lines = {line for each in spoken for line in range(each.start[0], each.end[0] + 1)}
    return Size(lines=len(lines), decisions=_decisions(tree), volume=_volume(spoken))


def _volume(spoken: Sequence[tokenize.TokenInfo]) -> float:
    kinds = {(each.type in _OPERANDS, each.string) for each in spoken}
    return len(spoken) * math.log2(len(kinds)) if len(kinds) > 1 else 0.0


def _decisions(tree: ast.AST) -> int:
    found = 1
    for node in ast.walk(tree):
        found += isinstance(node, DECISIONS)
        if isinstance(node, ast.BoolOp):
            found += len(node.values) - 1
    return found


def numbers(texts: Mapping[str, str], found: Iterable[Sequence[str]] | None) -> dict[str, float | None]:
    """Return what several modules' texts amount to, by the names of the raw numbers of synergy.

    `found`: path and rule of each finding of the linter; None where it didn't run. The index is the mean
    over modules, each weighing its lines; findings are per 100 lines. All None where a text can't be parsed
    or none holds code.
    """
    known = [size for size in map(size_of, texts.values()) if size is not None]
    lines = sum(size.lines for size in known)
    if len(known) < len(texts) or not lines:
        return dict.fromkeys(("maintainability_index", "lint_findings", "security_findings"))
    index = sum(size.maintainability * size.lines for size in known) / lines
    return {"maintainability_index": index, **_per_hundred(texts, found, lines)}


def _per_hundred(
    texts: Mapping[str, str], found: Iterable[Sequence[str]] | None, lines: int
) -> dict[str, float | None]:
    if found is None:
        return {"lint_findings": None, "security_findings": None}
    rules = [rule for path, rule in found if path in texts]
    security = sum(rule.startswith(SECURITY) and rule[1:2].isdigit() for rule in rules)
    return {
        "lint_findings": 100.0 * (len(rules) - security) / lines,
        "security_findings": 100.0 * security / lines,
    }


def read_findings(document: Any) -> list[tuple[str, str]]:
    """Return file and rule of each finding of the linter's JSON; ValueError for any other shape."""
    if not isinstance(document, list):
        raise ValueError("the linter told no list of findings")
    found = [_finding(each) for each in document]
    return [(path, rule) for path, rule in found if rule not in NO_RULES]


def _finding(told: Any) -> tuple[str, str]:
    path, rule = (told.get("filename"), told.get("code")) if isinstance(told, dict) else (None, None)
    if not isinstance(path, str) or not isinstance(rule, str | None):
        raise ValueError("the linter told a finding without file or rule")
    return path, rule or ""
