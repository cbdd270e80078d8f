"""Optimisers against torch.optim, their derivatives against finite differences."""

import pytest
import torch
from fading.training.optimizers import SGD, AdamW, Momentum, make_optimizer, pull, push

GENERATOR = torch.Generator().manual_seed(0)
OPTIMIZERS = {
    SGD(0.1): lambda p: torch.optim.SGD(p, 0.1),
    Momentum(0.1): lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
    AdamW(0.1, weight_decay=0.2): lambda p: torch.optim.AdamW(p, 0.1, weight_decay=0.2),
}


def normal(*shape):
    return torch.randn(*shape, generator=GENERATOR, dtype=torch.float64)


@pytest.mark.parametrize("ours", OPTIMIZERS, ids=lambda value: type(value).__name__)
def test_steps_are_torchs(ours):
    theta = normal(5)
    theirs = theta.clone().requires_grad_()
    reference = OPTIMIZERS[ours]([theirs])
    state = ours.start(theta)
    for t in range(4):
        gradient = normal(5)
        theirs.grad = gradient.clone()
        reference.step()
        state = ours.step(state, gradient, t)
        torch.testing.assert_close(state[0], theirs.detach(), atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize("ours", OPTIMIZERS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("t", [0, 7])
def test_jacobians_are_the_derivatives_of_steps(ours, t):
    state = ours.start(normal(5))
    for before in range(t):
        state = ours.step(state, normal(5), before)
    gradient = normal(5)
    jacobian = ours.jacobian(state, gradient, t)
    tangent = normal(2, 1 + len(state), 5)
    h = 1e-8  # the second moments are small, and so must be their change
    expected = torch.stack(
        [
            (
                ours.step(state + h * along[:-1], gradient + h * along[-1], t)
                - ours.step(state - h * along[:-1], gradient - h * along[-1], t)
            )
            / (2 * h)
            for along in tangent
        ]
    )
    torch.testing.assert_close(push(jacobian, tangent), expected, atol=1e-6, rtol=1e-5)
    cotangent = normal(2, len(state), 5)
    left, right = (cotangent * push(jacobian, tangent)).sum(), (pull(jacobian, cotangent) * tangent).sum()
    torch.testing.assert_close(left, right)


def test_adamw_has_a_finite_derivative_where_a_gradient_has_always_been_zero():
    rule = AdamW(0.1)
    jacobian = rule.jacobian(rule.start(torch.ones(2, dtype=torch.float64)), torch.tensor([0.0, 1.0]).double(), 0)
    assert jacobian.isfinite().all()


def test_settings_name_the_optimiser():
    assert make_optimizer({"optimizer": "sgd", "learning_rate": 0.3}) == SGD(0.3)
    assert make_optimizer({"optimizer": "momentum", "learning_rate": 0.3}) == Momentum(0.3)
    assert make_optimizer({"optimizer": "adamw", "learning_rate": 0.3, "decoupled_decay": 0.01}) == AdamW(0.3, 0.01)
