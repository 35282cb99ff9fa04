"""What a fresh installation needs: tables, an administrator, something to look at."""

import io
import os
import secrets
from pathlib import Path

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from menace_site.embedded.addresses import ADMIN_PASSWORD_FILE

ADMIN = "admin"


def password_file(data_dir: Path) -> Path:
    """Return where the first administrator's password is kept, for its owner's eyes only."""
    return data_dir / ADMIN_PASSWORD_FILE


def migrate() -> bool:
    """Bring the tables up to date; False when there was nothing to do."""
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    call_command("migrate", verbosity=0)
    return True


def create_admin(data_dir: Path) -> str | None:
    """Make the first administrator with a random password and return it; None if there is one already.

    The password is on disk before the account is, so that it can always be found again.
    """
    if User.objects.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    path = password_file(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
        file.write(password + "\n")
    with transaction.atomic():
        User.objects.create_superuser(ADMIN, password=password)
    return password


def load_demo() -> None:
    """Bring the demo bots; those that are there stay as they are."""
    call_command("demo", verbosity=0, stdout=io.StringIO())
