"""Linear response: the exact first order of up-weighting an example in the last steps of training, forwards."""

from fading.derivatives.response import linear_response, loss_response
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores

ESTIMATOR = Estimator(
    label="linear response (exact first order)",
    short="linear response",
    colour=7,
    settings=("window",),
    by_example=True,
    of_the_past=True,
    cost="a product per scored example and step",
)


def scores(problem: Problem, window: int) -> Scores:
    """⟨∇ℓ(θ_T; z), ψ_T⟩ with ψ = 0 at the start of the window, nats.

    The cost is a Hessian product per example and step.
    """
    groups = [(example,) for example in problem.examples.tolist()]
    *_, (_, theta, psi) = linear_response(problem.last_steps(window), groups, problem.progress)
    return Scores(loss_response(problem.case, theta, psi))
