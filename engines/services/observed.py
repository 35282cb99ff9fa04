"""Takes in what a bot's own monitoring observed in production."""

import uuid
from collections.abc import Mapping

from django.db import transaction

from engines.domain.errors import InvalidInput
from engines.domain.results import Actor
from engines.models import Engine
from engines.signals import acted
from forecasting.services import record_points


def push_metrics(engine: Engine, values: Mapping[str, float], *, actor: Actor) -> int:
    """Keep observed metrics of an engine; the drift detector reads them with the next cycle.

    Returns how many numbers were written. Raises InvalidInput for a bad name, a value that is no finite
    number, none at all, or more than 256.
    """
    if not values:
        raise InvalidInput("give at least one metric", field="values")
    with transaction.atomic():
        try:
            written = record_points(engine.name, values, source=f"push:{uuid.uuid4().hex}")
        except ValueError as error:
            raise InvalidInput(str(error), field="values") from None
        detail = {"metrics": sorted(values)}
        acted.send(
            sender=Engine, actor=actor, verb="engine.metrics", target=f"engine:{engine.name}", detail=detail
        )
    return written
