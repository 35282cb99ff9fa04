"""What the tests of documents read: links, headings, code, commands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.check_places import ROOT, tracked

FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^(?: {4,}|\t).*\n)+", re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
COMMAND = re.compile(r"manage\.py ([a-z_]+)((?: +(?!#)[^\s`|;&)]+)*)")
TARGET = re.compile(r"(?:^ *|`)make ([a-z][a-z-]*)", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """One markdown file."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text()

    def links(self) -> list[str]:
        """Return the targets of links and images, code left out."""
        return LINK.findall(CODE.sub("", FENCE.sub("", self.text)))

    def anchors(self) -> set[str]:
        """Return the anchors of the headings, as GitHub makes them."""
        headings = HEADING.findall(FENCE.sub("", self.text))
        return {re.sub(r"[^\w\- ]", "", LINK.sub("", each).lower()).replace(" ", "-") for each in headings}

    def blocks(self, language: str) -> list[str]:
        """Return the fenced blocks of a language, with their indentation taken away."""
        return [_flush(code) for word, code in FENCE.findall(self.text) if word == language]

    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Return each `manage.py` command that is written down, with its words."""
        for name, words in COMMAND.findall(self.text.replace("\\\n", " ")):
            yield name, words.split()

    def targets(self) -> set[str]:
        """Return the targets of `make` that are written as commands."""
        return set(TARGET.findall(self.text))

    def section(self, heading: str) -> str:
        """Return what stands below a heading of the second level."""
        found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", self.text, re.MULTILINE | re.DOTALL)
        return found[1] if found else ""


def _flush(code: str) -> str:
    lines = code.splitlines()
    depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[depth:] for line in lines)


def pages() -> list[Page]:
    """Return every markdown file of the repository."""
    return [Page(path) for path in tracked() if path.suffix == ".md" and path.is_file()]
