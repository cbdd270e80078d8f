"""Spearman's rank correlations over test examples, and what each test example adds to them."""

import warnings

import numpy as np
from scipy import stats

from fading.errors import FadingError


def spearman_by_example(predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Spearman's correlation over test examples, for each counterfactual: arrays (K, M) give (K,).

    Per example because a pooled correlation is inflated by the examples with large gradients. A constant row has no
    ranking: NaN. Raises FadingError for numbers that are not finite.
    """
    _check_finite(predicted, actual)
    with warnings.catch_warnings(action="ignore", category=stats.ConstantInputWarning):
        return stats.spearmanrho(predicted, actual, axis=1).statistic


def spearman_pseudo_values(predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Jackknife pseudo-values of Spearman's correlation over the last axis, (…, M), centred: their mean is it.

    ρ − (M − 1)(ρ₍ₜ₎ − mean ρ₍.₎), ρ₍ₜ₎ the correlation without test example t (Tukey 1958): they scatter as if each
    test example had a correlation of its own. NaN for constant rows. Raises FadingError for numbers that are not
    finite.
    """
    _check_finite(predicted, actual)
    count = actual.shape[-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = _pearson(stats.rankdata(predicted, axis=-1), stats.rankdata(actual, axis=-1))
        without = _pearson(_ranks_without(predicted), _ranks_without(actual))
    return whole[..., None] - (count - 1) * (without - without.mean(-1, keepdims=True))


def _ranks_without(values):
    """The ranks of the others without each value in turn: (…, M, M − 1)."""
    count = values.shape[-1]
    left, others = values[..., :, None], values[..., None, :]
    ranks = stats.rankdata(values, axis=-1)[..., None, :] - (left < others) - (left == others) / 2
    return ranks[..., ~np.eye(count, dtype=bool)].reshape(*values.shape, count - 1)


def _pearson(left, right):
    left, right = (ranks - ranks.mean(-1, keepdims=True) for ranks in (left, right))
    return (left * right).sum(-1) / np.sqrt((left**2).sum(-1) * (right**2).sum(-1))


def _check_finite(predicted, actual):
    if not (np.isfinite(predicted).all() and np.isfinite(actual).all()):
        raise FadingError("There is no rank correlation of changes of loss that are not finite: a run has diverged.")
