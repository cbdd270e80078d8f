"""Training step by step, and its checkpoints."""

import pytest
import torch
from conftest import Tiny
from fading.errors import FadingError
from fading.training.optimizers import SGD, Momentum
from fading.training.segment import (
    Segment,
    batches,
    descend,
    kept_steps,
    pack,
    state_after,
    train,
    unit_weights,
    unpack,
    unpack_all,
)


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
    ((step, (moved,), _),) = descend(Segment(case, theta[None], [batch], SGD(0.3)), weights)
    assert step == 1
    torch.testing.assert_close(moved, theta - 0.3 * gradient, atol=1e-12, rtol=0)


def test_weights_are_one_unless_given_and_the_last_state_is_where_training_ends(tiny):
    case, theta = tiny.make("logistic")
    segment = Segment(case, Momentum(0.1).start(theta), batches(tiny.order(5))[2:], Momentum(0.1), first_step=2)
    plain, weighted = list(descend(segment)), list(descend(segment, unit_weights(case)))
    assert [step for step, _, _ in plain] == [3, 4, 5]
    for (_, state, loss), (_, same_state, same_loss) in zip(plain, weighted, strict=True):
        assert torch.equal(state, same_state)
        assert loss == same_loss
    assert torch.equal(state_after(segment), plain[-1][1])
    heavy = 2 * unit_weights(case)
    assert torch.equal(state_after(segment, heavy), list(descend(segment, heavy))[-1][1])
    assert not torch.equal(state_after(segment, heavy), state_after(segment))
    nothing = Segment(case, segment.state, [], Momentum(0.1))
    assert torch.equal(state_after(nothing), segment.state)


def test_training_is_deterministic_and_keeps_its_checkpoints(tiny):
    case, theta = tiny.make("resnet-gelu")
    segment = Segment(case, theta[None], batches(tiny.order(5)), SGD(0.1))
    (kept, curve), (again, _) = (train(segment, [0, 2, 5]) for _ in range(2))
    assert list(kept) == [0, 2, 5]
    assert torch.equal(kept[0], theta[None])
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
    unpacked = unpack_all(case, arrays)
    assert list(unpacked) == [0, 4]
    assert torch.equal(unpacked[0], theta[None])
    assert torch.equal(unpacked[4], state)
    with pytest.raises(FadingError, match="no checkpoint at step 3: there are 0, 4"):
        unpack(case, arrays, 3)
    with pytest.raises(FadingError, match="of another model"):
        unpack(tiny.make("logistic")[0], arrays, 4)


def test_divergence_names_the_step_counted_from_the_start_of_training(tiny):
    case, theta = tiny.make("logistic")
    segment = Segment(case, theta[None] * 1e300, [torch.arange(8)], SGD(1e300), first_step=57)
    with pytest.raises(FadingError, match="the loss is .* at step 57; lower the learning rate"):
        list(descend(segment))


def test_parameters_that_overflow_in_the_last_step_are_not_returned(tiny):
    case, theta = tiny.make("logistic")
    with pytest.raises(FadingError, match="at step 0"):
        train(Segment(case, theta[None], [torch.arange(8)], SGD(1e310)), [1])
