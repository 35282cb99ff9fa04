"""What the past of a checkout says about one module, as values."""

from typing import NamedTuple

SHOWN_DIGITS = 12


class RemovedImport(NamedTuple):
    """A commit that took an import of the module out of a file."""

    #: full object name
    commit: str
    #: seconds since the epoch
    at: int
    #: the file that imported the module
    importer: str
    #: modules that the same commit began to import in this file, as they are written there
    instead: tuple[str, ...] = ()


class ModuleHistory(NamedTuple):
    """Facts of one module's past; None and () where nothing was found in time."""

    #: days between its last commit and the newest one of the checkout
    idle_days: float | None = None
    #: paths it had before, newest first
    former_paths: tuple[str, ...] = ()
    #: newest first
    removed_imports: tuple[RemovedImport, ...] = ()
