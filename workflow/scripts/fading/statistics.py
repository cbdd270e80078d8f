"""Rank correlations and their intervals."""

import warnings

import numpy as np
from scipy import stats


def spearman_by_example(predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Spearman's correlation over test examples, for each counterfactual: arrays (K, M) give (K,).

    Per example because a pooled correlation is inflated by the examples with large gradients. A constant row has no
    ranking: its correlation is 0, it predicts nothing.
    """
    with warnings.catch_warnings(action="ignore", category=stats.ConstantInputWarning):
        return np.nan_to_num(stats.spearmanrho(predicted, actual, axis=1).statistic, nan=0.0)


def mean_interval(values: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """The mean of values (K,) and the ends of its 95 % bootstrap percentile interval: NaN for a single value."""
    if len(values) < 2:
        return float(np.mean(values)), np.nan, np.nan
    bootstrap = stats.bootstrap((values,), np.mean, n_resamples=2000, method="percentile", rng=seed)
    return float(np.mean(values)), *map(float, bootstrap.confidence_interval)
