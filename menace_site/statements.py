"""How long one statement of a web process may keep the database busy.

Workers have no such limit: their statements are few, known and fenced by leases. An answer that takes longer
helps nobody who waits for a page, and enough of them would leave no server process for the others.
"""

from django.db import connections

SECONDS = 3.0


def limit(seconds: float = SECONDS) -> None:
    """Let every connection that this process opens from now on cancel statements that take longer."""
    options = connections.settings["default"].setdefault("OPTIONS", {})
    given = options.get("options", "")
    # first, so that DATABASE_URL's own options=-c… has the last word
    options["options"] = f"-c statement_timeout={int(seconds * 1000)} {given}".strip()
