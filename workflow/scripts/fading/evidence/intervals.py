"""Means over runs and test examples, and how far each can be trusted.

A *run* is the replicate wherever there are several, since all that a run holds hangs together; of one run its training
examples are, and the interval says nothing of other runs. Training examples are nested in runs. Measured test examples
are the same in all runs: crossed with them, so that more runs do not average their luck away. How often the intervals
of each design hold the truth is simulated in tests/evidence/coverage.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import stats

FEWEST = 3  # replicates: below, no spread can be told
FEWEST_TRIALS = 5  # that count: were all of four successes, a share of one half would have that in one case of sixteen
CONFIDENCE = 0.95
LINEAR, BOUNDED, CORRELATION, SHARE = "linear", "bounded", "correlation", "share"  # scales


class Ends(NamedTuple):
    """The ends of an interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Mean:
    """A mean, its standard errors by what was drawn at random, and their degrees of freedom.

    `se_rows` is the error of having so many `rows` (runs, or examples of one run), `se_columns` that of having so many
    test examples; `se_nested` is the part of `se_rows` that is from having so many examples in each run. They are in
    the units of the scale: `linear`; `bounded`, within [−1, 1], as shares of many and differences of shares are;
    `correlation`, Fisher's z; `share`, .5/√n for n independent trials that the trials are worth. NaN where there are
    too few to tell.
    """

    value: float
    se_rows: float
    se_columns: float = 0.0
    df: float = np.inf
    scale: str = LINEAR
    rows: int = 1
    se_nested: float = 0.0

    @property
    def se(self) -> float:
        """Of both together."""
        return float(np.hypot(self.se_rows, self.se_columns))

    def ends(self, confidence: float = CONFIDENCE) -> Ends:
        """The ends of the two-sided interval; never beyond what its scale allows; of shares, Wilson's (1927)."""
        if not np.isfinite(self.se):
            return Ends(np.nan, np.nan)
        if not self.se:
            return Ends(self.value, self.value)
        quantile = stats.t.ppf((1 + confidence) / 2, self.df)
        reach = quantile * self.se
        if self.scale == CORRELATION:
            return Ends(*np.tanh(np.arctanh(self.value) + np.array([-reach, reach])).tolist())
        if self.scale == SHARE:
            return _wilson(self.value, 0.25 / self.se**2, quantile)
        limits = (-1, 1) if self.scale == BOUNDED else (-np.inf, np.inf)
        return Ends(*np.clip([self.value - reach, self.value + reach], *limits).tolist())

    def beyond(self, threshold: float, direction: str) -> float:
        """How far it lies on the side of `direction`, "at least" or "at most", in the units of its errors."""
        if self.scale == CORRELATION:
            distance = np.arctanh(self.value) - np.arctanh(threshold)
        elif self.scale == SHARE:  # the error of a share depends on it: that of the threshold counts (Wilson 1927)
            distance = (self.value - threshold) / (2 * np.sqrt(threshold * (1 - threshold)))
        else:
            distance = self.value - threshold
        return float(distance if direction == "at least" else -distance)

    def p_value(self, threshold: float, direction: str) -> float:
        """One-sided: how likely a mean is to lie so far on that side, were the truth the threshold. NaN without error.

        Without any spread it is 0, or 1 beyond the threshold, which itself is on the claim's side.
        """
        beyond = self.beyond(threshold, direction)
        if not self.se > 0:
            return np.nan if np.isnan(self.se) else float(beyond < 0)
        return float(stats.t.sf(beyond / self.se, self.df))


def _wilson(share, trials, quantile):
    spread = quantile**2 / trials
    centre, reach = share + spread / 2, np.sqrt(spread * (share * (1 - share) + spread / 4))
    return Ends(*np.clip([(centre - reach) / (1 + spread), (centre + reach) / (1 + spread)], 0, 1).tolist())


def mean_of_rows(values: np.ndarray) -> Mean:
    """The mean of R independent values, such as the means of R runs: Student's t, R − 1 degrees of freedom."""
    rows = len(values)
    se = float(np.std(values, ddof=1) / np.sqrt(rows)) if rows >= FEWEST else np.nan
    return Mean(float(np.mean(values)), se, df=rows - 1, rows=rows)


def mean_of_crossed(values: np.ndarray) -> Mean:
    """The mean of R rows (runs) and C columns (test examples, the same in all runs): (R, C).

    A value is the sum of a row's effect, a column's, and noise. The error of the rows' mean is Student's over rows; the
    columns add their variance beyond the noise, MS_columns − MS_noise, where positive (Searle, Casella and McCulloch
    1992, §4.5), with Satterthwaite's degrees of freedom. Owen's pigeonhole bootstrap (2007) is for the same design, but
    counts the noise three times over. Of one row, columns are the replicates.
    """
    rows, columns = values.shape
    if rows == 1:
        alone = mean_of_rows(values[0])
        return Mean(alone.value, 0.0, alone.se_rows, alone.df)
    of_rows = mean_of_rows(values.mean(1))
    if rows < FEWEST or columns < FEWEST:
        return of_rows
    noise = values - values.mean(1, keepdims=True) - values.mean(0) + values.mean()
    noise_square = (noise**2).sum() / ((rows - 1) * (columns - 1))
    columns_square = rows * values.mean(0).var(ddof=1)
    of_columns = max(0.0, columns_square - noise_square) / (rows * columns)
    variances, degrees = np.array([of_rows.se_rows**2, of_columns]), np.array([rows - 1, columns - 1])
    total = variances.sum()
    df = float(total**2 / (variances**2 / degrees).sum()) if total else np.inf
    return replace(of_rows, se_columns=float(np.sqrt(of_columns)), df=df)


def correlation_scaled(mean: Mean) -> Mean:
    """A mean of Fisher's z as a correlation."""
    return replace(mean, value=float(np.tanh(mean.value)), scale=CORRELATION)


def fisher(values: np.ndarray) -> np.ndarray:
    """Fisher's z of K correlations, by the delta method for what each is the mean of: values (K, C) to (K, C).

    Correlations of one count as half a swap of neighbours from it, which C examples can't tell from one.
    """
    count = values.shape[1]
    most = 1 - (6 / (count**3 - count) if count > 1 else 1e-6)
    means = values.mean(1, keepdims=True)
    clipped = means.clip(-most, most)
    return np.arctanh(clipped) + (values - means) / (1 - clipped**2)


def mean_of_nested(values: np.ndarray, rows: np.ndarray) -> Mean:
    """The mean of R runs, each that of its examples: values (K, C) by test example, `rows` (K,) says of which run."""
    groups = [values[rows == row] for row in dict.fromkeys(rows.tolist())]
    mean = mean_of_crossed(np.stack([group.mean(0) for group in groups]))
    within = [group.mean(1).var(ddof=1) / len(group) if len(group) > 1 else 0.0 for group in groups]
    return replace(mean, se_nested=float(np.sqrt(np.mean(within) / len(groups))))


def jackknife_of_pairs(values: np.ndarray, pairs: Sequence[tuple]) -> np.ndarray:
    """Pseudo-values of each of R units (runs, examples) for the mean over pairs of them: (P, C) to (R, C).

    Pairs that share a unit hang together; a jackknife over units knows it (Arvesen 1969). The pseudo-values, in
    ascending order of the units, have the pairs' mean. Needs each of three or more units with each other one.
    """
    units = sorted({unit for pair in pairs for unit in pair})
    mean = values.mean(0)
    without = [values[[unit not in pair for pair in pairs]].mean(0) for unit in units]
    return np.stack([len(units) * mean - (len(units) - 1) * left for left in without])


def mean_of_shares(groups: Sequence[np.ndarray]) -> Mean:
    """The share of successes (0 or 1) over the trials of R runs, a group each.

    The error is that of as many independent trials as _worth() counts, which must be FEWEST_TRIALS or more, or of fewer
    where the runs' shares differ by more. With Wilson's normal quantile that covers well, with Student's too often.
    """
    runs, trials = len(groups), np.concatenate(groups)
    share = float(trials.mean())
    if runs < FEWEST:
        return Mean(share, np.nan, scale=SHARE, rows=runs)
    worth, between = _worth(groups), _between_runs(groups)
    if worth < FEWEST_TRIALS:
        return Mean(share, np.nan, scale=SHARE, rows=runs)
    if between:
        worth = min(worth, share * (1 - share) / between)
    return Mean(share, 0.5 / np.sqrt(worth), scale=SHARE, rows=runs, se_nested=0.5 / np.sqrt(len(trials)))


def mean_of_differences(groups: Sequence[np.ndarray]) -> Mean:
    """The mean of a success's difference to its control's (−1, 0 or 1) over the trials of R runs, a group each.

    The larger of two variances: between runs, and Agresti and Min's of matched pairs (2005: two are added, half a one
    of each kind), of which there are as many as _worth() counts; Student's t with one degree of freedom less than runs
    or pairs.
    """
    runs, trials = len(groups), np.concatenate(groups)
    value = float(trials.mean())
    if runs < FEWEST:
        return Mean(value, np.nan, scale=BOUNDED, rows=runs)
    pairs = _worth(groups)
    count = pairs + 2
    least = (pairs * np.abs(trials).mean() + 1 - (pairs * value) ** 2 / count) / count**2
    variance, df = max((_between_runs(groups), runs - 1), (least, pairs - 1))
    se, nested = float(np.sqrt(variance)), float(np.sqrt(least))
    return Mean(value, se, df=df, scale=BOUNDED, rows=runs, se_nested=nested)


def _worth(groups):
    """How many independent trials at most: of a run where all end alike one, for nothing tells how alike they are."""
    return sum(len(group) if np.ptp(group) else 1 for group in groups)


def _between_runs(groups):
    """The variance of the mean over runs."""
    return float(np.var([group.mean() for group in groups], ddof=1) / len(groups))
