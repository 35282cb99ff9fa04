"""Reading TOML tables strictly: each key taken once with its type, every other key refused."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable
from typing import Any, Final

from engines.domain.errors import ManifestError

MAX_TEXT: Final = 512 * 1024
MAX_ENTRIES: Final = 500
MAX_PATH: Final = 300

_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_DOTTED = re.compile(r"[A-Za-z_]\w{0,99}(\.[A-Za-z_]\w{0,99}){0,19}\Z", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w{0,99}\Z", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


class Table:
    """One table of a manifest; what was not taken when `finish` is called is refused."""

    def __init__(self, file: str, path: str, data: dict[str, Any]) -> None:
        self.file = file
        self._path = path
        self._data = data
        self._known: list[str] = []

    def error(self, key: str, reason: str, way_out: str) -> ManifestError:
        """Return the error for one key: where, what, and what would do."""
        full = ".".join(part for part in (self._path, key) if part)
        place = f"{self.file}: {full}" if full else self.file
        return ManifestError(f"{place}: {reason}; {way_out}", file=self.file, field=full)

    def keys(self) -> list[str]:
        """Return all keys, each of which then counts as known."""
        self._known += self._data
        return list(self._data)

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._data.get(key)

    def table(self, key: str) -> "Table | None":
        """Return the table under `key`, or None."""
        value = self._take(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.error(key, f"must be a table, not {_kind(value)}", f"write [{key}]")
        return Table(self.file, ".".join(part for part in (self._path, key) if part), value)

    def text(self, key: str, check: Callable[[str], str]) -> str | None:
        """Return the text under `key` after `check` accepted it, or None."""
        value = self._take(key)
        return None if value is None else self._text(key, value, check)

    def _text(self, key: str, value: Any, check: Callable[[str], str]) -> str:
        if not isinstance(value, str):
            raise self.error(key, f"must be text, not {_kind(value)}", "put it in quotes")
        try:
            return check(value)
        except ValueError as problem:
            raise self.error(key, str(problem), "mend or remove it") from None

    def texts(
        self, key: str, check: Callable[[str], str], *, most: int = MAX_ENTRIES, repeats: bool = False
    ) -> tuple[str, ...]:
        """Return the list of texts under `key`; an empty tuple when it is missing."""
        value = self._take(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self.error(key, f"must be a list of texts, not {_kind(value)}", f'write {key} = ["…"]')
        if len(value) > most:
            raise self.error(key, f"has {len(value)} entries", f"keep to {most}")
        found = tuple(self._text(f"{key}[{index}]", item, check) for index, item in enumerate(value))
        if not repeats and len(set(found)) != len(found):
            raise self.error(key, "names the same thing twice", "keep one of them")
        return found

    def choice(self, key: str, allowed: Iterable[str], default: str) -> str:
        """Return one of the allowed words."""
        value = self._take(key)
        if value is None:
            return default
        if value not in tuple(allowed):
            raise self.error(key, f"is {_shown(value)}", f"use one of {', '.join(allowed)}")
        return str(value)

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        """Return a finite number from `low` to `high`, or the default when the key is missing."""
        value = self.optional_number(key, low=low, high=high)
        return default if value is None else value

    def optional_number(self, key: str, *, low: float, high: float) -> float | None:
        """Return a finite number from `low` to `high`, or None when the key is missing."""
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, f"must be a number, not {_kind(value)}", "write it without quotes")
        if not low <= value <= high:  # NaN isn't; no float(): TOML has integers of any size
            raise self.error(key, f"is {_shown(value)}", f"use a number from {low:g} to {high:g}")
        return float(value)

    def integer(self, key: str, default: int, *, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        value = self._take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.error(key, f"is {_shown(value)}", f"use a whole number from {low} to {high}")
        return value

    def finish(self) -> None:
        """Refuse keys that nobody took, naming the nearest one that exists."""
        for key in self._data:
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, 1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(self._known)}"
                raise self.error(_shown(key).strip("'\""), "is not known", hint)


def table_of(file: str, text: str) -> Table | None:
    """Return the manifest's table of one file, or None when the file holds none."""
    if len(text) > MAX_TEXT:
        raise ManifestError(f"{file}: larger than {MAX_TEXT} characters; shorten it", file=file)
    try:
        data: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ManifestError(f"{file}: is not TOML: {reason[:200]}; mend the syntax", file=file) from None
    if file == "menace.toml":
        return Table(file, "", data)
    tool = data.get("tool", {})
    if not isinstance(tool, dict) or "menace" not in tool:
        return None
    return Table(file, "", {"tool.menace": tool["menace"]}).table("tool.menace")


def check_word(text: str) -> str:
    """Accept a plain lower-case name, as metrics and workflows have."""
    if not _WORD.match(text):
        raise ValueError(f"{_shown(text)} must be a lower-case letter, then letters, digits or _, 64 at most")
    return text


def check_reference(text: str) -> str:
    """Accept `package.module:function`."""
    module, colon, name = text.partition(":")
    if not colon or not _DOTTED.match(module) or not _NAME.match(name):
        raise ValueError(f"{_shown(text)} must look like package.module:function")
    return text


def check_path(text: str) -> str:
    """Accept a relative POSIX path that stays inside the repository and outside of .git."""
    parts = text.split("/")
    if not text or len(text) > MAX_PATH or _UNSAFE.search(text):
        raise ValueError(f"{_shown(text)} is no plain path of at most {MAX_PATH} characters")
    if text.startswith(("/", "~", "-")) or ":" in text or ".." in parts or "" in parts[:-1]:
        raise ValueError(f"{_shown(text)} must be relative and stay inside the repository")
    if any(part.lower() == ".git" for part in parts):
        raise ValueError(f"{_shown(text)} reaches into .git")
    return text.rstrip("/")


def check_glob(text: str) -> str:
    """Accept a glob over repository-relative paths."""
    check_path(text.replace("*", "x").replace("?", "x"))
    return text


def _kind(value: Any) -> str:
    names = {
        str: "text",
        bool: "true/false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a table",
    }
    return names.get(type(value), "a date or time")


def _shown(value: Any) -> str:
    """Return a value for a message, short and without control characters."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        text = "a number of thousands of digits"
    return _UNSAFE.sub("?", text)[:80]
