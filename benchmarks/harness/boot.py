"""Boot a Django project and print which of its files that imported: those are live beyond doubt.

Run by `benchmarks/certificate.py` with the project's own interpreter, so it needs nothing but Django.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path


def attempt(failures: list[str], act: Callable[[], object]) -> None:
    """Do one part; a part that this machine can't boot only makes the certificate smaller."""
    try:
        act()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the project's code raises what it likes
        failures.append(f"{type(error).__name__}: {error}"[:120])


def resolve_urls() -> None:
    """Import every URL configuration, and with it the views."""
    from django.urls import URLResolver, get_resolver

    waiting = [get_resolver()]
    while waiting:
        waiting += [each for each in waiting.pop().url_patterns if isinstance(each, URLResolver)]


def load_commands(failures: list[str]) -> None:
    """Import every management command."""
    from django.core.management import get_commands, load_command_class

    for name, app in get_commands().items():
        attempt(failures, partial(load_command_class, app, name))


def load_settings(failures: list[str]) -> None:
    """Import what the settings name: middleware, template engines and libraries, migrations, WSGI."""
    from django.conf import settings
    from django.db.migrations.loader import MigrationLoader
    from django.template import engines
    from django.template.backends.django import get_installed_libraries
    from django.utils.module_loading import import_string

    for dotted in [*settings.MIDDLEWARE, settings.WSGI_APPLICATION]:
        attempt(failures, partial(import_string, dotted))
    for library in get_installed_libraries().values():
        attempt(failures, partial(importlib.import_module, library))
    attempt(failures, engines.all)
    attempt(failures, partial(MigrationLoader, None))


def imported_below(root: Path) -> list[str]:
    """Return the files below the root that modules came from, relative, in order."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    places = {Path(file).resolve() for file in files if file}
    return sorted(str(place.relative_to(root)) for place in places if place.is_relative_to(root))


def main(root: Path, settings: str) -> None:
    """Boot the project whose import root this is."""
    sys.path.insert(0, str(root))
    os.chdir(root)
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    import django
    from django.contrib import admin

    django.setup()
    failures: list[str] = []
    for act in (admin.autodiscover, resolve_urls):
        attempt(failures, act)
    load_commands(failures)
    load_settings(failures)
    print("\n" + json.dumps({"live": imported_below(root), "not_booted": failures}))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
