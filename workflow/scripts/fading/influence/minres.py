"""Influence by MINRES, which also solves where the curvature is indefinite."""

from fading.derivatives import solvers
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores, inverse_scores

ESTIMATOR = Estimator(
    label="influence function, MINRES",
    short="MINRES",
    settings=("curvature", "damping", "curvature_examples", "iterations", "tolerance"),
    cost="at most `iterations` products per right-hand side",
)


def scores(
    problem: Problem, curvature: str, damping: float, curvature_examples: int, iterations: int, tolerance: float
) -> Scores:
    """−(1/n) ⟨∇ℓ(θ; z), (C + λI)⁻¹ ∇ℓ(θ; x_k)⟩, nats."""
    operator, progress = problem.damped_curvature(curvature, damping, curvature_examples), problem.progress
    return inverse_scores(problem, lambda b: solvers.minres(operator, b, iterations, tolerance, progress))
