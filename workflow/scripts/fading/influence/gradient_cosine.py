"""Gradient cosine: the dot product without the norms, which favour examples of high loss (Barshan et al. 2020)."""

from fading.gradients import gradient_norms, gradient_products
from fading.problem import Problem, Scores


def scores(problem: Problem) -> Scores:
    """−cos(∇ℓ(θ; z), ∇ℓ(θ; x_k)), without unit; 0 where a gradient vanishes."""
    case, theta = problem.case, problem.theta
    products = gradient_products(case, theta, problem.train, case.tested, problem.progress)
    norms = gradient_norms(case, theta, problem.train)[:, None] * gradient_norms(case, theta, case.tested)
    return Scores(-(products / norms).where(norms > 0, 0.0))
