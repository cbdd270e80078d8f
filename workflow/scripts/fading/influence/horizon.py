"""Horizon-aware influence: what T steps at constant curvature make of a lasting up-weighting."""

import torch

from fading.derivatives.gradients import gradient_products, gradient_projections
from fading.errors import FadingError
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores
from fading.training.optimizers import SGD

ESTIMATOR = Estimator(
    label="horizon-aware influence (constant curvature)",
    colour=9,
    settings=("window",),
    spectrum=True,
    of_the_past=True,
    optimizers=("sgd",),
    cost="a gradient per example, beside the Lanczos run",
)


def scores(problem: Problem, window: int) -> Scores:
    """−(1/n) ⟨∇ℓ(θ; z), f(H) ∇ℓ(θ; x_k)⟩ with f(λ) = Σ_t η_t Π_{s>t} (1 − η_s λ) over the window's steps, nats.

    At a constant rate f is (1 − (1 − ηλ)^T)/λ, which tends to the influence function's 1/λ only where 0 < ηλ < 2 and
    T is large, and to TracIn's ηT where λ = 0. It acts on the kept Ritz vectors of H; on all other directions H counts
    as 0. It is SOURCE (Bae et al. 2024) with one segment, in discrete steps. Raises FadingError for optimisers other
    than SGD, for which the sum is another, and where f overflows.
    """
    optimizer = problem.optimizer
    if not isinstance(optimizer, SGD):
        raise FadingError(f"The estimator horizon is for sgd; this run used {type(optimizer).__name__.lower()}.")
    case, theta, ritz = problem.case, problem.theta, problem.spectrum
    first = problem.step - problem.within_run(window)
    test = gradient_projections(case, theta, case.tested, ritz.vectors)
    train = gradient_projections(case, theta, problem.train, ritz.vectors)
    products = gradient_products(case, theta, problem.train, case.tested, problem.progress)
    accumulated = torch.zeros_like(ritz.values)
    for step in range(first, problem.step):
        accumulated = (1 - optimizer.rate(step) * ritz.values) * accumulated + optimizer.rate(step)
    outside = optimizer.travelled(first, problem.step)
    filtered = outside * products + (train * (accumulated - outside)) @ test.T
    if not filtered.isfinite().all():
        raise FadingError(
            f"The horizon of {problem.step - first} steps overflows: curvature from {ritz.values.min():.3g} to "
            f"{ritz.values.max():.3g} is too much for so many; accepted is a shorter window."
        )
    return Scores(-filtered / len(case.train))
