"""Is the challenger better than the champion?  Paired, one-sided tests, and alpha for a stream of them.

Which one: `corrected_paired_test` where only resampled (cross-validation) scores exist, `mcnemar` for right
or wrong per row of a test set, `paired_bootstrap` for any other number per row.  More is better everywhere.
Where both kinds of evidence exist the rows decide and the folds may object: `contradicts`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

import numpy as np

from engines.domain.distributions import binomial_bounds, mid_tail, student_quantile, student_tail
from engines.domain.errors import InvalidInput

HORIZON = 20
TOTAL_ALPHA = 0.05
OBJECTION = 0.05
"""How improbable an equal challenger must make the folds' loss for them to object."""
_LEAST_RESAMPLES, _RESAMPLES_PER_ALPHA, _MOST_RESAMPLES = 2_000, 20, 100_000
_CHUNK = 2_000_000  # random numbers held at a time


@dataclass(frozen=True, kw_only=True)
class Significance:
    """The answer of a paired test.

    `low` and `high` bound the mean difference (challenger - champion, in the unit of the scores) with the
    two-sided `confidence` 1 - 2 alpha, so that for tests by t or bootstrap `low > 0` says the same as
    `significant`.  `p_value`, `low`, `high` are None where the data can't tell; `note` then says why.
    """

    method: str
    pairs: int
    mean_difference: float
    p_value: float | None
    alpha: float
    significant: bool
    low: float | None
    high: float | None
    confidence: float
    df: float | None = None
    #: the variance of one difference times this is that of their mean; 1/n where rows are independent
    variance_factor: float | None = None
    note: str = ""


def alpha_for(k: int, total: float = TOTAL_ALPHA, horizon: int = HORIZON) -> float:
    """Return the alpha for an engine's `k`-th challenger (from 1 on).

    Within each `horizon` challengers the shares of `total` fall as 1/sqrt(position) and then begin again,
    so that any `horizon` challengers in a row have shares that sum to `total`.  By the union bound they
    see a promotion with at most that probability when none of them is better, also when all are judged
    on the same rows.  The first get most because an untuned champion is the easiest to beat.
    """
    if k < 1:
        raise InvalidInput(f"challengers are counted from 1, got {k}", field="k")
    if horizon < 1:
        raise InvalidInput(f"the horizon is at least 1 challenger, got {horizon}", field="horizon")
    position = (k - 1) % horizon + 1
    return _alpha(total) / math.sqrt(position) / sum(1 / math.sqrt(i) for i in range(1, horizon + 1))


def corrected_paired_test(
    champion_scores: Sequence[float], challenger_scores: Sequence[float], test_fraction: float, alpha: float
) -> Significance:
    """Compare scores on the same resampled splits by the corrected resampled t-test.

    t = mean(d) / sqrt(var(d) (1/n + n_test/n_train)), n - 1 degrees of freedom (Nadeau & Bengio 2003).
    `test_fraction`: share of the rows that each split scores, 1/folds in (repeated) cross-validation.
    Raises InvalidInput for fewer than 2 scores, unequal numbers of them, or scores that are not finite.
    """
    differences = _differences(champion_scores, challenger_scores)
    if not 0 < test_fraction < 1:
        raise InvalidInput(f"test_fraction lies between 0 and 1, got {test_fraction}", field="test_fraction")
    method, mean, n = "corrected resampled t-test", fmean(differences), len(differences)
    spread = variance(differences)
    if spread <= _rounding(champion_scores, challenger_scores):
        return _constant(method, mean, n, alpha, _rounding(champion_scores, challenger_scores))
    factor = 1 / n + test_fraction / (1 - test_fraction)
    error = math.sqrt(spread * factor)
    p_value = student_tail(mean / error, n - 1)
    reach = student_quantile(_alpha(alpha), n - 1) * error
    return _answer(method, mean, n, p_value, alpha, (mean - reach, mean + reach), df=n - 1, factor=factor)


def contradicts(folds: Significance, level: float = OBJECTION) -> bool:
    """Return whether the folds say that the challenger is *worse*, at the given level.

    They lie within the rows that the search chose by, so they flatter the challenger: their praise can't
    promote it where rows were held out, but their blame counts.
    """
    return folds.mean_difference < 0 and folds.p_value is not None and folds.p_value >= 1 - _alpha(level)


def mcnemar(champion_right: Sequence[bool], challenger_right: Sequence[bool], alpha: float) -> Significance:
    """Compare right/wrong on the same rows by the one-sided mid-p McNemar test.

    Of the rows on which just one was right, too many must belong to the challenger for a fair coin.  Half
    of the probability of the observed count is left out (mid-p: the exact test is too careful, Fagerland,
    Lydersen & Laake 2013); the bounds do the same, given how many such rows there were.  Raises
    InvalidInput for other values than 0/1.
    """
    differences = _differences(champion_right, challenger_right, least=1)
    if not {float(value) for value in (*champion_right, *challenger_right)} <= {0.0, 1.0}:
        raise InvalidInput("McNemar's test takes right (1) or wrong (0) only", field="challenger_right")
    won, lost = differences.count(1.0), differences.count(-1.0)
    n, discordant = len(differences), won + lost
    p_value = mid_tail(won, discordant) if discordant else 1.0
    share_low, share_high = binomial_bounds(won, discordant, _alpha(alpha)) if discordant else (0.5, 0.5)
    bounds = tuple((2 * share - 1) * discordant / n for share in (share_low, share_high))
    note = "" if discordant else "both were right on the same rows"
    return _answer(
        "mid-p McNemar test", (won - lost) / n, n, p_value, alpha, (bounds[0], bounds[1]), note=note
    )


def paired_bootstrap(
    champion: Sequence[float],
    challenger: Sequence[float],
    alpha: float,
    *,
    seed: int = 0,
    resamples: int | None = None,
) -> Significance:
    """Compare numbers per row by the studentised paired bootstrap (Efron & Tibshirani 1993, ch. 16).

    p = share of resamples whose t is at least the observed one; by default 20/alpha resamples, at least
    2000.  The same seed gives the same answer.  Raises InvalidInput as `corrected_paired_test`.
    """
    differences = _differences(champion, challenger)
    method, mean, n = "studentised paired bootstrap", fmean(differences), len(differences)
    spread, rounding = variance(differences), _rounding(champion, challenger)
    if spread <= rounding:
        return _constant(method, mean, n, alpha, rounding)
    wanted = resamples or min(
        max(_LEAST_RESAMPLES, round(_RESAMPLES_PER_ALPHA / _alpha(alpha))), _MOST_RESAMPLES
    )
    drawn = sorted(_studentised(differences, wanted, seed))
    error = math.sqrt(spread / n)
    beyond = sum(value >= mean / error for value in drawn)
    cut = min(int(_alpha(alpha) * (wanted + 1)), wanted - 1)
    bounds = (mean - drawn[-1 - cut] * error, mean - drawn[cut] * error)
    return _answer(method, mean, n, (beyond + 1) / (wanted + 1), alpha, bounds)


def _studentised(differences: list[float], resamples: int, seed: int) -> list[float]:
    """Return t of `resamples` resampled data sets around the observed mean."""
    values = np.array(differences)
    rng, n = np.random.default_rng(seed), len(values)
    centred = values - values.mean()
    drawn: list[float] = []
    while len(drawn) < resamples:
        size = min(resamples - len(drawn), max(1, _CHUNK // n))
        sample = centred[rng.integers(0, n, (size, n))]
        error = np.sqrt(sample.var(axis=1, ddof=1) / n)
        mean = sample.mean(axis=1)
        t = np.divide(mean, error, out=np.sign(mean) * 1e9, where=error > 0)
        drawn.extend(t.tolist())
    return drawn


def _differences(champion: Sequence[float], challenger: Sequence[float], least: int = 2) -> list[float]:
    if len(champion) != len(challenger):
        raise InvalidInput(
            f"paired scores must be equally many: {len(champion)} and {len(challenger)}", field="challenger"
        )
    if len(champion) < least:
        raise InvalidInput(f"at least {least} pairs are needed, got {len(champion)}", field="champion")
    if not all(math.isfinite(value) for value in (*champion, *challenger)):
        raise InvalidInput("scores must be finite numbers", field="challenger")
    return [float(new) - float(old) for old, new in zip(champion, challenger, strict=True)]


def _alpha(alpha: float) -> float:
    if not 0 < alpha < 0.5:
        raise InvalidInput(f"alpha lies between 0 and 0.5, got {alpha}", field="alpha")
    return alpha


def _rounding(champion: Sequence[float], challenger: Sequence[float]) -> float:
    """Return the variance that rounding alone can make, in the scores' squared unit."""
    largest = max(abs(float(value)) for value in (*champion, *challenger))
    return (1e-14 * largest) ** 2


def _constant(method: str, mean: float, n: int, alpha: float, rounding: float) -> Significance:
    """Answer for differences without any variance, of which no test can know the error."""
    same = mean**2 <= rounding
    unknown = mean > 0 and not same
    return Significance(
        method=method,
        pairs=n,
        mean_difference=0.0 if same else mean,
        p_value=None if unknown else 1.0,
        alpha=_alpha(alpha),
        significant=False,
        low=None,
        high=None,
        confidence=1 - 2 * alpha,
        note="identical scores" if same else "all differences are equal, so their error can't be estimated",
    )


def _answer(
    method: str,
    mean: float,
    n: int,
    p_value: float,
    alpha: float,
    bounds: tuple[float, float],
    *,
    df: float | None = None,
    factor: float | None = None,
    note: str = "",
) -> Significance:
    return Significance(
        method=method,
        pairs=n,
        mean_difference=mean,
        p_value=p_value,
        alpha=_alpha(alpha),
        significant=mean > 0 and p_value <= alpha,
        low=bounds[0],
        high=bounds[1],
        confidence=1 - 2 * alpha,
        df=df,
        variance_factor=factor,
        note=note,
    )
