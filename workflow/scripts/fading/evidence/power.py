"""How much it would take to decide a claim in four studies of five, were its estimate the truth."""

import math
from bisect import bisect_left

import numpy as np
from scipy import stats

from fading.evidence.intervals import FEWEST, SHARE, Mean

MOST = 10_000  # replicates; what would need more is not to be decided so
POWER = 0.8


def decided_by(mean: Mean, threshold: float, direction: str, level: float) -> dict[str, float]:
    """How many replicates (runs, or examples of one run) there are and would decide, at what the variances are now.

    To decide is to leave the threshold beyond the one-sided bound, four times in five: the estimate scatters, so that
    as many as just reach the threshold on average would decide only every other time.

    `needed` counts replicates of as many examples each; `needed_each` by how much the examples of each of as many
    replicates would have to be multiplied, to 3 %. Infinite where that can't do: the test examples are too few, or the
    runs differ too much. NaN without standard errors, and `needed_each` where a replicate has no examples of its own.
    """
    distance = abs(mean.beyond(threshold, direction))
    now = {"replicates": mean.rows}
    if math.isnan(mean.se) or math.isnan(distance):
        return {**now, "needed": math.nan, "needed_each": math.nan}
    scatter = 1.0  # of the estimate, relative to its error at the threshold: a share's depends on where it is
    if mean.scale == SHARE:
        scatter = math.sqrt(mean.value * (1 - mean.value) / (threshold * (1 - threshold)))
    if not mean.se_rows:  # the test examples of one run are the replicates, or nothing varies
        decided = distance >= _quantiles(level, mean.df, scatter) * mean.se
        return {**now, "needed": mean.rows if decided else math.inf, "needed_each": math.nan}
    variance = mean.se_rows**2
    nested = min(mean.se_nested**2, variance)
    free = 1.0 if mean.se_columns else (mean.df + 1) / mean.rows  # degrees of freedom of each replicate
    of_columns = max(0.0, mean.se**4 / mean.df - variance**2 / (free * mean.rows - 1))  # in Satterthwaite's denominator

    def decides(of_rows, rows):
        total = of_rows + mean.se_columns**2
        spread = of_rows**2 / (free * rows - 1) + of_columns if math.isfinite(mean.df) else 0.0
        df = total**2 / spread if spread else math.inf
        return distance >= _quantiles(level, df, scatter) * math.sqrt(total)

    needed = _first(range(FEWEST, MOST + 1), lambda rows: decides(variance * mean.rows / rows, rows))
    factors = np.geomspace(1 / 16, MOST, 400).tolist()
    each = _first(factors, lambda factor: decides(variance - nested + nested / factor, mean.rows))
    return {**now, "needed": needed, "needed_each": each if mean.se_nested else math.nan}


def _quantiles(level, df, scatter):
    """By how many standard errors the truth has to be away, nearly; exactly by the noncentral t distribution."""
    return stats.t.ppf(1 - level, df) + scatter * stats.t.ppf(POWER, df)


def _first(values, decides):
    """The first of ascending values that decides, as all that follow do; infinite if none does."""
    place = bisect_left(values, True, key=decides)
    return values[place] if place < len(values) else math.inf
