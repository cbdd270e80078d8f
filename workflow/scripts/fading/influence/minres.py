"""Influence by MINRES, which also solves where the curvature is indefinite."""

from fading import solvers
from fading.problem import Problem, Scores, inverse_scores


def scores(problem: Problem) -> Scores:
    """−(1/n) ⟨∇ℓ(θ; z), (C + λI)⁻¹ ∇ℓ(θ; x_k)⟩, nats."""
    operator, settings, progress = problem.operator(), problem.settings, problem.progress
    iterations, tolerance = settings["iterations"], settings["tolerance"]
    return inverse_scores(problem, lambda b: solvers.minres(operator, b, iterations, tolerance, progress))
