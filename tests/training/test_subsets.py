"""Parts of the training set that are left out at random."""

import numpy as np
from fading.training.subsets import removed


def test_there_are_so_many_of_each_size():
    masks, shares = removed(200, [0.01, 0.25, 0.5], 4)
    assert masks.shape == (12, 200)
    assert shares.tolist() == [0.01] * 4 + [0.25] * 4 + [0.5] * 4
    assert masks.sum(1).tolist() == [2] * 4 + [50] * 4 + [100] * 4


def test_they_are_the_first_of_more_and_the_same_whenever_drawn():
    masks, _ = removed(200, [0.05, 0.5], 3)
    more, shares = removed(200, [0.05, 0.2, 0.5], 7)
    for share, few in ((0.05, masks[:3]), (0.5, masks[3:])):
        np.testing.assert_array_equal(more[shares == share][:3], few)
    np.random.default_rng(0).normal(size=9)
    np.testing.assert_array_equal(removed(200, [0.05, 0.5], 3)[0], masks)


def test_they_differ_by_number_and_are_not_nested():
    masks, shares = removed(200, [0.25, 0.5], 20)
    assert len({mask.tobytes() for mask in masks}) == 40
    small, large = (masks[shares == share] for share in (0.25, 0.5))
    within = (small & large).sum(1) / small.sum(1)
    assert within.max() < 1, "the larger part is drawn anew"
    assert abs(within.mean() - 0.5) < 0.05
    assert 0.2 < small.mean(0).mean() < 0.3
    assert large.any(0).all(), "every example is left out some time"
