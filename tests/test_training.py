import numpy as np
import pytest
import torch
from conftest import Tiny
from fading.counterfactuals import NO_EXAMPLE, Counterfactual, fork, forked, left_out, record
from fading.errors import FadingError
from fading.order import batch_order, first_use
from fading.training import batches, descend, pack, train, unit_weights, unpack


def order_of(steps, seed=0, start=0):
    return batch_order(Tiny.n, 8, start, steps, seed)


def test_each_epoch_is_a_shuffle_and_its_last_batch_the_rest():
    order = order_of(7)
    drawn = batches(order)
    assert [len(batch) for batch in drawn] == [8, 8, 7, 8, 8, 7, 8]
    for epoch in (drawn[:3], drawn[3:6]):
        assert sorted(torch.cat(epoch).tolist()) == list(range(Tiny.n))
    assert not np.array_equal(order["indices"][:23], order["indices"][23:46])
    assert np.array_equal(order["indices"], order_of(7)["indices"])
    assert not np.array_equal(order["indices"], order_of(7, seed=1)["indices"])
    assert np.array_equal(order_of(3)["indices"], order["indices"][:23]), "a longer run starts with the shorter one"


def test_a_continuation_draws_what_one_long_run_would():
    whole, rest = batches(order_of(9)), batches(order_of(9, start=4))
    assert [batch.tolist() for batch in rest] == [batch.tolist() for batch in whole[4:]]
    assert [batch.tolist() for batch in batches(order_of(9), 6)] == [batch.tolist() for batch in whole[6:]]


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_a_step_follows_the_formula(tiny, kind):
    case, theta = tiny.make(kind)
    weights = unit_weights(case)
    weights[4] = 0.5
    batch = torch.tensor([4, 11, 20])
    gradient = case.weight_decay * theta
    for i in batch:
        loss = torch.func.grad(lambda t, i=i: case.losses(t, case.train[i : i + 1])[0])
        gradient = gradient + weights[i] * loss(theta) / 3
    ((step, moved, _),) = descend(case, theta, [batch], 0.3, weights)
    assert step == 1
    torch.testing.assert_close(moved, theta - 0.3 * gradient, atol=1e-12, rtol=0)


def test_training_is_deterministic_and_keeps_its_checkpoints(tiny):
    case, theta = tiny.make("resnet-gelu")
    settings = {"learning_rate": 0.1, "checkpoints": [0, 2, 5]}
    runs = [train(case, theta, batches(order_of(5)), settings) for _ in range(2)]
    (kept, curve), (again, _) = runs
    assert list(kept) == [0, 2, 5]
    assert all(torch.equal(kept[step], again[step]) for step in kept)
    assert curve["step"] == [1, 2, 3, 4, 5]
    assert [loss is not None for loss in curve["test_loss"]] == [False, True, False, False, True]


def test_checkpoints_survive_packing_and_name_what_is_missing(tiny):
    case, theta = tiny.make("bert")
    arrays = pack(case, {0: theta, 4: theta + 1})
    assert torch.equal(unpack(case, arrays, 4), theta + 1)
    with pytest.raises(FadingError, match="no checkpoint at step 3: there are 0, 4"):
        unpack(case, arrays, 3)
    with pytest.raises(FadingError, match="of another model"):
        unpack(tiny.make("logistic")[0], arrays, 4)


def test_divergence_names_the_step_counted_from_the_start_of_training(tiny):
    case, theta = tiny.make("logistic")
    with pytest.raises(FadingError, match="the loss is .* at step 57; lower the learning rate"):
        for _ in descend(case, theta * 1e300, [torch.arange(8)], 1e300, unit_weights(case), first_step=57):
            pass


def test_parameters_that_overflow_in_the_last_step_are_not_returned(tiny):
    case, theta = tiny.make("logistic")
    with pytest.raises(FadingError, match="at step 0"):
        train(case, theta, [torch.arange(8)], {"learning_rate": 1e310, "checkpoints": [1]})


def test_first_use_and_fork():
    order = order_of(6)
    drawn = batches(order)
    for example in range(Tiny.n):
        expected = next(step for step, batch in enumerate(drawn) if example in batch)
        assert first_use(order, example) == expected
        assert fork(order, example, [0, 1, 2, 6]) == expected
    assert first_use(batch_order(100, 8, 0, 2, 0), int(batch_order(100, 8, 0, 12, 0)["indices"][-1])) == 2


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_leaving_out_from_the_fork_equals_leaving_out_from_the_start(tiny, kind):
    case, theta = tiny.make(kind)
    order = order_of(6)
    kept, _ = train(case, theta, batches(order), {"learning_rate": 0.1, "checkpoints": [0, 1, 2, 6]})
    late = int(batches(order)[2][0])
    weights = Counterfactual(late, -1.0).weights(case)
    start = fork(order, late, [0, 1, 2, 6])
    assert start == 2
    whole, _ = record(case, theta, batches(order), 0.1, weights, [6])
    forked_run, _ = record(case, kept[2], batches(order, 2), 0.1, weights, [4], first_step=2)
    assert torch.equal(whole, forked_run)
    assert not torch.equal(whole[0], kept[6])


def test_leaving_out_masks_and_moves_no_other_batch(tiny):
    case, theta = tiny.make("logistic")
    batch = torch.tensor([1, 2, 3])
    ((_, moved, _),) = descend(case, theta, [batch], 1.0, Counterfactual(2, -1.0).weights(case))
    weights = unit_weights(case)
    weights[2] = 0
    losses = torch.func.grad(lambda t: (weights[batch] * case.losses(t, case.train[batch])).sum() / 3)
    torch.testing.assert_close(moved, theta - losses(theta) - case.weight_decay * theta)


def test_the_null_is_exactly_zero_and_the_noise_floor_is_not(tiny):
    case, theta = tiny.make("resnet-gelu")
    steps = batches(order_of(6, start=2))
    *changed, null, noise = forked(steps[0], examples=3, epsilon=1.0)
    assert [one.example for one in changed] == steps[0][:3].tolist()
    unchanged, losses = record(case, theta, steps, 0.1, unit_weights(case), [1, 4])
    thetas, null_losses = record(case, null.start(theta), steps, 0.1, null.weights(case), [1, 4])
    assert torch.equal(thetas, unchanged)
    assert torch.equal(null_losses, losses)
    assert noise.example == NO_EXAMPLE
    (moved,) = (noise.start(theta) != theta).nonzero()
    assert moved == theta.abs().argmax()
    with pytest.raises(FadingError, match="has 7 examples, fewer than the 8 to up-weight"):
        forked(steps[0], examples=8, epsilon=1.0)
    thetas, _ = record(case, changed[0].start(theta), steps, 0.1, changed[0].weights(case), [1, 4])
    assert (thetas - unchanged).norm(dim=1).min() > 0


def test_left_out_examples_come_with_their_mirror():
    ones = left_out(order_of(6), Tiny.n, 4)
    assert [one.epsilon for one in ones] == [-1, 1] * 4
    assert len({one.example for one in ones}) == 4
