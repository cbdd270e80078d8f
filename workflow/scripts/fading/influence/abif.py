"""Arnoldi-based influence functions (Schioppa et al. 2022): the inverse Hessian within its top Ritz vectors."""

import torch

from fading.derivatives.gradients import gradient_norms, gradient_projections
from fading.derivatives.solvers import arnoldi_health
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores

ESTIMATOR = Estimator(
    label="Arnoldi influence function (ABIF)",
    short="ABIF",
    colour=1,
    settings=("damping",),
    spectrum=True,
    cost="a gradient per example, beside the Lanczos run",
)


def scores(problem: Problem, damping: float) -> Scores:
    """−(1/n) Σ_r ⟨∇ℓ(θ; z), v_r⟩ ⟨v_r, ∇ℓ(θ; x_k)⟩ / (λ_r + λ) over the kept Ritz pairs (λ_r, v_r), nats.

    The health is that of solving for the test gradients.
    """
    case, theta, ritz = problem.case, problem.theta, problem.spectrum
    directions = torch.cat([ritz.vectors, ritz.beyond[None]])
    test = gradient_projections(case, theta, case.tested, directions)
    along, beyond = test[:, :-1], test[:, -1]
    train = gradient_projections(case, theta, problem.train, ritz.vectors, problem.progress)
    health = arnoldi_health(ritz, along, beyond, gradient_norms(case, theta, case.tested), damping)
    return Scores(-ritz.inverse(train, damping) @ along.T / len(case.train), health)
