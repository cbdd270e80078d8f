"""Horizon-aware influence: what T steps at constant curvature make of a lasting up-weighting."""

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
    """−(1/n) ⟨∇ℓ(θ; z), f(H) ∇ℓ(θ; x_k)⟩ with f(λ) = (1 − (1 − ηλ)^T)/λ, T the window, nats.

    f is the sum η Σ_{m<T} (1 − ηλ)^m, which tends to the influence function's 1/λ only where 0 < ηλ < 2 and T is large,
    and to TracIn's ηT where λ = 0. It acts on the kept Ritz vectors of H; on all other directions H counts as 0. Raises
    FadingError for optimisers other than SGD, for which the sum is another.
    """
    if not isinstance(problem.optimizer, SGD):
        raise FadingError(
            f"The estimator horizon is for sgd; this run used {type(problem.optimizer).__name__.lower()}."
        )
    case, theta, ritz = problem.case, problem.theta, problem.spectrum
    rate, steps = problem.optimizer.learning_rate, problem.within_run(window)
    test = gradient_projections(case, theta, case.tested, ritz.vectors)
    train = gradient_projections(case, theta, problem.train, ritz.vectors)
    products = gradient_products(case, theta, problem.train, case.tested, problem.progress)
    values = ritz.values.double()  # 1 − (1 − ηλ)^T cancels where λ is small
    accumulated = ((1 - (1 - rate * values) ** steps) / values).where(values != 0, rate * steps)
    excess = (accumulated - rate * steps).to(case.dtype)
    filtered = rate * steps * products + (train * excess) @ test.T
    return Scores(-filtered / len(case.train))
