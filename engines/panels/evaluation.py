"""The evaluation dashboard with what only engines know: the gate's backtest and the promotions' outcomes."""

from typing import Any

from engines.models import Engine, Promotion
from engines.panels.backtest import backtest, promotion_outcomes
from forecasting import panels

Panel = dict[str, Any]


class EvaluationDashboard(panels.EvaluationDashboard):
    """How good forecasts and the gate were, as plain mappings.

    >>> stats = EvaluationDashboard().roi_prediction_panel(tracker)  # doctest: +SKIP
    >>> pandas.DataFrame(stats["confusion_matrix"]).plot.bar()  # doctest: +SKIP
    """

    def gate_backtest_panel(self, engine: str) -> Panel:
        """Return what the gate would have said over an engine's history, and what came."""
        return backtest(Engine.objects.get(name=engine))

    def promotion_outcomes_panel(self, engine: str = "") -> Panel:
        """Return what became of the promotions of an engine, or of all."""
        rows = Promotion.objects.all()
        return promotion_outcomes(rows.filter(engine__name=engine) if engine else rows)
