"""The proximal Bregman response (Bae et al. 2022): the question that a damped Gauss-Newton influence function answers.

It is well posed where the loss is not convex and training has not converged: how do the outputs move, held to what they
are by the training loss's own Bregman divergence and the parameters by their distance, when an example's weight
changes?
"""

import torch
from torch import Tensor

from fading.artefacts import budget
from fading.derivatives.curvature import CHUNK, GRAPH, SHARE, Curvature
from fading.derivatives.solvers import conjugate_gradient
from fading.errors import FadingError
from fading.models.case import Case
from fading.training.counterfactuals import Counterfactual

PRODUCTS, INEXACT = 50, 0.1  # products and residual of a Gauss-Newton step's conjugate gradient
HALVINGS, ENOUGH = 5, 0.9


class ProximalObjective:
    """(1/|index|) Σ_i D(f(θ; x_i), f(θ*; x_i)) + (λ + weight decay)/2 ‖θ − θ*‖², D the loss's Bregman divergence in f.

    f are the logits, i goes over training examples `index`. Its minimum is θ*, its Hessian there the Gauss-Newton
    matrix plus damping λ, so that the influence function with that matrix is the first order of the response to any
    weight. Raises FadingError unless damping or weight decay is positive: there might be no minimum.
    """

    def __init__(self, case: Case, theta: Tensor, index: Tensor, damping: float):
        if damping + case.weight_decay <= 0:
            raise FadingError(f"The proximal response needs damping where there is no weight decay; found {damping}.")
        self.case, self.theta, self.index, self.damping = case, theta, index, damping
        size = budget.fitting(GRAPH * case.bytes_per_example, CHUNK, share=SHARE)
        self.chunks = [case.train[chunk] for chunk in index.split(size)]
        self.slopes = [_slopes(case, case.logits(theta, chunk.inputs).detach(), chunk.labels) for chunk in self.chunks]

    def gradient(self, theta: Tensor) -> Tensor:
        """At θ (p,)."""
        theta = theta.detach().requires_grad_()
        total = (self.damping + self.case.weight_decay) * (theta - self.theta).detach()
        for chunk, before in zip(self.chunks, self.slopes, strict=True):
            logits = self.case.logits(theta, chunk.inputs)
            change = _slopes(self.case, logits.detach(), chunk.labels) - before
            total += torch.autograd.grad(logits, theta, change / len(self.index))[0]
        return total

    def response(self, counterfactual: Counterfactual, tolerance: float) -> tuple[Tensor, float]:
        """The minimiser (p,) of the objective plus (ε/n) Σ ℓ(θ; x_k) over the counterfactual's members; its residual.

        By inexact Gauss-Newton steps, each halved until the gradient shrinks. The residual is the gradient's norm
        relative to that at θ*: at most `tolerance`, or more where a step no longer shrinks it much, as at a kink.
        """
        case, theta = self.case, self.theta
        members, strength = case.train[list(counterfactual.members)], counterfactual.epsilon / len(case.train)

        def slope(theta):
            at = theta.detach().requires_grad_()
            (force,) = torch.autograd.grad(case.losses(at, members).sum(), at)
            return self.gradient(theta) + strength * force

        gradient = slope(theta)
        first = gradient.norm()
        while tolerance * first < gradient.norm():
            curvature = Curvature(case, theta, self.index, kind="gauss-newton")
            step = conjugate_gradient(
                lambda rows, c=curvature: c(rows) + self.damping * rows, gradient[None], PRODUCTS, INEXACT
            ).x[0]
            before = gradient.norm()
            trials = ((moved, slope(moved)) for moved in (theta - step / 2**halvings for halvings in range(HALVINGS)))
            theta, gradient = next((trial for trial in trials if trial[1].norm() < before), (theta, gradient))
            if gradient.norm() > ENOUGH * before:
                break
        return theta, (gradient.norm() / first).item() if first else 0.0


def _slopes(case, logits, labels):
    logits = logits.requires_grad_()
    return torch.autograd.grad(case.output_losses(logits, labels).sum(), logits)[0]
