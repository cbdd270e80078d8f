"""Training that multiplies matrices in bfloat16, and derivatives that stay in float32."""

from dataclasses import replace

import pytest
import torch
from conftest import Tiny
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import per_example_gradients
from fading.training.counterfactuals import Counterfactual
from fading.training.optimizers import SGD
from fading.training.replicas import record_each, replica
from fading.training.segment import Segment, batch_loss, batches, unit_weights

ROUNDING = 0.1  # 8 bits a number, 2⁻⁸; a gradient is a sum through layers


def single(kind):
    """A tiny case in float32, the same with a bfloat16 forward pass, and θ."""
    case, theta = Tiny.make(kind)
    single = {
        part: replace(examples, inputs=tuple(x.float() if x.is_floating_point() else x for x in examples.inputs))
        for part, examples in (("train", case.train), ("test", case.test))
    }
    case = replace(case, module=case.module.float(), dtype=torch.float32, **single)
    return case, replace(case, forward=torch.bfloat16), theta.float()


def gradient(case, theta):
    theta = theta.clone().requires_grad_()
    loss = batch_loss(case, theta, torch.arange(7), unit_weights(case))
    return torch.autograd.grad(loss, theta)[0]


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_steps_and_outputs_round_to_bfloat16(kind):
    full, half, theta = single(kind)
    for exact, rounded in (
        (gradient(full, theta), gradient(half, theta)),
        (full.outputs(theta, full.test), half.outputs(theta, half.test)),
    ):
        assert rounded.dtype == torch.float32
        assert 0 < (rounded - exact).norm() < ROUNDING * exact.norm()


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_derivatives_stay_in_float32(kind):
    full, half, theta = single(kind)
    index, vectors = torch.arange(7), torch.stack([theta, theta.flip(0)])
    torch.testing.assert_close(
        per_example_gradients(half, theta, half.train), per_example_gradients(full, theta, full.train), rtol=0, atol=0
    )
    for kind_of in ("hessian", "gauss-newton"):
        products = [Curvature(case, theta, index, kind=kind_of)(vectors) for case in (half, full)]
        torch.testing.assert_close(*products, rtol=0, atol=0)


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_replicas_together_round_as_each_alone(kind):
    full, half, theta = single(kind)
    segment = Segment(half, SGD(0.1).start(theta), batches(Tiny.order(4)), SGD(0.1))
    runs = [replica(half, segment.state, Counterfactual((example,), 8.0)) for example in range(3)]
    exact = [thetas for thetas, _ in record_each(replace(segment, case=full), runs, [4], at_once=3)]
    alone = [thetas for thetas, _ in record_each(segment, runs, [4], at_once=1)]
    together = [thetas for thetas, _ in record_each(segment, runs, [4], at_once=3)]
    for ours, by_itself, unrounded in zip(together, alone, exact, strict=True):  # other kernels, other rounding
        assert not torch.equal(ours, unrounded)
        assert (ours - by_itself).norm() < 3 * (by_itself - unrounded).norm()
