"""Linear response: the exact first order of up-weighting an example in the last steps of training, forwards."""

from fading.problem import Problem, Scores
from fading.response import linear_response, predicted_effects


def scores(problem: Problem) -> Scores:
    """⟨∇ℓ(θ_T; z), ψ_T⟩ with ψ = 0 at the start of the horizon, nats.

    The cost is a Hessian product per example and step.
    """
    start, state, batches = problem.last_steps()
    groups = [(example,) for example in problem.examples.tolist()]
    steps = problem.progress(batches)
    *_, (_, theta, psi) = linear_response(problem.case, state, steps, problem.optimizer, groups, start)
    return Scores(predicted_effects(problem.case, theta, psi))
