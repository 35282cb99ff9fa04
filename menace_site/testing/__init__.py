"""A pytest plugin (`-p menace_site.testing`): a private PostgreSQL and Valkey, real workers, a real browser.

It must be named on the command line, not in a conftest: Django's settings are read before conftests are. A
test run never touches the data of the installation it runs in, and leaves no process behind, even if killed.
"""

from menace_site.testing.browser import browser, no_loop_of_the_browser, page
from menace_site.testing.servers import (
    private_servers,
    pytest_collection_finish,
    pytest_load_initial_conftests,
    pytest_unconfigure,
    valkey_client,
)
from menace_site.testing.workers import beat_process, celery_workers

__all__ = [
    "beat_process",
    "browser",
    "celery_workers",
    "no_loop_of_the_browser",
    "page",
    "private_servers",
    "pytest_collection_finish",
    "pytest_load_initial_conftests",
    "pytest_unconfigure",
    "valkey_client",
]
