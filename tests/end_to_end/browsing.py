"""A signed-in person at a real browser that notes everything a page must not do."""

from dataclasses import dataclass, field

from django.test import Client
from playwright.sync_api import ConsoleMessage, Dialog, Page, Request

from tests.factories import make_user

QUIET = ("favicon",)


@dataclass
class Watched:
    """A browser's page and what went wrong on it."""

    page: Page
    base: str
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("dialog", self._dialog)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._request)

    def go(self, address: str) -> Page:
        """Open an address of the site and wait for its scripts."""
        self.page.goto(self.base + address)
        self.page.wait_for_load_state("load")
        return self.page

    def complaints(self) -> list[str]:
        """Return everything that must not happen: refusals of the CSP show as errors of the console."""
        return [*self.dialogs, *self.errors, *self.foreign]

    def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.foreign.append(request.url)


def sign_in(page: Page, base: str, role: str = "approver") -> Watched:
    """Return a page on which somebody with the role is signed in."""
    client = Client()
    client.force_login(make_user(role), backend="django.contrib.auth.backends.ModelBackend")
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": base}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    return Watched(page, base)
