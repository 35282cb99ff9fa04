"""`manage.py events tail | topics`: read the event bus."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis.exceptions import RedisError

from menace_site.events import TOPICS, Bus, Event, bus

PLACE = re.compile(r"\d{1,19}(-\d{1,19})?", re.ASCII)
BAD_INPUT = 2


class Command(BaseCommand):
    """Follow the topics of the event bus (Ctrl-C ends it), or list them."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("action", choices=["tail", "topics"])
        parser.add_argument(
            "--topic", action="append", choices=list(TOPICS), help="May be repeated; default: all."
        )
        parser.add_argument("--since", metavar="ID", help="Start after this id; `0`: with all that is kept.")
        parser.add_argument("--json", action="store_true", help="One JSON object a line.")
        parser.add_argument("--count", type=int, metavar="N", help="Stop after N messages.")

    def handle(self, *, action: str, **options: Any) -> None:
        """Do it."""
        try:
            self._topics(options["json"]) if action == "topics" else self._tail(bus(), **options)
        except RedisError as error:
            raise CommandError(f"Redis does not answer: {error}") from None
        except KeyboardInterrupt:
            return

    def _topics(self, as_json: bool) -> None:
        lengths = bus().lengths()
        for topic, meaning in TOPICS.items():
            row = {"topic": topic, "kept": lengths[topic], "meaning": meaning}
            self.stdout.write(json.dumps(row) if as_json else f"{topic:<18} {lengths[topic]:>7}  {meaning}")

    def _tail(
        self, source: Bus, *, topic: list[str] | None, since: str | None, count: int | None, **more: Any
    ) -> None:
        if since is not None and not PLACE.fullmatch(since):
            raise CommandError("--since takes an id such as 1763843700000-0, or 0", returncode=BAD_INPUT)
        if count is not None and count < 0:
            raise CommandError("--count takes a whole number from 0", returncode=BAD_INPUT)
        topics = topic or list(TOPICS)
        after = dict.fromkeys(topics, since) if since else source.newest(topics)
        events: Iterator[Event] = source.follow(after)
        for event in itertools.islice(events, count):
            self.stdout.write(_as_json(event) if more["json"] else _as_line(event))
            self.stdout.flush()


def _as_json(event: Event) -> str:
    return json.dumps({"id": event.id, "topic": event.topic, "data": event.data})


def _as_line(event: Event) -> str:
    pairs = (f"{key}={value}" for key, value in event.data.items() if value not in (None, ""))
    return "".join(
        char if char.isprintable() else "\ufffd" for char in f"{event.id}  {event.topic}  {' '.join(pairs)}"
    )
