"""Whether the tables of the database are those that this code was written for.

Asking is one short statement and a look at file names; no migration is imported.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from django.apps import apps
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from engines.domain.errors import InvalidInput

WAY_OUT = "run `manage.py migrate` or `manage.py prepare`"
NEWER = "install the version of the code that made them, or go back with `manage.py migrate APP NAME`"


class OtherTables(InvalidInput):
    """The database is older or newer than the code; the message says which migrations, and what to do."""


def of_code() -> dict[str, list[str]]:
    """Return the names of the migrations that the code has, in order, by app."""
    folders = {app.label: Path(app.path) / "migrations" for app in apps.get_app_configs()}
    found = {
        label: sorted(file.stem for file in folder.glob("[0-9]*.py")) for label, folder in folders.items()
    }
    return {label: names for label, names in found.items() if names}


def of_database() -> dict[str, list[str]]:
    """Return the names of the migrations that were applied, in order, by app."""
    found: dict[str, list[str]] = {}
    for label, name in sorted(MigrationRecorder(connection).applied_migrations()):
        found.setdefault(label, []).append(name)
    return found


def difference(code: Mapping[str, Iterable[str]], database: Mapping[str, Iterable[str]]) -> str:
    """Return in a sentence how the database differs from the code; empty when it doesn't."""
    lacking = [label for label in code if set(code[label]) - set(database.get(label, ()))]
    unknown = [label for label in code if set(database.get(label, ())) - set(code[label])]
    if lacking:
        return f"The database is older than the code: {_told(lacking, code, database)}; {WAY_OUT}."
    if unknown:
        return f"The database is newer than the code: {_told(unknown, code, database)}; {NEWER}."
    return ""


def _told(labels: list[str], code: Mapping[str, Iterable[str]], database: Mapping[str, Iterable[str]]) -> str:
    def newest(names: Iterable[str]) -> str:
        return max(names, default="no migration")

    pairs = [(label, newest(database.get(label, ())), newest(code[label])) for label in labels[:3]]
    return "; ".join(f"{label} is at {theirs} there, at {ours} here" for label, theirs, ours in pairs)


def mismatch() -> str:
    """Return how the database that answers differs from the code, in a sentence; empty when it doesn't.

    Empty as well when the database can't be asked: that is another matter.
    """
    try:
        return difference(of_code(), of_database())
    except DatabaseError:
        return ""


def check() -> None:
    """Refuse a database that lacks what this code needs; raises OtherTables.

    One that has more than this code knows is let pass: during an upgrade old processes go on beside new ones.
    """
    said = mismatch()
    if said.startswith("The database is older"):
        raise OtherTables(said)


def explained(error: BaseException | None) -> str:
    """Return what an error of the database comes from, when it comes from tables of another version."""
    away = isinstance(error, OperationalError | InterfaceError)
    return mismatch() if isinstance(error, DatabaseError) and not away else ""
