"""The influence function itself (Koh and Liang 2017), with the explicit curvature; for models of few parameters."""

import torch

from fading.derivatives import solvers
from fading.derivatives.curvature import Curvature
from fading.errors import FadingError
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores, inverse_scores

ESTIMATOR = Estimator(
    label="influence function, explicit Hessian",
    short="explicit Hessian",
    colour=2,
    settings=("curvature", "damping", "curvature_examples"),
    small=True,
    cost="a product per parameter",
)

MOST_PARAMETERS = 5000


def scores(problem: Problem, curvature: str, damping: float, curvature_examples: int) -> Scores:
    """−(1/n) ⟨∇ℓ(θ; z), (C + λI)⁻¹ ∇ℓ(θ; x_k)⟩, C over the first so many of the n training examples, nats.

    Raises FadingError for more than MOST_PARAMETERS parameters, whose curvature would not fit.
    """
    case, theta = problem.case, problem.theta
    if len(theta) > MOST_PARAMETERS:
        raise FadingError(
            f"The estimator exact builds the whole Hessian and takes at most {MOST_PARAMETERS} parameters; "
            f"this model has {len(theta)}: use abif, cg or minres."
        )
    matrix = Curvature(case, theta, torch.arange(curvature_examples), kind=curvature).matrix(problem.progress)
    matrix += damping * torch.eye(len(theta), dtype=matrix.dtype)
    return inverse_scores(problem, lambda b: solvers.exact(matrix, b))
