"""`manage.py promotions`: look at promotions, decide on them, roll back, and run the gate over history."""

import json
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandParser

from engines.domain.errors import InvalidInput
from engines.domain.promotion import PromotionState
from engines.domain.results import Actor
from engines.domain.unseen import visible
from engines.models import Engine, Promotion
from engines.services import promotions
from engines.services.promotions.shadow import MOST, shadow

COLUMNS = (
    "id", "engine__name", "cycle_id", "kind", "state", "verdict", "subject", "evidence_sha256",
    "requested_label", "created_at", "decided_label", "decided_at", "reason", "applied_at",
)  # fmt: skip
NAMES = {"engine__name": "engine", "requested_label": "requested_by", "decided_label": "decided_by"}
WHOLE = ("evidence", "decision", "policy", "message", "before", "after", "alarm", "rolled_back_reason")
LISTED = 50


class Command(BaseCommand):
    """Promotions in the terminal. Exit code 2: bad input, 3: in another state or stale, 5: not allowed."""

    help = "List and show promotions, approve, reject and roll them back, or run the gate over history."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        listing = commands.add_parser("list", help="list the newest promotions")
        listing.add_argument("--engine", help="of this engine only")
        listing.add_argument("--state", choices=[str(state) for state in PromotionState])
        show = commands.add_parser("show", help="show one with its evidence and the gate's reasons")
        preview = commands.add_parser("preview", help="show what a roll-back would change")
        approve = commands.add_parser("approve", help="approve on the evidence with that hash")
        approve.add_argument("--evidence", required=True, metavar="SHA256", help="hash of what you looked at")
        approve.add_argument("--break-glass", action="store_true", help="approve your own request alone")
        approve.add_argument("--overrule", action="store_true", help="approve what the gate holds")
        reject = commands.add_parser("reject", help="reject the candidate")
        back = commands.add_parser("rollback", help="make live again what was live before")
        again = commands.add_parser("reconsider", help="gather fresh evidence and ask the gate again")
        past = commands.add_parser("shadow", help="what the gate would have decided on past cycles")
        past.add_argument("engine", help="name of the engine")
        past.add_argument("--limit", type=int, default=MOST, help="latest cycles to look at")
        for each in (show, preview, approve, reject, back, again):
            each.add_argument("id", type=int)
        for each in (approve, reject, back, again):
            each.add_argument("--user", required=True, help="who decides; needs the right to")
        for each in (approve, reject, back):
            each.add_argument("--reason", required=True, help="why; kept with the decision")
        for each in (listing, show, preview, approve, reject, back, again, past):
            each.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Carry out one subcommand."""
        try:
            getattr(self, f"_{options['command']}")(options)
        except Promotion.DoesNotExist:
            raise InvalidInput(
                f"there is no promotion {options['id']}; `promotions list` shows them"
            ) from None

    def _list(self, options: dict[str, Any]) -> None:
        wanted = {"engine__name": options["engine"], "state": options["state"]}
        rows = Promotion.objects.filter(**{name: value for name, value in wanted.items() if value})
        found = [_renamed(row) for row in rows.order_by("-pk").values(*COLUMNS)[:LISTED]]
        if options["json"]:
            return self._print(found)
        for row in found:
            self.stdout.write(
                f"{row['id']:6} {row['engine']:20} {row['kind']:8} {row['state']:11} {row['verdict']}"
            )
        return None

    def _show(self, options: dict[str, Any]) -> None:
        row = Promotion.objects.values(*COLUMNS, *WHOLE).get(pk=options["id"])
        if options["json"]:
            return self._print(_renamed(row))
        self._tell(Promotion.objects.get(pk=options["id"]))
        for reason in row["decision"]["reasons"]:
            mark = {"promote": "+", "hold": "?", "block": "!"}[reason["allows"]]
            self.stdout.write(f"  {mark} {reason['code']:12} {visible(reason['text'])}")
            if reason["what_would_change"]:
                self.stdout.write(f"    {'':12} → {visible(reason['what_would_change'])}")
        return self.stdout.write(f"evidence {row['evidence_sha256']}")

    def _preview(self, options: dict[str, Any]) -> None:
        found = promotions.preview(options["id"])
        if options["json"]:
            return self._print(found)
        self.stdout.write(visible(found["why_not"]) or "a roll-back would change:")
        for each in found["changes"]:
            values = (json.dumps(each[side], ensure_ascii=False) for side in ("before", "after"))
            self.stdout.write(visible(f"  {each['path']}: {' → '.join(values)}"))
        return None

    def _approve(self, options: dict[str, Any]) -> None:
        done = promotions.approve(
            options["id"],
            actor=_actor(options["user"]),
            evidence_sha256=options["evidence"],
            reason=options["reason"],
            break_glass=options["break_glass"],
            overrule=options["overrule"],
        )
        self._told(done, options)

    def _reject(self, options: dict[str, Any]) -> None:
        actor = _actor(options["user"])
        self._told(promotions.reject(options["id"], actor=actor, reason=options["reason"]), options)

    def _rollback(self, options: dict[str, Any]) -> None:
        actor = _actor(options["user"])
        self._told(promotions.rollback(options["id"], actor=actor, reason=options["reason"]), options)

    def _reconsider(self, options: dict[str, Any]) -> None:
        self._told(promotions.reconsider(options["id"], actor=_actor(options["user"])), options)

    def _shadow(self, options: dict[str, Any]) -> None:
        engine = Engine.objects.filter(name=options["engine"]).first()
        if engine is None:
            raise InvalidInput(f"there is no engine {options['engine']!r}; `engines list` shows them")
        found = shadow(engine, limit=max(1, options["limit"]))
        if options["json"]:
            return self._print(found)
        words = {True: "paid", False: "did not pay", None: "not known yet"}
        for row in found["rows"]:
            good = words[row["good"]]
            self.stdout.write(f"cycle {row['cycle']:6} {row['verdict']:8} {good:14} {visible(row['text'])}")
        return self.stdout.write(_summary(found["summary"]))

    def _told(self, promotion: Promotion, options: dict[str, Any]) -> None:
        if options["json"]:
            self._print(_renamed(Promotion.objects.values(*COLUMNS).get(pk=promotion.pk)))
        else:
            self._tell(promotion)

    def _tell(self, promotion: Promotion) -> None:
        text = visible(promotion.decision["text"])
        state = promotion.state.replace("_", " ")
        self.stdout.write(f"promotion {promotion.pk} of {promotion.subject} is {state}. {text}")
        if promotion.state == PromotionState.APPROVED:
            self.stdout.write(f"A worker applies it; `promotions show {promotion.pk}` says when it has.")

    def _print(self, data: Any) -> None:
        self.stdout.write(json.dumps(data, default=str))


def _summary(counted: dict[str, int]) -> str:
    said = ", ".join(f"{counted[verdict]} {verdict}" for verdict in ("promote", "hold", "block"))
    wrong = f"{counted['false_blocks']} were blocked wrongly, {counted['missed']} promoted wrongly"
    came = f"{counted['good']} of {counted['known']} known outcomes paid, {counted['bad']} did not"
    return f"of {counted['cycles']} cycles: {said}; {came}; {wrong}"


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    return {NAMES.get(name, name.removesuffix("_id")): value for name, value in row.items()}


def _actor(username: str) -> Actor:
    """Return the person that the command names; whoever reaches this shell is trusted with that."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise InvalidInput(f"there is no user {username!r}", field="user")
    return Actor(user_id=user.pk, label=f"{username} (command line)", kind="cli")
