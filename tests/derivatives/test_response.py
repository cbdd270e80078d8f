"""The linear response against central finite differences of real retraining."""

from dataclasses import replace

import pytest
import torch
from conftest import Tiny
from fading.derivatives.response import linear_response, loss_response, relative_error
from fading.errors import FadingError
from fading.training.counterfactuals import Counterfactual
from fading.training.optimizers import SGD, AdamW, Momentum, Schedule
from fading.training.retraining import record, weights
from fading.training.segment import Segment, batches, state_after

STEPS = [1, 2, 4, 7]
FALLING = Schedule(warm_up=7, end=14)  # the segments below are at its turn
BY_NAME = ["torchvision-group-silu", "torchvision-frozen-batch-gelu", "transformers-bert", "transformers-albert"]
OPTIMIZERS = [
    SGD(0.2),
    SGD(0.4, schedule=FALLING),
    Momentum(0.05, schedule=FALLING),
    AdamW(0.01, weight_decay=0.1),
    AdamW(0.02, weight_decay=0.1, schedule=FALLING),
]


def names(value):
    return type(value).__name__ + ("-falling" if value.schedule == FALLING else "")


def warmed_up(case, theta, optimizer, steps=7) -> Segment:
    """A segment in the midst of training, after five steps, so that moments aren't zero."""
    drawn = batches(Tiny.order(12))
    state = state_after(Segment(case, optimizer.start(theta), drawn[:5], optimizer))
    return Segment(case, state, drawn[5 : 5 + steps], optimizer, first_step=5)


def differences(segment, group, epsilon, steps=STEPS):
    """Central differences of θ (R, p) and of measured losses (R, M) by the group's weight."""
    (up, up_losses), (down, down_losses) = (
        record(segment, weights(segment.case, Counterfactual(group, change)), steps) for change in (epsilon, -epsilon)
    )
    return (up - down) / (2 * epsilon), (up_losses - down_losses) / (2 * epsilon)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=names)
@pytest.mark.parametrize("kind", ["resnet-gelu", "bert", "sentences", "logistic", *BY_NAME])
def test_response_is_the_derivative_of_retraining(tiny, kind, optimizer):
    case, theta = tiny.make(kind)
    segment = warmed_up(case, theta, optimizer)
    drawn = segment.batches
    groups = [(int(drawn[0][0]),), (int(drawn[0][1]), int(drawn[1][3]))]
    unchanged, _ = record(segment, None, STEPS)
    responses = {step - 5: (at, psi) for step, at, psi in linear_response(segment, groups)}
    for k, group in enumerate(groups):
        moved, effects = differences(segment, group, 1e-5)
        for r, step in enumerate(STEPS):
            at, psi = responses[step]
            assert torch.equal(at, unchanged[r]), "the response runs along the trajectory of training, bit for bit"
            assert (psi[k] - moved[r]).norm() < 1e-5 * moved[r].norm()
            assert (loss_response(case, at, psi)[k] - effects[r]).norm() < 1e-5 * effects[r].norm()


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=names)
@pytest.mark.parametrize("kind", ["resnet-gelu", "bert"])
def test_a_response_to_some_steps_is_the_derivative_of_retraining_with_the_weight_changed_in_these(
    tiny, kind, optimizer
):
    case, theta = tiny.make(kind)
    segment = warmed_up(case, theta, optimizer)
    example = int(segment.batches[0][0])
    drawn = [step for step, batch in enumerate(segment.batches) if example in batch]
    assert len(drawn) > 1
    counted = torch.zeros(len(segment.batches), 2, dtype=torch.bool)
    counted[drawn[0], 0] = counted[drawn[-1], 1] = True
    *_, (_, _, psi) = linear_response(segment, [(example,)] * 2, counted=counted)
    for response, step in zip(psi, (drawn[0], drawn[-1]), strict=True):
        up, down = (weighted_once(segment, example, epsilon, step) for epsilon in (1e-5, -1e-5))
        moved = (up - down) / 2e-5
        assert (response - moved).norm() < 1e-5 * moved.norm()
    *_, (_, _, whole) = linear_response(segment, [(example,)])
    *_, (_, _, same) = linear_response(segment, [(example,)], counted=torch.ones(len(segment.batches), 1))
    assert torch.equal(whole, same)


def weighted_once(segment, example, epsilon, step):
    """θ (p,) where training ends with the example's weight 1 + ε in the segment's step `step` and 1 in all others."""
    state = segment.state
    for place, batch in enumerate(segment.batches):
        alone = replace(segment, state=state, batches=[batch], first_step=segment.first_step + place)
        changed = Counterfactual((example,), epsilon if place == step else 0.0)
        state = state_after(alone, weights(segment.case, changed))
    return state[0]


def test_an_example_that_is_not_drawn_has_no_response(tiny):
    case, theta = tiny.make("logistic")
    segment = Segment(case, theta[None], [torch.tensor([0, 1, 2])], SGD(0.2))
    ((_, _, psi),) = linear_response(segment, [(7,), (1,)])
    assert not psi[0].any()
    assert psi[1].any()


def test_the_relative_error_of_a_response():
    psi = torch.tensor([[3.0, 4.0], [1.0, 0.0]])
    epsilon = torch.tensor([-1.0, 2.0])
    delta = torch.tensor([[-3.0, -4.0], [2.0, 1.5]])
    torch.testing.assert_close(relative_error(delta, epsilon, psi), torch.tensor([0.0, 0.6], dtype=torch.float64))
    for broken in (torch.zeros(2, 2), torch.full((2, 2), torch.inf)):
        with pytest.raises(FadingError, match="no finite relative error"):
            relative_error(broken, epsilon, psi)
