"""Which packages the runs of an engine's bot may import beside those of Menace."""

from pathlib import Path

from engines import git
from engines.domain.errors import InvalidInput
from engines.domain.results import Actor
from engines.models import Engine
from engines.services.registry import checkout
from engines.signals import acted
from orphans.domain.requirements import FILES, MAX_TEXT, declared, of_text
from orphans.services import packages
from orphans.services.packages import Say


def install_packages(engine: Engine, *, file: Path | None, say: Say, actor: Actor) -> list[str]:
    """Install what the bot needs: what `file` lists, else what its repository declares; return the names.

    The repository's files are read as they are committed, never as links of its working tree.

    Raises:
        InvalidInput: nothing is declared, something is not taken, or pip can't install it.
    """
    wanted = declared(_declarations(engine)) if file is None else of_text(_text(file), file.name)
    names = packages.names_in(packages.install(engine.name, wanted, say))
    _audit(actor, engine, packages=names)
    return names


def remove_packages(engine: Engine, *, actor: Actor) -> None:
    """Let runs import nothing but what Menace has."""
    packages.remove(engine.name)
    _audit(actor, engine, packages=[])


def _declarations(engine: Engine) -> dict[str, str]:
    root = checkout(engine.repository, Actor(kind="system"))
    entries = {entry.path: entry for entry in git.files(root, git.head(root)) if entry.path in FILES}
    texts = {name: git.read_entry(root, entry, MAX_TEXT) for name, entry in entries.items()}
    for name, text in texts.items():
        if text is None:
            raise InvalidInput(
                f"{name} is no plain UTF-8 file of at most {MAX_TEXT} bytes", field="requirements"
            )
    return {name: text for name, text in texts.items() if text is not None}


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise InvalidInput(f"{file} can't be read: {error.strerror}", field="requirements") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{file} is no text in UTF-8", field="requirements") from None


def _audit(actor: Actor, engine: Engine, **detail: object) -> None:
    acted.send(
        sender=Engine, actor=actor, verb="engine.packages", target=f"engine:{engine.name}", detail=detail
    )
