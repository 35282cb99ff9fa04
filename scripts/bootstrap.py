"""Make `.venv` from the locks; a second run with the same locks takes a moment.

`run` installs what the site needs, `dev` also what the checks and tests need, `browser` finds or brings a
Chromium. Only the standard library is used: this runs before anything is installed.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
LOCKS = {"run": ["requirements.txt"], "dev": ["requirements.txt", "requirements-dev.txt"]}
TORCH = "2.13.0"  # apart from the locks: see docs/decisions/0002-torch.md
FIND_CHROMIUM = "from menace_site.testing.browser import find_chromium; print(find_chromium() or '')"
NOT_COMPILED = (  # large, and loaded by trainings alone
    r"/(torch|torchgen|functorch|scipy|sympy|mpmath|sklearn|plotly|_plotly_utils|networkx|optuna|sqlalchemy"
    r"|alembic|pip|setuptools|mypy|playwright|tests?)/"
)
CHROMIUM_PACKAGES = ["chromium", "fonts-dejavu-core"]


def say(text: str) -> None:
    """Tell what happens."""
    print(f"menace: {text}", flush=True)


def fail(text: str) -> None:
    """End with a reason."""
    sys.exit(f"menace: {text}")


def call(*command: object, quiet: bool = False) -> bool:
    """Run a command and tell whether it is there and succeeded; `quiet` hides what it says."""
    output = subprocess.DEVNULL if quiet else None
    words = [str(word) for word in command]
    if shutil.which(words[0]) is None:
        return False
    return subprocess.run(words, cwd=ROOT, stdout=output, stderr=output, check=False).returncode == 0


def output_of(*command: object) -> str:
    """Return what a command prints, or nothing if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def fingerprint(kind: str) -> str:
    """Return a digest of all that decides what is installed."""
    parts = [(ROOT / name).read_bytes() for name in LOCKS[kind]]
    parts += [Path(__file__).read_bytes(), TORCH.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def stamp(kind: str) -> Path:
    """Return the file that says which locks were installed."""
    return VENV / f".menace-{kind}"


def is_installed(kind: str) -> bool:
    """Tell whether the environment already follows the locks."""
    path = stamp(kind)
    return path.is_file() and path.read_text() == fingerprint(kind) and call(PYTHON, "-c", "", quiet=True)


def install(kind: str) -> None:
    """Make the environment and fill it, unless that was done before."""
    if is_installed(kind):
        return
    begun = time.monotonic()
    if not call(PYTHON, "-c", "import pip", quiet=True):
        say(f"making .venv with Python {platform.python_version()}")
        shutil.rmtree(VENV, ignore_errors=True)
        if not call(sys.executable, "-m", "venv", VENV):
            fail("could not make .venv; the lines above say why")
    install_locked(LOCKS[kind])
    install_torch()
    compile_modules()
    stamp(kind).write_text(fingerprint(kind))
    if kind == "dev":
        stamp("run").write_text(fingerprint("run"))
    say(f"installed in {time.monotonic() - begun:.0f} s")


def install_locked(locks: list[str]) -> None:
    """Install the locked versions, each file checked against its hash; by uv, or by pip where uv can't."""
    say(f"installing {' and '.join(locks)}")
    files = [word for lock in locks for word in ("-r", lock)]
    done = install_uv() and call(UV, "pip", "install", "-q", "--python", PYTHON, "--require-hashes", *files)
    if not done:
        say("uv could not do it; trying pip, which takes some minutes")
        if not call(PYTHON, "-m", "pip", "install", "-q", "--require-hashes", *files):
            fail("could not install the packages; the lines above say why")


def install_uv() -> bool:
    """Install the locked uv into the environment."""
    if UV.is_file():
        return True
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(locked_block((ROOT / "requirements-dev.txt").read_text(), "uv"))
        file.flush()
        return call(PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", file.name)


def locked_block(lock: str, name: str) -> str:
    """Return the lines of one package in a lock: its version and its hashes."""
    lines = lock.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(f"{name}=="))
    last = next((n for n, line in enumerate(lines[first:], first) if not line.endswith("\\")), len(lines))
    return "\n".join(lines[first : last + 1]) + "\n"


def install_torch() -> None:
    """Install torch's build for the processor, which no lock can name for every system."""
    if installed_torch().startswith(TORCH):
        return
    say(f"installing torch {TORCH}")
    for attempt in torch_attempts():
        if attempt() and installed_torch().startswith(TORCH):
            return
    fail(f"could not install torch {TORCH}; install it by hand with: {PYTHON} -m pip install torch=={TORCH}")


def installed_torch() -> str:
    """Return torch's installed version, without the time that importing it takes."""
    return output_of(PYTHON, "-c", "from importlib.metadata import version; print(version('torch'))")


def torch_attempts() -> list[Callable[[], bool]]:
    """Return the ways to get it, the best first."""
    wanted = f"torch=={TORCH}"
    links = os.environ.get("PIP_FIND_LINKS") or output_of(
        PYTHON, "-m", "pip", "config", "get", "global.find-links"
    )
    local = [word for link in links.split() for word in ("--find-links", link)]

    def from_local_files() -> bool:
        return bool(local) and torch_by_uv("--no-index", *local, "--no-deps", wanted, quiet=True)

    def for_the_processor() -> bool:
        backend = os.environ.get("TORCH_BACKEND", "cpu")
        return torch_by_uv("--torch-backend", backend, "--no-deps", wanted, quiet=True)

    def plain() -> bool:
        if sys.platform == "linux":
            say("taking torch's default build: it brings several GB of GPU libraries that nothing here uses")
        return torch_by_uv(wanted) or call(PYTHON, "-m", "pip", "install", "-q", wanted)

    return [from_local_files, *([for_the_processor] if sys.platform == "linux" else []), plain]


def torch_by_uv(*arguments: str, quiet: bool = False) -> bool:
    """Install with uv, if it is there."""
    return UV.is_file() and call(UV, "pip", "install", "-q", "--python", PYTHON, *arguments, quiet=quiet)


def compile_modules() -> None:
    """Compile what web and workers load, or several processes would do it at once at the first start."""
    say("compiling")
    packages = output_of(PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    ours = [path.parent for path in ROOT.glob("*/apps.py")]
    call(PYTHON, "-m", "compileall", "-q", "-j", "0", "-x", NOT_COMPILED, packages, *ours, quiet=True)


def bring_browser() -> None:
    """Make sure that the tests find a Chromium: the system's, else by apt as root, else Playwright's own."""
    if output_of(PYTHON, "-c", FIND_CHROMIUM):
        return
    if os.environ.get("CHROMIUM_PATH"):
        fail(f"CHROMIUM_PATH names {os.environ['CHROMIUM_PATH']}, which can't be run")
    if os.getuid() == 0 and shutil.which("apt-get"):
        say(f"installing {' '.join(CHROMIUM_PACKAGES)} with apt-get")
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        call("apt-get", "update", "-qq")
        call("apt-get", "install", "-y", "-qq", "--no-install-recommends", *CHROMIUM_PACKAGES, quiet=True)
    else:
        say("installing Playwright's Chromium")
        call(PYTHON, "-m", "playwright", "install", "chromium")
    if not output_of(PYTHON, "-c", FIND_CHROMIUM):
        fail("the tests need Chromium: install it (Debian: apt-get install chromium) or set CHROMIUM_PATH")


def main(arguments: list[str]) -> None:
    """Do what the only argument says, one at a time on one checkout."""
    kind = arguments[0] if len(arguments) == 1 else ""
    if kind not in {*LOCKS, "browser"}:
        fail("usage: bootstrap run|dev|browser")
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install("dev" if kind == "browser" else kind)
        if kind == "browser":
            bring_browser()


if __name__ == "__main__":
    main(sys.argv[1:])
