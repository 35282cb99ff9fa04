"""Check that every requirement is pinned with hashes and that the locks hold all that pyproject.toml names.

Whether a pinned version has a known weakness can't be told without asking an advisory service, and this must
work offline: run a scanner such as pip-audit on requirements.txt where the network allows it.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]+\])?==([^\s;\\]+)")


def normal(name: str) -> str:
    """Return a package's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def entries(lock: str) -> list[str]:
    """Return the requirements of a lock, each with its continuation lines."""
    joined = re.sub(r"\\\n", " ", lock)
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def faults_of(lock: str) -> list[str]:
    """Return what is wrong with the requirements of a lock."""
    faults = []
    for entry in entries(lock):
        name = entry.split()[0]
        if not PINNED.match(entry):
            faults.append(f"{name}: not pinned to one version")
        elif "--hash=sha256:" not in entry:
            faults.append(f"{name}: no hash")
    return faults


def names_in(lock: str) -> set[str]:
    """Return the names that a lock pins."""
    return {normal(found[1]) for entry in entries(lock) if (found := PINNED.match(entry))}


def missing(wanted: list[str], lock: str) -> list[str]:
    """Return the requirements of pyproject.toml that the lock doesn't hold."""
    names = [found[0] for text in wanted if (found := re.match(r"[A-Za-z0-9._-]+", text))]
    absent = [name for name in names if normal(name) not in names_in(lock)]
    return [f"{name}: in pyproject.toml but not in the lock; run make lock" for name in absent]


def main() -> int:
    """Print every fault; 1 if there is any."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = (ROOT / "requirements.txt").read_text()
    tools = (ROOT / "requirements-dev.txt").read_text()
    faults = faults_of(runtime) + faults_of(tools)
    faults += missing(project["project"]["dependencies"], runtime)
    faults += missing(project["dependency-groups"]["dev"], tools)
    if "torch" in names_in(runtime) | names_in(tools):
        faults.append("torch: must not be locked, see docs/decisions/0002-torch.md")
    print("\n".join(faults) or f"{len(names_in(runtime) | names_in(tools))} packages pinned with hashes")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
