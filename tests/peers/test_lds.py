"""The linear datamodeling score (Park et al. 2023) is the same number in dattri: its metric is ours, by another road.

It is Spearman's correlation over subsets of the training set, for each test example. dattri sums the scores of the
examples that a subset keeps; ours predicts a change of loss, minus the sum over those that it leaves out. Both differ
by the sum over all examples, which is the same for every subset, so that no rank changes. Ranks of ties are averaged in
both, and of what never changes there is no correlation: NaN in both. In float32 the two sums could round to different
orders where subsets nearly tie; compared in float64 they do not.
"""

import warnings

import numpy as np
import pytest
import torch
from fading.evidence.correlations import spearman_by_example

EXAMPLES, TESTS, SUBSETS = 60, 7, 40

pytestmark = pytest.mark.slow  # dattri takes its time to import


def case_of(whole_numbers: bool, left_out: int, subsets: int):
    """Scores (n, M), actual losses (S, M) that follow them loosely, and who is kept (S, n)."""
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(EXAMPLES, TESTS))
    noise = generator.normal(size=(subsets, TESTS))
    if whole_numbers:
        scores, noise = scores.round(), noise.round()
    kept = np.ones((subsets, EXAMPLES), dtype=bool)
    for row in kept:
        row[generator.choice(EXAMPLES, left_out, replace=False)] = False
    return scores, ~kept @ -scores + 2 * noise, kept


def theirs(scores, actual, kept):
    from dattri.metric.metrics import lds

    indices = np.stack([np.flatnonzero(row) for row in kept])
    with warnings.catch_warnings(action="ignore"):
        return lds(torch.from_numpy(scores), (torch.from_numpy(actual), torch.from_numpy(indices)))[0].numpy()


def ours(scores, actual, kept):
    return spearman_by_example((~kept @ -scores).T, actual.T)


@pytest.mark.parametrize("whole_numbers", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize("left_out", [1, 3, 30])
@pytest.mark.parametrize("subsets", [5, SUBSETS])
def test_it_is_dattris_metric(whole_numbers, left_out, subsets):
    case = case_of(whole_numbers, left_out, subsets)
    np.testing.assert_allclose(ours(*case), theirs(*case), rtol=0, atol=1e-6)
    assert np.abs(ours(*case)).min() < 1, "not all is trivial"


def test_what_never_changes_has_no_score_in_either():
    scores, actual, kept = case_of(False, 3, SUBSETS)
    scores[:, 0], actual[:, 1] = 0, 5
    for score in (ours(scores, actual, kept), theirs(scores, actual, kept)):
        assert np.isnan(score).tolist() == [True, True] + [False] * (TESTS - 2)
