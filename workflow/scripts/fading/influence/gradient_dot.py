"""Gradient dot product: TracIn (Pruthi et al. 2020) at a single checkpoint."""

from fading.derivatives.gradients import gradient_products
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores

ESTIMATOR = Estimator(
    label="gradient dot product (TracIn, one checkpoint)",
    short="gradient dot",
    colour=0,
    cost="a gradient per example",
)


def scores(problem: Problem) -> Scores:
    """−(ηT/n) ⟨∇ℓ(θ; z), ∇ℓ(θ; x_k)⟩ for the T steps of training until the checkpoint, nats for SGD.

    ηT/n is the learning rate that an average example receives in T steps of η/|B| per visit, so the scale is that of
    the influence function, with the inverse Hessian replaced by ηT times the identity. Before the first step T is 1, or
    every score would be 0. For other optimisers it only ranks.
    """
    case = problem.case
    products = gradient_products(case, problem.theta, problem.train, case.tested, problem.progress)
    return Scores(-problem.optimizer.travelled(0, max(problem.step, 1)) / len(case.train) * products)
