"""`manage.py token create|list|revoke`: API tokens from the command line."""

import json
import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from engines.domain.errors import InvalidInput
from engines.domain.results import CLI
from menace_site.models import ApiToken
from menace_site.tokens import SCOPES, create_token, is_live, revoke_token

BAD_INPUT = 2
MAX_DAYS = 3650


class Command(BaseCommand):
    """Make, list and revoke API tokens. The secret of a new token is printed once."""

    help = "Make, list and revoke API tokens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the three sub-commands."""
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a token and print its secret once")
        create.add_argument("user", help="name of the user that the token acts for")
        create.add_argument("--scopes", default="read", help=f"comma-separated, of: {', '.join(SCOPES)}")
        create.add_argument("--name", default="command line", help="what it is for")
        create.add_argument("--days", type=int, default=90, help="days until it expires; 0: never")
        show = actions.add_parser("list", help="list tokens, without secrets")
        show.add_argument("user", nargs="?", help="only this user's")
        revoke = actions.add_parser("revoke", help="make a token worthless")
        revoke.add_argument("prefix", help="the part between men_ and the second _")
        for action in (create, show, revoke):
            action.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the sub-command; bad input ends with exit code 2."""
        try:
            answer = getattr(self, f"_{options['action']}")(options)
        except InvalidInput as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        if options["json"]:
            self.stdout.write(json.dumps(answer, default=str))
        else:
            self._print(answer)

    def _create(self, options: dict[str, Any]) -> dict[str, Any]:
        if not 0 <= options["days"] <= MAX_DAYS:
            raise InvalidInput(f"--days must lie between 0 and {MAX_DAYS}", field="days")
        expires_at = timezone.now() + timedelta(days=options["days"]) if options["days"] else None
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        user = _user(options["user"])
        token, secret = create_token(
            user, name=options["name"], scopes=scopes, expires_at=expires_at, actor=CLI
        )
        return {"token": secret, **_plain(token)}

    def _list(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        tokens = ApiToken.objects.select_related("user")
        if options["user"]:
            tokens = tokens.filter(user=_user(options["user"]))
        return [_plain(token) for token in tokens]

    def _revoke(self, options: dict[str, Any]) -> dict[str, Any]:
        token = ApiToken.objects.select_related("user").filter(prefix=options["prefix"]).first()
        if token is None:
            raise InvalidInput(
                f"there is no token {options['prefix']!r}; see `manage.py token list`", field="prefix"
            )
        return _plain(revoke_token(token, actor=CLI))

    def _print(self, answer: dict[str, Any] | list[dict[str, Any]]) -> None:
        rows = answer if isinstance(answer, list) else [answer]
        for row in rows:
            if "token" in row:
                # the secret alone goes to stdout, so that a script can take it
                self.stdout.write(row["token"])
                self.stderr.write(
                    f"for {row['user']}: {', '.join(row['scopes'])}; expires {row['expires_at'] or 'never'}"
                )
                continue
            scopes = ",".join(row["scopes"])
            self.stdout.write(f"{row['prefix']}  {row['state']:8} {row['user']}  {row['name']}  {scopes}")
        if not rows:
            self.stdout.write("no tokens yet: manage.py token create USER --scopes read")
        sys.stdout.flush()


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise InvalidInput(
            f"there is no user {name!r}; make one with `manage.py createsuperuser`", field="user"
        )
    if not user.is_active:
        raise InvalidInput(f"the user {name!r} is disabled", field="user")
    return user


def _plain(token: ApiToken) -> dict[str, Any]:
    return {
        "prefix": token.prefix,
        "state": "live" if is_live(token) else "revoked" if token.revoked_at else "expired",
        "user": token.user.get_username(),
        "name": token.name,
        "scopes": token.scopes,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
        "last_used_at": token.last_used_at.isoformat() if token.last_used_at else None,
    }
