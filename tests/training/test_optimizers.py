"""Optimisers against torch.optim, their derivatives against finite differences."""

from dataclasses import replace

import pytest
import torch
from fading.training import optimizers
from fading.training.optimizers import SGD, AdamW, Momentum, Schedule, make_optimizer

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


def test_a_schedule_rises_and_falls():
    optimizer = SGD(0.2, schedule=Schedule(warm_up=4, end=9))
    rates = [optimizer.rate(t) for t in range(9)]
    assert rates == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.2, 0.16, 0.12, 0.08, 0.04])
    assert optimizer.travelled(1, 4) == pytest.approx(0.1 + 0.15 + 0.2)
    assert [SGD(0.2, schedule=Schedule(warm_up=2)).rate(t) for t in (0, 1, 50)] == [0.1, 0.2, 0.2]
    assert SGD(0.2).rate(7) == 0.2
    with pytest.raises(ValueError, match="until step 9: step 9 has none"):
        optimizer.rate(9)


@pytest.mark.parametrize("ours", OPTIMIZERS, ids=lambda value: type(value).__name__)
def test_a_schedule_is_torchs(ours):
    theta, schedule = normal(5), Schedule(warm_up=3, end=8)
    ours = replace(ours, schedule=schedule)
    theirs = theta.clone().requires_grad_()
    reference = OPTIMIZERS[replace(ours, schedule=Schedule())]([theirs])
    following = torch.optim.lr_scheduler.LambdaLR(reference, lambda t: schedule.share(min(t, 7)))
    state = ours.start(theta)
    for t in range(8):
        gradient = normal(5)
        theirs.grad = gradient.clone()
        reference.step()
        following.step()
        state = ours.step(state, gradient, t)
        torch.testing.assert_close(state[0], theirs.detach(), atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize("ours", OPTIMIZERS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("t", [0, 7])
def test_jacobians_are_the_derivatives_of_steps(ours, t, monkeypatch):
    monkeypatch.setitem(optimizers.COLUMNS, "cpu", 2)  # five coordinates in unequal parts
    state = ours.start(normal(5))
    for before in range(t):
        state = ours.step(state, normal(5), before)
    gradient = normal(5)
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
    torch.testing.assert_close(ours.push(state, gradient, t, tangent), expected, atol=1e-6, rtol=1e-5)
    cotangent = normal(2, len(state), 5)
    left = (cotangent * ours.push(state, gradient, t, tangent)).sum()
    right = (ours.pull(state, gradient, t, cotangent) * tangent).sum()
    torch.testing.assert_close(left, right)


def test_adamw_has_a_finite_derivative_where_a_gradient_has_always_been_zero():
    rule = AdamW(0.1)
    jacobian = rule.jacobian(rule.start(torch.ones(2, dtype=torch.float64)), torch.tensor([0.0, 1.0]).double(), 0)
    assert jacobian.isfinite().all()


def test_settings_name_the_optimiser():
    assert make_optimizer({"optimizer": "sgd", "learning_rate": 0.3}) == SGD(0.3)
    assert make_optimizer({"optimizer": "momentum", "learning_rate": 0.3}) == Momentum(0.3)
    assert make_optimizer({"optimizer": "adamw", "learning_rate": 0.3, "decoupled_decay": 0.01}) == AdamW(0.3, 0.01)
    scheduled = {"optimizer": "sgd", "learning_rate": 0.3, "schedule": {"warm_up": 2, "end": 9}}
    assert make_optimizer(scheduled) == SGD(0.3, schedule=Schedule(2, 9))
    assert make_optimizer(scheduled, 0.1) == SGD(0.1), "another learning rate is constant"
