import numpy as np
import pytest
import torch
from conftest import Tiny
from fading.errors import FadingError
from fading.training.counterfactuals import (
    Counterfactual,
    described,
    fork,
    forked,
    left_out,
    record,
    weighted_otherwise,
)
from fading.training.optimizers import SGD, AdamW, Momentum
from fading.training.order import NO_EXAMPLE, batch_order, first_use
from fading.training.segment import batches, descend, kept_steps, pack, train, unit_weights, unpack


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
    ((step, (moved,), _),) = descend(case, theta[None], [batch], SGD(0.3), weights)
    assert step == 1
    torch.testing.assert_close(moved, theta - 0.3 * gradient, atol=1e-12, rtol=0)


def test_training_is_deterministic_and_keeps_its_checkpoints(tiny):
    case, theta = tiny.make("resnet-gelu")
    runs = [train(case, theta, batches(order_of(5)), SGD(0.1), [0, 2, 5]) for _ in range(2)]
    (kept, curve), (again, _) = runs
    assert list(kept) == [0, 2, 5]
    assert all(torch.equal(kept[step], again[step]) for step in kept)
    assert curve["step"] == [1, 2, 3, 4, 5]
    assert [loss is not None for loss in curve["test_loss"]] == [False, True, False, False, True]


def test_checkpoints_survive_packing_and_name_what_is_missing(tiny):
    case, theta = tiny.make("bert")
    state = torch.stack([theta + 1, theta + 2, theta + 3])
    arrays = pack(case, {0: theta[None], 4: state})
    assert torch.equal(unpack(case, arrays, 4), state)
    assert torch.equal(unpack(case, arrays, 0), theta[None])
    assert kept_steps(arrays) == [0, 4]
    with pytest.raises(FadingError, match="no checkpoint at step 3: there are 0, 4"):
        unpack(case, arrays, 3)
    with pytest.raises(FadingError, match="of another model"):
        unpack(tiny.make("logistic")[0], arrays, 4)


def test_divergence_names_the_step_counted_from_the_start_of_training(tiny):
    case, theta = tiny.make("logistic")
    with pytest.raises(FadingError, match="the loss is .* at step 57; lower the learning rate"):
        for _ in descend(case, theta[None] * 1e300, [torch.arange(8)], SGD(1e300), unit_weights(case), first_step=57):
            pass


def test_parameters_that_overflow_in_the_last_step_are_not_returned(tiny):
    case, theta = tiny.make("logistic")
    with pytest.raises(FadingError, match="at step 0"):
        train(case, theta, [torch.arange(8)], SGD(1e310), [1])


def test_first_use_and_fork():
    order = order_of(6)
    drawn = batches(order)
    for example in range(Tiny.n):
        expected = next(step for step, batch in enumerate(drawn) if example in batch)
        assert first_use(order, example) == expected
        assert fork(order, (example,), [0, 1, 2, 6]) == expected
    early, late = int(drawn[0][0]), int(drawn[2][0])
    assert fork(order, (late, early), [0, 1, 2, 6]) == 0
    assert first_use(batch_order(100, 8, 0, 2, 0), int(batch_order(100, 8, 0, 12, 0)["indices"][-1])) == 2


@pytest.mark.parametrize(
    "optimizer", [SGD(0.1), Momentum(0.05), AdamW(0.01, 0.1)], ids=lambda value: type(value).__name__
)
@pytest.mark.parametrize("kind", Tiny.kinds)
def test_leaving_out_from_the_fork_equals_leaving_out_from_the_start(tiny, kind, optimizer):
    case, theta = tiny.make(kind)
    order = order_of(6)
    kept, _ = train(case, theta, batches(order), optimizer, [0, 1, 2, 6])
    late = int(batches(order)[2][0]), int(batches(order)[2][3])
    weights = Counterfactual(late, -1.0).weights(case)
    start = fork(order, late, [0, 1, 2, 6])
    assert start == 2
    whole, _ = record(case, kept[0], batches(order), optimizer, weights, [6])
    forked_run, _ = record(case, kept[2], batches(order, 2), optimizer, weights, [4], first_step=2)
    assert torch.equal(whole, forked_run)
    assert not torch.equal(whole[0], kept[6][0])


def test_leaving_out_masks_and_moves_no_other_batch(tiny):
    case, theta = tiny.make("logistic")
    batch = torch.tensor([1, 2, 3])
    ((_, (moved,), _),) = descend(case, theta[None], [batch], SGD(1.0), Counterfactual((2,), -1.0).weights(case))
    weights = unit_weights(case)
    weights[2] = 0
    losses = torch.func.grad(lambda t: (weights[batch] * case.losses(t, case.train[batch])).sum() / 3)
    torch.testing.assert_close(moved, theta - losses(theta) - case.weight_decay * theta)


def test_a_groups_weights_change_together(tiny):
    case, _ = tiny.make("logistic")
    weights = Counterfactual((2, 5), -1.0).weights(case)
    assert weights.nonzero()[:, 0].tolist() == [k for k in range(Tiny.n) if k not in (2, 5)]


def test_the_null_is_exactly_zero_and_the_noise_floor_is_not(tiny):
    case, theta = tiny.make("resnet-gelu")
    steps = batches(order_of(6, start=2))
    *changed, null, noise = forked(steps[0], examples=3, epsilon=1.0)
    assert [one.members for one in changed] == [(one,) for one in steps[0][:3].tolist()]
    state = Momentum(0.1).start(theta)
    unchanged, losses = record(case, state, steps, Momentum(0.1), unit_weights(case), [1, 4])
    thetas, null_losses = record(case, null.start(state), steps, Momentum(0.1), null.weights(case), [1, 4])
    assert torch.equal(thetas, unchanged)
    assert torch.equal(null_losses, losses)
    (moved,) = (noise.start(state) != state).nonzero()
    assert moved.tolist() == [0, theta.abs().argmax()]
    with pytest.raises(FadingError, match="has 7 examples, fewer than the 8 to up-weight"):
        forked(steps[0], examples=8, epsilon=1.0)
    thetas, _ = record(case, changed[0].start(state), steps, Momentum(0.1), changed[0].weights(case), [1, 4])
    assert (thetas - unchanged).norm(dim=1).min() > 0
    assert described([*changed, null, noise])["members"][:, 0].tolist() == [*steps[0][:3], steps[0][0], NO_EXAMPLE]


def test_left_out_examples_come_with_their_mirror_and_in_groups():
    ones = left_out(order_of(6), Tiny.n, count=5, size=2)
    singles, groups = ones[:10], ones[10:]
    assert [one.epsilon for one in singles] == [-1, 1] * 5
    chosen = [one.members[0] for one in singles[::2]]
    assert len(set(chosen)) == 5
    assert [one.members for one in groups] == [tuple(chosen[:2]), tuple(chosen[2:4])]
    assert {one.epsilon for one in groups} == {-1}
    arrays = described(ones)
    assert arrays["members"].shape == (12, 2)
    assert arrays["members"][0].tolist() == [chosen[0], NO_EXAMPLE]


def test_what_counterfactuals_weight_otherwise():
    order, batch = order_of(6), torch.tensor([7, 3, 9])
    found = weighted_otherwise(order, Tiny.n, {"count": 3, "size": 2}, [batch], up_weighted=2)
    left = {one.members[0] for one in left_out(order, Tiny.n, 3, 2)}
    assert found.tolist() == sorted({*left, 7, 3})
