"""Gradient cosine: the dot product without the norms, which favour examples of high loss (Barshan et al. 2020)."""

from fading.derivatives.gradients import gradient_norms, gradient_products
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores

ESTIMATOR = Estimator(
    label="gradient cosine",
    short="gradient cosine",
    colour=9,
    cost="a gradient per example",
)


def scores(problem: Problem) -> Scores:
    """−cos(∇ℓ(θ; z), ∇ℓ(θ; x_k)), without unit; 0 where a gradient vanishes."""
    case, theta = problem.case, problem.theta
    products = gradient_products(case, theta, problem.train, case.tested, problem.progress)
    norms = gradient_norms(case, theta, problem.train)[:, None] * gradient_norms(case, theta, case.tested)
    return Scores(-(products / norms).where(norms > 0, 0.0))
