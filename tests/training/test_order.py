"""The order of batches, fixed before training."""

import numpy as np
import pytest
import torch
from conftest import Tiny
from fading.training.order import batch_order, candidates, first_use
from fading.training.segment import batches


def test_each_epoch_is_a_shuffle_and_its_last_batch_the_rest():
    order = Tiny.order(7)
    drawn = batches(order)
    assert [len(batch) for batch in drawn] == [8, 8, 7, 8, 8, 7, 8]
    for epoch in (drawn[:3], drawn[3:6]):
        assert sorted(torch.cat(epoch).tolist()) == list(range(Tiny.n))
    assert not np.array_equal(order["indices"][:23], order["indices"][23:46])
    assert np.array_equal(order["indices"], Tiny.order(7)["indices"])
    assert not np.array_equal(order["indices"], Tiny.order(7, seed=1)["indices"])
    assert np.array_equal(Tiny.order(3)["indices"], order["indices"][:23]), "a longer run starts with the shorter one"


def test_a_continuation_draws_what_one_long_run_would():
    whole, rest = batches(Tiny.order(9)), batches(Tiny.order(9, start=4))
    assert [batch.tolist() for batch in rest] == [batch.tolist() for batch in whole[4:]]
    assert [batch.tolist() for batch in batches(Tiny.order(9), 6)] == [batch.tolist() for batch in whole[6:]]


@pytest.mark.parametrize("start", [3, 4])
def test_the_first_drawn_are_those_of_the_next_batches_and_each_once(start):
    following = [batch.tolist() for batch in batches(Tiny.order(12, start=start))]
    drawn = list(dict.fromkeys(example for batch in following for example in batch))
    for count in (1, 8, 20, Tiny.n):
        settings = {"candidates": {"count": count, "batch_size": 8, "from": start, "order": 0}}
        assert candidates(Tiny.n, settings).tolist() == sorted(drawn[:count])
    assert candidates(Tiny.n, {}).tolist() == list(range(Tiny.n)), "all"


def test_first_use():
    order = Tiny.order(6)
    for example in range(Tiny.n):
        assert first_use(order, example) == next(t for t, batch in enumerate(batches(order)) if example in batch)
    assert first_use(batch_order(100, 8, 0, 2, 0), int(batch_order(100, 8, 0, 12, 0)["indices"][-1])) == 2
