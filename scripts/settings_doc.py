#!/usr/bin/env python3
"""Write `docs/settings.md` from the declarations of the settings; `--check` only compares (exit code 1)."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from menace_site.sandbox_settings.documenting import markdown  # noqa: E402

PAGE = ROOT / "docs" / "settings.md"


def main() -> int:
    """Write or compare the page."""
    if "--check" in sys.argv[1:]:
        current = PAGE.is_file() and PAGE.read_text() == markdown()
        print(f"{PAGE} is {'current' if current else 'old: run scripts/settings_doc.py'}")
        return 0 if current else 1
    PAGE.write_text(markdown())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
