"""An example's influence by the epoch in which it was seen, by hand."""

import numpy as np
import pytest
from fading.experiments.seen import AGREEMENT, FLIPPED, SHARE, by_epoch
from scipy import stats


def statistics(frame, name):
    return frame[frame.statistic == name].set_index(["epoch", "test_index"]).estimate.to_dict()


def test_by_hand():
    """Example 4 is drawn once, 0 and 2 three times; uses stand in no order."""
    uses = [  # step, example, effects on two losses
        (7, 0, (-1, 2)),
        (0, 2, (3, 1)),
        (1, 0, (2, -4)),
        (4, 2, (-1, 1)),
        (2, 4, (5, 5)),
        (5, 0, (1, 4)),
        (8, 2, (-2, 0.5)),
    ]
    step, example, effect = (np.array(column) for column in zip(*uses, strict=True))
    frame = by_epoch(step, example, effect.astype(float))
    whole = np.array([15, 17.5])
    first, second, last = np.array([10, 10]) / whole, np.array([2, 5]) / whole, np.array([3, 2.5]) / whole
    shares = {(epoch, m): share[m] for epoch, share in ((1, first), (2, second), (3, last)) for m in range(2)}
    assert statistics(frame, SHARE) == pytest.approx(shares)
    # Of 0 and 2, which both epochs drew: first (2, 3), (-4, 1); second (1, -1), (4, 1); last (-1, -2), (2, 0.5).
    assert statistics(frame, AGREEMENT) == pytest.approx({(1, 0): -1, (1, 1): -1, (2, 0): 1, (2, 1): 1})
    assert statistics(frame, FLIPPED) == pytest.approx({(1, 0): 1, (1, 1): 0.5, (2, 0): 0.5, (2, 1): 0})


def drawn(epochs, examples, random):
    """Steps and examples of so many epochs of batches of 3, and effects on 4 losses."""
    example = np.concatenate([random.permutation(examples) for _ in range(epochs)])
    return np.arange(len(example)) // 3, example, random.normal(size=(len(example), 4))


def test_shares_sum_to_one_over_epochs():
    frame = by_epoch(*drawn(3, 12, np.random.default_rng(0)))
    assert set(frame.epoch) == {1, 2, 3}
    np.testing.assert_allclose(frame[frame.statistic == SHARE].groupby("test_index").estimate.sum(), 1)
    assert set(frame[frame.statistic != SHARE].epoch) == {1, 2}, "the last epoch is what they are compared with"


def test_epochs_that_do_the_same_or_the_opposite_agree_so_and_flip_none_or_all():
    step, example, effect = drawn(3, 12, np.random.default_rng(0))
    last = dict(zip(example[24:], effect[24:], strict=True))
    effect[:12] = [-2 * last[k] for k in example[:12]]
    effect[12:24] = [np.arctan(last[k]) for k in example[12:24]]
    frame = by_epoch(step, example, effect)
    expected = {(epoch, m): sign for epoch, sign in ((1, -1), (2, 1)) for m in range(4)}
    assert statistics(frame, AGREEMENT) == pytest.approx(expected)
    assert statistics(frame, FLIPPED) == {key: sign < 0 for key, sign in expected.items()}


def test_an_unfinished_epoch_is_compared_on_what_it_drew():
    step, example, effect = drawn(3, 12, np.random.default_rng(0))
    step, example, effect = step[:-5], example[:-5], effect[:-5]
    frame = by_epoch(step, example, effect)
    ending = example[24:]
    before = [next(u for u in range(12, 24) if example[u] == k) for k in ending]
    for m in range(4):
        expected = stats.spearmanr(effect[before, m], effect[24:, m]).statistic
        assert statistics(frame, AGREEMENT)[2, m] == pytest.approx(expected)


def test_of_one_epoch_there_is_only_a_share():
    frame = by_epoch(*drawn(1, 6, np.random.default_rng(0)))
    assert frame[["statistic", "epoch"]].drop_duplicates().to_numpy().tolist() == [[SHARE, 1]]
    np.testing.assert_allclose(frame.estimate, 1)
