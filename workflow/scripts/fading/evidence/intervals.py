"""Rank correlations and their intervals."""

import warnings

import numpy as np
from scipy import stats

from fading.errors import FadingError


def spearman_by_example(predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Spearman's correlation over test examples, for each counterfactual: arrays (K, M) give (K,).

    Per example because a pooled correlation is inflated by the examples with large gradients. A constant row has no
    ranking: its correlation is 0, it predicts nothing. Raises FadingError for numbers that are not finite.
    """
    if not (np.isfinite(predicted).all() and np.isfinite(actual).all()):
        raise FadingError("There is no rank correlation of changes of loss that are not finite: a run has diverged.")
    with warnings.catch_warnings(action="ignore", category=stats.ConstantInputWarning):
        return np.nan_to_num(stats.spearmanrho(predicted, actual, axis=1).statistic, nan=0.0)


def mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """The mean of values (K,) and the ends of its 95 % interval (Student's t): NaN for a single value."""
    if len(values) < 2:
        return float(np.mean(values)), np.nan, np.nan
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(0.95) if np.ptp(values) else (values[0],) * 2
    return float(np.mean(values)), *map(float, interval)


def bootstrap_interval(groups: list[np.ndarray], resamples: int = 2000) -> tuple[float, float, float]:
    """The mean over S seeds of the mean of each one's examples, and the ends of its 95 % interval.

    A hierarchical bootstrap: seeds are drawn with replacement, and of each drawn seed its examples (Davison and Hinkley
    1997, §3.8), the spread enlarged by √(S/(S−1)), by which so few seeds understate it, and the percentiles to those of
    Student's t (Hesterberg 2015). Of three seeds with four examples each it holds the mean in 98 % of all cases where
    seeds do not differ, 92 % where they differ as much as examples do, and 80 % where only seeds differ. The draws are
    always the same.
    """
    seeds, count = len(groups), sum(map(len, groups))
    generator = np.random.default_rng(0)
    drawn = generator.integers(seeds, size=(resamples, seeds))
    means = np.zeros(drawn.shape)
    for number, values in enumerate(groups):
        again = values[generator.integers(len(values), size=(*drawn.shape, len(values)))].mean(axis=2)
        means = np.where(drawn == number, again, means)
    mean = float(np.mean([values.mean() for values in groups]))
    tail = stats.norm.cdf(np.sqrt(count / (count - 1)) * stats.t.ppf(0.025, count - 1))
    ends = mean + np.sqrt(seeds / (seeds - 1)) * (np.quantile(means.mean(axis=1), [tail, 1 - tail]) - mean)
    return mean, *map(float, ends)


def nested_interval(groups: list[np.ndarray]) -> tuple[float, float, float]:
    """The mean of the values of each seed, and the ends of its 95 % interval.

    By bootstrap over seeds and examples; where there is one seed, or one value of each, Student's t over the values.
    """
    nested = len(groups) > 1 and sum(map(len, groups)) > len(groups)
    return bootstrap_interval(groups) if nested else mean_interval(np.concatenate(groups))


def success_interval(groups: list[np.ndarray]) -> tuple[float, float, float]:
    """The share of successes (0 or 1) over the trials of each seed, and the ends of its 95 % interval.

    The wider, at either end, of Wilson's interval (1927), which knows that few trials without a failure do not prove
    that there is none, and the nested one, which knows that trials of a seed may be alike.
    """
    trials = np.concatenate(groups)
    wilson = stats.binomtest(int(trials.sum()), len(trials)).proportion_ci(method="wilson")
    return float(trials.mean()), *_widest((wilson.low, wilson.high), groups, 0)


def paired_interval(groups: list[np.ndarray]) -> tuple[float, float, float]:
    """The mean over trials of a success's difference to its control's (−1, 0 or 1), and the ends of its 95 % interval.

    The wider, at either end, of Agresti and Min's interval for matched pairs (2005: two pairs are added, half a one of
    each kind) and the nested one.
    """
    differences = np.concatenate(groups)
    count, total = len(differences) + 2, differences.sum()
    spread = np.sqrt(np.abs(differences).sum() + 1 - total**2 / count) / count
    ends = total / count + stats.norm.ppf([0.025, 0.975]) * spread
    return float(differences.mean()), *_widest(ends, groups, -1)


def _widest(ends, groups, smallest):
    """The ends, or those of the nested interval where they lie farther out, within [smallest, 1]."""
    _, low, high = nested_interval(groups)
    return tuple(np.clip([np.fmin(ends[0], low), np.fmax(ends[1], high)], smallest, 1).tolist())
