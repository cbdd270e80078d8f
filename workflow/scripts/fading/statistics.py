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
    """The mean of values (K,) and the ends of its 95 % interval (Student's t): NaN for a single value.

    Not a percentile bootstrap, which is too narrow for as few values as a case has examples.
    """
    if len(values) < 2:
        return float(np.mean(values)), np.nan, np.nan
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(0.95) if np.ptp(values) else (values[0],) * 2
    return float(np.mean(values)), *map(float, interval)


def bootstrap_interval(values: np.ndarray, resamples: int = 2000) -> tuple[float, float, float]:
    """The mean of values (S, K), and the ends of its 95 % interval over S seeds and the K examples of each.

    A hierarchical bootstrap: seeds are drawn with replacement, and of each drawn seed its examples (Davison and Hinkley
    1997, §3.8). The percentiles are those of the expanded interval, as wide as Student's for few values (Hesterberg
    2015). NaN for a single value. The draws are always the same.
    """
    seeds, examples = values.shape
    if values.size < 2:
        return float(values.mean()), np.nan, np.nan
    generator = np.random.default_rng(0)
    drawn = generator.integers(seeds, size=(resamples, seeds, 1))
    means = values[drawn, generator.integers(examples, size=(resamples, seeds, examples))].mean(axis=(1, 2))
    tail = stats.norm.cdf(np.sqrt(values.size / (values.size - 1)) * stats.t.ppf(0.025, values.size - 1))
    return float(values.mean()), *map(float, np.quantile(means, [tail, 1 - tail]))
