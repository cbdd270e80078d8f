import pytest
import torch
from conftest import Tiny
from fading.counterfactuals import Counterfactual, record
from fading.errors import FadingError
from fading.order import batch_order
from fading.response import linear_response, predicted_effects, relative_error
from fading.training import batches, unit_weights

STEPS = [1, 2, 4, 7]


@pytest.mark.parametrize("kind", ["resnet-gelu", "bert", "logistic"])
def test_response_is_the_derivative_of_retraining(tiny, kind):
    case, theta = tiny.make(kind)
    drawn = batches(batch_order(Tiny.n, 8, 0, 7, 0))
    examples = drawn[0][:2]
    epsilon = 1e-5
    responses = {t: (at, psi) for t, at, psi in linear_response(case, theta, drawn, 0.2, examples)}
    unchanged, _ = record(case, theta, drawn, 0.2, unit_weights(case), STEPS)
    for k, example in enumerate(examples.tolist()):
        runs = [
            record(case, theta, drawn, 0.2, Counterfactual(example, e).weights(case), STEPS)
            for e in (epsilon, -epsilon)
        ]
        (up, up_losses), (down, down_losses) = runs
        for r, step in enumerate(STEPS):
            at, psi = responses[step]
            assert torch.equal(at, unchanged[r]), "the response runs along the trajectory of training, bit for bit"
            difference = (up[r] - down[r]) / (2 * epsilon)
            assert (psi[k] - difference).norm() < 1e-5 * difference.norm()
            effect = (up_losses[r] - down_losses[r]) / (2 * epsilon)
            predicted = predicted_effects(case, at, psi)[k]
            assert (predicted - effect).norm() < 1e-5 * effect.norm()


def test_an_example_that_is_not_drawn_has_no_response(tiny):
    case, theta = tiny.make("logistic")
    drawn = [torch.tensor([0, 1, 2])]
    ((_, _, psi),) = linear_response(case, theta, drawn, 0.2, torch.tensor([7, 1]))
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
