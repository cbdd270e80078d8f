"""SGD-influence (Hara et al. 2019): the linear response in reverse, for many training and few test examples."""

from fading.problem import Problem, Scores
from fading.response import unrolled


def scores(problem: Problem) -> Scores:
    """d ℓ(θ_T; z)/dε for up-weighting in the last `horizon` steps, nats.

    The cost is a Hessian product per test example and step.
    """
    start, state, batches = problem.last_steps()
    values = unrolled(problem.case, state, batches, problem.optimizer, problem.examples, start, problem.progress)
    return Scores(values)
