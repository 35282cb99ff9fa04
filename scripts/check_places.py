"""Check that no file of the repository names a package registry's host or a path of somebody's machine."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOSTS = "|".join(
    re.escape(".".join(parts))
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("download", "pytorch", "org"),
        ("registry", "npmjs", "org"),
    )
)
FOLDERS = "|".join(("/home/[a-z]", "/root/", "/Users/[A-Za-z]"))
FORBIDDEN = re.compile(rf"(?:{HOSTS})|(?<![\w.~}}])(?:{FOLDERS})")
NOT_TEXT = {".png", ".br", ".gz", ".ico", ".woff2", ".joblib", ".svg"}
VENDORED = ("static/vendor/", "static/js/vendor/")
ALLOWED = "place-is-meant"  # a line with this word shows such a path on purpose


def tracked() -> list[Path]:
    """Return the files that git keeps, or would."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if not name.startswith(VENDORED)]


def faults_in(text: str) -> list[tuple[int, str]]:
    """Return (line number, what it names) for every forbidden place in a text."""
    return [
        (number, found[0])
        for number, line in enumerate(text.splitlines(), 1)
        if ALLOWED not in line and (found := FORBIDDEN.search(line))
    ]


def main() -> int:
    """Print every fault; 1 if there is any."""
    bad = 0
    for path in tracked():
        if path.suffix in NOT_TEXT or not path.is_file() or path == Path(__file__):
            continue
        for number, name in faults_in(path.read_text(errors="replace")):
            print(f"{path.relative_to(ROOT)}:{number}: names {name}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
