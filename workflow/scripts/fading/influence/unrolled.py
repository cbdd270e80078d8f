"""SGD-influence (Hara et al. 2019): the linear response in reverse, for many training and few test examples."""

from fading.derivatives.response import unrolled
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores

ESTIMATOR = Estimator(
    label="unrolled (linear response in reverse)",
    short="unrolled",
    settings=("window",),
    by_example=True,
    of_the_past=True,
    cost="a product per test example and step",
)


def scores(problem: Problem, window: int) -> Scores:
    """d ℓ(θ_T; z)/dε for up-weighting in the last `window` steps, nats.

    The cost is a Hessian product per test example and step.
    """
    return Scores(unrolled(problem.last_steps(window), problem.examples, problem.progress))
