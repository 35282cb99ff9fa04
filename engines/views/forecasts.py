"""How good forecasts were: over all engines, of one engine, and its latest forecast."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from engines.models import Engine, Promotion
from engines.panels import backtest, synergy
from engines.panels import forecasts as panels
from engines.views.common import chosen_engine, engine_names, engine_of, person, viewers
from engines.views.promotions.decision import SHOWN_CHOICES, shown
from forecasting.charts import calibration_figure, classes_figure, error_figure, forecast_figure
from forecasting.models import Forecast
from forecasting.panels import forecast_panel, forecast_subjects, model_card, roi_prediction_panel

CHART_SECONDS = 10
FIGURES = {"errors": error_figure, "calibration": calibration_figure, "classes": classes_figure}
MAX_LATEST = 20


def subjects_seen(request: HttpRequest, engine: str = "") -> list[str]:
    """Return the subjects with forecasts that the person sees, of one engine or of all."""
    seen = Engine.objects.visible_to(person(request)).values_list("name", flat=True)
    names = set(seen.filter(name=engine) if engine else seen)
    return [subject for subject in forecast_subjects(of=engine) if subject.partition("/")[0] in names]


@require_safe
@viewers
def evaluation(request: HttpRequest) -> HttpResponse:
    """Show how good the forecasts of all engines were, or of the one that the address names."""
    engine = chosen_engine(request)
    promotions = Promotion.objects.visible_to(person(request))
    outcomes = backtest.promotion_outcomes(promotions.filter(engine__name=engine) if engine else promotions)
    context = {
        "engine": engine,
        "engines": engine_names(person(request)),
        "evaluation": panels.evaluation_page(roi_prediction_panel(subjects_seen(request, engine))),
        "outcomes": backtest.outcomes_page(outcomes),
    }
    return render(request, "forecasts/evaluation.html", context)


@require_safe
@viewers
def evaluation_chart(request: HttpRequest, figure: str) -> HttpResponse:
    """Return a figure of the evaluation; ten seconds old at most."""
    subjects = subjects_seen(request, chosen_engine(request))
    return _figure(FIGURES[figure](roi_prediction_panel(subjects)))


@require_safe
@viewers
def engine_forecasts(request: HttpRequest, name: str) -> HttpResponse:
    """Show an engine's latest forecasts, and how its gate would have done."""
    engine = engine_of(request, name)
    subjects = forecast_subjects(of=name)[:MAX_LATEST]
    rows = Forecast.objects.filter(subject__in=subjects, scenario="").order_by("subject", "-id")
    latest = {row.subject: row for row in rows.distinct("subject")}
    chosen = latest.get(_subject(request, latest, name))
    context = {
        "engine": {"name": engine.name},
        "latest": [panels.forecast_card(row) for row in latest.values()],
        "forecast": panels.forecast_card(chosen) if chosen else None,
        "backtest": backtest.backtest_page(backtest.backtest(engine)),
        "evaluation": panels.evaluation_page(roi_prediction_panel(subjects)),
        "synergies": [synergy.synergy_page(panel) for panel in synergy.of_engine(engine)],
        "shown": shown(request),
        "shown_choices": SHOWN_CHOICES,
    }
    return render(request, "forecasts/engine.html", context)


def _subject(request: HttpRequest, latest: dict[str, Any], usual: str) -> str:
    given = request.GET.get("subject", "")
    return given if given in latest else (usual if usual in latest else next(iter(latest), ""))


@require_safe
@viewers
def forecast_chart(request: HttpRequest, name: str) -> HttpResponse:
    """Return the figure of the latest forecast of an engine or of one of its workflows."""
    engine = engine_of(request, name)
    given = request.GET.get("subject", "")
    subject = given if given.startswith(f"{engine.name}/") and "\0" not in given else engine.name
    latest = Forecast.objects.latest_of(subject)
    nothing: dict[str, Any] = {"unit": "", "history": [], "steps": []}
    return _figure(forecast_figure(forecast_panel(latest, shown=shown(request)) if latest else nothing))


def _figure(figure: dict[str, Any]) -> JsonResponse:
    response = JsonResponse(figure)
    response["Cache-Control"] = f"private, max-age={CHART_SECONDS}"
    return response


@require_safe
@viewers
def forecast_models(request: HttpRequest) -> HttpResponse:
    """Show what is known of the forecast model in use, and of those before it."""
    found = model_card()
    shipped = found["shipped"]
    others = [card for card in (*found["trained"], shipped) if card["digest"] != found["active"]["digest"]]
    context = {
        "active": panels.model_page(found["active"]),
        "others": [panels.model_page(card) for card in others],
    }
    return render(request, "forecasts/models.html", context)
