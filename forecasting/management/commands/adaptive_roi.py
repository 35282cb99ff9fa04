"""`manage.py adaptive_roi`: train the forecast model on recorded history, and forecast with it."""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from forecasting.management import forecast_lines
from forecasting.services import predictor

NOTHING_CHANGED: Final = 3
"""Exit code of a training that left everything as it was: too little history, or nothing better."""


@dataclass(frozen=True)
class CommandLine:
    """Who acts here."""

    user_id: int | None = None
    label: str = "command line"
    kind: str = "cli"


class Command(BaseCommand):
    """Forecasts from the command line. Exit code 2: bad input; 3: a training changed nothing."""

    help = "Train the forecast model on recorded history, and forecast with it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        self._add_training(commands.add_parser("train", help="try all recipes, trees grown anew included"))
        self._add_training(commands.add_parser("retrain", help="the same, again and again or once"))
        predict = commands.add_parser("predict", help="forecast a recorded subject with the model in use")
        predict.add_argument("subject", help="such as `alpha` or `alpha/score`")
        predict.add_argument("--horizon", type=int, default=forecast_lines.HORIZON, help="steps, 1 to 23")
        predict.add_argument("--json", action="store_true", help="print JSON")
        forecast_lines.add_options(commands.add_parser("forecast", help="JSON lines; needs no database"))

    def _add_training(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--quick", action="store_true", help="grow no trees anew")
        parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn")
        parser.add_argument("--out", metavar="FILE", help="write the model in use to this file as well")
        parser.add_argument("--interval", type=float, metavar="SECONDS", help="repeat, this long apart")
        parser.add_argument("--once", action="store_true", help="don't repeat, whatever --interval says")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Carry out one subcommand and leave with its exit code."""
        if options["command"] == "forecast":
            code = forecast_lines.carry_out(argparse.Namespace(**options))
        elif options["command"] == "predict":
            code = self._predict(options)
        else:
            code = self._train_as_asked(options)
        if code:
            sys.exit(code)

    def _train_as_asked(self, options: Mapping[str, Any]) -> int:
        every = None if options["once"] else options["interval"]
        if every is not None and every <= 0:
            raise CommandError("--interval: seconds above 0", returncode=2)
        while True:
            code = self._train(options)
            if every is None:
                return code
            time.sleep(every)

    def _train(self, options: Mapping[str, Any]) -> int:
        training = predictor.retrain(actor=CommandLine(), quick=options["quick"], seed=options["seed"])
        if options["out"]:
            predictor.export(Path(options["out"]))
        if options["json"]:
            self.stdout.write(json.dumps(asdict(training), allow_nan=False))
        else:
            self._say(training)
        return 0 if training.changed else NOTHING_CHANGED

    def _say(self, training: Any) -> None:
        self.stdout.write(f"{training.chosen}: {training.reason}")
        self.stdout.write(f"{training.series} subjects, {training.points} values, {training.rows} rows")
        for recipe, scores in training.backtest.items():
            if scores["cases"]:
                told = ", ".join(
                    f"{name} {scores[name]:.3f}" for name in ("mase", "crps", "inside80", "inside95")
                )
                self.stdout.write(f"  {recipe}: {told} over {scores['cases']} origins")

    def _predict(self, options: Mapping[str, Any]) -> int:
        try:
            found = predictor.of_subject(options["subject"], options["horizon"])
        except (LookupError, ValueError) as error:
            raise CommandError(str(error), returncode=2) from None
        plain = {"subject": options["subject"], **asdict(found)}
        self.stdout.write(json.dumps(plain, allow_nan=False) if options["json"] else self._words(plain))
        return 0

    def _words(self, plain: Mapping[str, Any]) -> str:
        steps = zip(plain["mean"], plain["lower80"], plain["upper80"], strict=True)
        lines = [f"  {mean:.6g} ({low:.6g} to {high:.6g})" for mean, low, high in steps]
        trust = "not known yet" if plain["confidence"] is None else f"{plain['confidence']:.2f}"
        head = f"{plain['subject']}: {plain['growth']}, by {plain['model']}, confidence {trust}"
        return "\n".join([head, *lines])
