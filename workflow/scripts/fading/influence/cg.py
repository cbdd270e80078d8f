"""Influence by conjugate gradient (Martens 2010; Koh and Liang 2017)."""

from fading import solvers
from fading.problem import Problem, Scores, inverse_scores


def scores(problem: Problem) -> Scores:
    """−(1/n) ⟨∇ℓ(θ; z), (C + λI)⁻¹ ∇ℓ(θ; x_k)⟩, nats. Raises FadingError unless λ or the weight decay is positive."""
    problem.require_damping()
    operator, settings, progress = problem.operator(), problem.settings, problem.progress
    iterations, tolerance = settings["iterations"], settings["tolerance"]
    return inverse_scores(problem, lambda b: solvers.conjugate_gradient(operator, b, iterations, tolerance, progress))
