"""The proximal Bregman response against its closed form, its definition and its first order."""

from dataclasses import replace

import pytest
import torch
from conftest import Tiny
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import per_example_gradients
from fading.errors import FadingError
from fading.experiments.proximal import ProximalObjective
from fading.training.counterfactuals import Counterfactual

INDEX = torch.arange(Tiny.n)


@pytest.mark.parametrize("kind", ["resnet-gelu", "bert", "sentences", "logistic"])
def test_its_derivative_is_the_damped_gauss_newton_influence_function(kind):
    case, theta = Tiny.make(kind)  # the networks' Hessians are indefinite here
    objective, epsilon = ProximalObjective(case, theta, INDEX, damping=1.0), 1e-4
    matrix = Curvature(case, theta, INDEX, kind="gauss-newton").matrix()
    damped = matrix + torch.eye(len(theta), dtype=theta.dtype)
    for group in ((3,), (1, 7, 20)):
        up, down = (objective.response(Counterfactual(group, e), 1e-9) for e in (epsilon, -epsilon))
        assert max(up[1], down[1]) <= 1e-9
        force = per_example_gradients(case, theta, case.train[list(group)]).sum(0)
        expected = -torch.linalg.solve(damped, force) / Tiny.n
        assert ((up[0] - down[0]) / (2 * epsilon) - expected).norm() < 1e-5 * expected.norm()


def test_without_a_change_nothing_moves():
    case, theta = Tiny.make("resnet-gelu")
    moved, residual = ProximalObjective(case, theta, INDEX, 0.1).response(Counterfactual((3,), 0.0), 1e-9)
    assert torch.equal(moved, theta)
    assert residual == 0


def test_without_damping_it_is_refused():
    case, theta = Tiny.make("bert")
    with pytest.raises(FadingError, match="needs damping where there is no weight decay; found 0"):
        ProximalObjective(replace(case, weight_decay=0.0), theta, INDEX, 0)


def test_the_gradient_is_that_of_the_definition():
    """D(h, h*) = ℓ(h) − ℓ(h*) − ⟨∇ℓ(h*), h − h*⟩, mean over the index, and the distance to θ*."""
    case, theta = Tiny.make("bert")
    objective, elsewhere = ProximalObjective(case, theta, INDEX[:17], 0.3), theta + 0.3

    def definition(moved):
        examples = case.train[INDEX[:17]]
        before = case.logits(theta, examples.inputs)
        slopes = before.softmax(1) - torch.nn.functional.one_hot(examples.labels, 3)
        after = case.logits(moved, examples.inputs)
        losses = (case.output_losses(logits, examples.labels) for logits in (after, before))
        divergence = next(losses) - next(losses) - (slopes * (after - before)).sum(1)
        return divergence.mean() + (0.3 + case.weight_decay) / 2 * (moved - theta).square().sum()

    torch.testing.assert_close(objective.gradient(elsewhere), torch.func.grad(definition)(elsewhere))
    assert not objective.gradient(theta).any()


@pytest.mark.parametrize(("kind", "damping"), [("bert", 1.0), ("logistic", 0.1)])
def test_leaving_a_group_out_ends_where_the_force_is_balanced(kind, damping):
    case, theta = Tiny.make(kind)
    group = [3, 4, 9, 15]
    objective = ProximalObjective(case, theta, INDEX, damping)
    moved, residual = objective.response(Counterfactual(tuple(group), -1.0), 1e-8)
    assert residual <= 1e-8
    start, force = (per_example_gradients(case, at, case.train[group]).sum(0) / Tiny.n for at in (theta, moved))
    assert (objective.gradient(moved) - force).norm() <= 1e-8 * start.norm()
    assert (moved - theta).norm() > 0.01


def test_where_no_step_helps_it_says_how_far_it_got():
    """With a strength that no minimum balances: leaving out more weight than there is."""
    case, theta = Tiny.make("bert")
    _, residual = ProximalObjective(case, theta, INDEX, 0.01).response(Counterfactual((3,), -500.0), 1e-8)
    assert residual > 1e-8
