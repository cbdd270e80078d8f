"""The linear response, forwards and in reverse, against central finite differences of real retraining."""

import pytest
import torch
from conftest import Tiny
from fading.derivatives.response import linear_response, predicted_effects, relative_error, unrolled
from fading.errors import FadingError
from fading.training.counterfactuals import Counterfactual, record
from fading.training.optimizers import SGD, AdamW, Momentum
from fading.training.order import batch_order
from fading.training.segment import batches, descend, unit_weights

STEPS = [1, 2, 4, 7]
OPTIMIZERS = [SGD(0.2), Momentum(0.05), AdamW(0.01, weight_decay=0.1)]


def names(value):
    return type(value).__name__


def warmed_up(case, theta, optimizer):
    """A state in the midst of training, after five steps, so that moments aren't zero."""
    drawn = batches(batch_order(Tiny.n, 8, 0, 12, 0))
    *_, (_, state, _) = descend(case, optimizer.start(theta), drawn[:5], optimizer, unit_weights(case))
    return state, drawn[5:]


def differences(case, state, drawn, optimizer, group, epsilon, steps=STEPS):
    """Central differences of θ (R, p) and of measured losses (R, M) by the group's weight."""
    (up, up_losses), (down, down_losses) = (
        record(case, state, drawn, optimizer, Counterfactual(group, e).weights(case), steps, 5)
        for e in (epsilon, -epsilon)
    )
    return (up - down) / (2 * epsilon), (up_losses - down_losses) / (2 * epsilon)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=names)
@pytest.mark.parametrize("kind", ["resnet-gelu", "bert", "sentences", "logistic"])
def test_response_is_the_derivative_of_retraining(tiny, kind, optimizer):
    case, theta = tiny.make(kind)
    state, drawn = warmed_up(case, theta, optimizer)
    groups = [(int(drawn[0][0]),), (int(drawn[0][1]), int(drawn[1][3]))]
    unchanged, _ = record(case, state, drawn, optimizer, unit_weights(case), STEPS, 5)
    responses = {t - 5: (at, psi) for t, at, psi in linear_response(case, state, drawn, optimizer, groups, 5)}
    for k, group in enumerate(groups):
        moved, effects = differences(case, state, drawn, optimizer, group, 1e-5)
        for r, step in enumerate(STEPS):
            at, psi = responses[step]
            assert torch.equal(at, unchanged[r]), "the response runs along the trajectory of training, bit for bit"
            assert (psi[k] - moved[r]).norm() < 1e-5 * moved[r].norm()
            assert (predicted_effects(case, at, psi)[k] - effects[r]).norm() < 1e-5 * effects[r].norm()


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=names)
@pytest.mark.parametrize("kind", ["resnet-gelu", "bert", "sentences", "logistic"])
def test_unrolling_is_the_derivative_of_retraining(tiny, kind, optimizer):
    case, theta = tiny.make(kind)
    state, drawn = warmed_up(case, theta, optimizer)
    never = next(i for i in range(Tiny.n) if not any(i in batch for batch in drawn[:2]))
    examples = torch.tensor([int(drawn[0][0]), int(drawn[1][2]), never])
    influence = unrolled(case, state, drawn[:2], optimizer, examples, 5)
    for k, example in enumerate(examples.tolist()[:2]):
        _, (effect) = differences(case, state, drawn[:2], optimizer, (example,), 1e-5, [2])
        assert (influence[k] - effect[0]).norm() < 1e-5 * effect[0].norm()
    assert not influence[2].any(), "what no step draws has no influence"


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=names)
def test_unrolling_is_the_response_in_reverse(tiny, optimizer):
    case, theta = tiny.make("bert")
    state, drawn = warmed_up(case, theta, optimizer)
    examples = torch.arange(Tiny.n)
    *_, (_, at, psi) = linear_response(case, state, drawn, optimizer, [(k,) for k in range(Tiny.n)], 5)
    forwards = predicted_effects(case, at, psi)
    assert (unrolled(case, state, drawn, optimizer, examples, 5) - forwards).abs().max() < 1e-10 * forwards.abs().max()


def test_an_example_that_is_not_drawn_has_no_response(tiny):
    case, theta = tiny.make("logistic")
    drawn = [torch.tensor([0, 1, 2])]
    ((_, _, psi),) = linear_response(case, theta[None], drawn, SGD(0.2), [(7,), (1,)])
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
