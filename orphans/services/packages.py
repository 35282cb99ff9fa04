"""Packages that a bot's code imports and Menace itself doesn't have, in a folder of their own.

They are installed from wheels only, so nothing of them runs here; only runs in the sandbox import them,
behind our own libraries, whose versions therefore bind them. A set is never changed: another one is made
beside it and takes its place, so that a run which uses the old one goes on.
"""

import hashlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from orphans.domain.errors import InvalidInput, NotConfigured
from orphans.sandbox import remove_tree
from orphans.services.documents import folder

CURRENT: Final = "current"
PYTHON_TAG: Final = f"{sys.version_info.major}.{sys.version_info.minor}"

Say = Callable[[str], None]


def packages_of(subject: str) -> Path | None:
    """Return the folder to import a subject's packages from; None when none were installed."""
    link = folder(subject) / "packages" / CURRENT
    place = link.resolve()
    return place if link.is_symlink() and place.is_dir() else None


def names_in(place: Path | None) -> list[str]:
    """Return what a folder of packages holds, as `name version`, in alphabetical order."""
    found = metadata.distributions(path=[str(place)]) if place else ()
    return sorted(f"{each.name} {each.version}" for each in found)


def install(subject: str, requirements: Sequence[str], say: Say) -> Path:
    """Install packages for a subject's runs and return their folder; what was there before stays whole.

    Raises:
        InvalidInput: pip can't install them: there is no wheel, or a version that Menace has doesn't fit.
    """
    home = folder(subject) / "packages"
    home.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256("\n".join((PYTHON_TAG, *_own(), *sorted(requirements))).encode()).hexdigest()
    place = home / digest[:16]
    if not place.is_dir():
        with tempfile.TemporaryDirectory(prefix=".making-", dir=home) as making:
            _made(Path(making), requirements, say).rename(place)
    before = packages_of(subject)
    _point(home / CURRENT, place)
    for old in home.iterdir():
        if old.is_dir() and not old.is_symlink() and old not in (place, before):
            remove_tree(old)
    return place


def remove(subject: str) -> None:
    """Forget a subject's packages; the files go with the next installation, as a run may still use them."""
    (folder(subject) / "packages" / CURRENT).unlink(missing_ok=True)


def _own() -> list[str]:
    """Return what is installed here, as pip pins it: runs import these first, so others must fit them."""
    return sorted({f"{each.name}=={each.version}" for each in metadata.distributions() if each.name})


def _made(making: Path, requirements: Sequence[str], say: Say) -> Path:
    """Install into a fresh environment on top of ours; return the folder of what was added."""
    venv.create(making, with_pip=False, symlinks=True)
    site = making / "lib" / f"python{PYTHON_TAG}" / "site-packages"
    ours = site / "ours.pth"
    ours.write_text(f"{sysconfig.get_path('purelib')}\n", "utf-8")
    (making / "own.txt").write_text("\n".join(_own()), "utf-8")
    (making / "wanted.txt").write_text("\n".join(requirements), "utf-8")
    told = _pip(making, say) if requirements else ""
    if told:
        raise InvalidInput(
            f"pip can't install them: {told} (only wheels are taken, and versions of Menace's own packages "
            "can't change)",
            field="requirements",
        )
    ours.unlink()
    site.chmod(0o755)
    return site


def _pip(making: Path, say: Say) -> str:
    """Let pip install; return its first error when it failed, else nothing."""
    words = ["--python", str(making / "bin" / "python"), "--disable-pip-version-check", "--no-input"]
    files = ["-c", str(making / "own.txt"), "-r", str(making / "wanted.txt")]
    how = ["--only-binary", ":all:", "--progress-bar", "off"]
    code, told = _said([sys.executable, "-m", "pip", *words, "install", *how, *files], say)
    if not code:
        return ""
    if told[-1:] == [f"{sys.executable}: No module named pip"]:
        raise NotConfigured("pip is not installed here; `python -m ensurepip` brings it")
    return next((line for line in told if line.startswith("ERROR")), f"exit code {code}")


def _said(command: list[str], say: Say) -> tuple[int, list[str]]:
    """Run a command, pass on what it says, and return its exit code and its lines."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    quiet, pipe, both = subprocess.DEVNULL, subprocess.PIPE, subprocess.STDOUT
    told = []
    with subprocess.Popen(command, stdin=quiet, stdout=pipe, stderr=both, text=True, env=env) as running:
        for line in running.stdout or ():
            if line.strip() and "Requirement already satisfied" not in line:
                say(line.rstrip())
                told.append(line.strip())
    return running.returncode, told


def _point(link: Path, place: Path) -> None:
    """Let the link name the place, in one step."""
    new = link.with_name(f".{link.name}-{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(place.name)
    new.replace(link)
