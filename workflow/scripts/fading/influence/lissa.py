"""Influence by LiSSA's Neumann series (Agarwal et al. 2017; Koh and Liang 2017)."""

from fading.derivatives import solvers
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores, inverse_scores

ESTIMATOR = Estimator(
    label="influence function, LiSSA",
    short="LiSSA",
    settings=("curvature", "damping", "curvature_examples", "iterations"),
    own={
        "scale": {
            "description": "By which lissa divides the matrix; it diverges below half the largest eigenvalue.",
            "type": "number",
            "exclusiveMinimum": 0,
            "default": 40,
        }
    },
    cost="`iterations` products per right-hand side",
)


def scores(
    problem: Problem, curvature: str, damping: float, curvature_examples: int, iterations: int, scale: float
) -> Scores:
    """−(1/n) ⟨∇ℓ(θ; z), (C + λI)⁻¹ ∇ℓ(θ; x_k)⟩, nats. Raises FadingError unless λ or the weight decay is positive."""
    problem.require_damping(damping)
    operator, progress = problem.damped_curvature(curvature, damping, curvature_examples), problem.progress
    return inverse_scores(problem, lambda b: solvers.lissa(operator, b, iterations, scale, progress))
