"""What the latest forecast says of each engine's next cycle, in words, for its page and the overview."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import OuterRef, Subquery

from engines.domain.wording import NOT_MEASURED, sign, signed
from engines.models import Engine
from engines.panels.forecasts import CARD_COLUMNS, told
from forecasting.models import Forecast
from forecasting.panels import forecast_steps

Panel = dict[str, Any]
COLUMNS = (*CARD_COLUMNS, "horizon", "mean", "lower80", "upper80", "lower95", "upper95", "actual")
SIDES = ("lower95", "lower80", "mean", "upper80", "upper95")


def foreseen(engines: Iterable[Engine]) -> dict[str, Panel]:
    """Return what the latest forecast says of the next cycle, by the engine's name, in one statement.

    Engines without a forecast are not among them. One index probe an engine, however many forecasts it has.
    """
    ids = [engine.pk for engine in engines]
    of_engine = Forecast.objects.filter(subject=OuterRef("name"), scenario="").order_by("-at", "-id")
    newest = Engine.objects.filter(pk__in=ids).values(newest=Subquery(of_engine.values("pk")[:1]))
    found = Forecast.objects.filter(pk__in=newest).only(*COLUMNS)
    return {forecast.subject: next_cycle(forecast) for forecast in found}


def next_cycle(forecast: Forecast) -> Panel:
    """Return a forecast's first step, its collapse verdict and who answered, in words.

    `values`: the ends of the intervals and the mean, lowest first; None where the model gave none.
    """
    row: Mapping[str, Any] = {name: getattr(forecast, name) for name in CARD_COLUMNS}
    step = next(iter(forecast_steps(forecast)), {})
    values = {side: step.get(side) for side in SIDES}
    kind, _, number = forecast.source.partition(":")
    return {
        **told(row),
        "values": values,
        "mean": values["mean"],
        "mean_text": signed(values["mean"]),
        "mean_sign": sign(values["mean"]),
        "band": _band(values["lower80"], values["upper80"]),
        "wide_band": _band(values["lower95"], values["upper95"]),
        "cycle": int(number) if kind == "cycle" and number.isdecimal() and len(number) < 19 else None,
    }


def _band(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return NOT_MEASURED
    ends = [signed(low), signed(high)]
    return " to ".join(ends) if ends[0] != ends[1] else "no scatter so far"
