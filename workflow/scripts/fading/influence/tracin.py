"""TracIn over checkpoints (Pruthi et al. 2020)."""

from itertools import pairwise

from fading.derivatives.gradients import gradient_products
from fading.errors import FadingError
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores

ESTIMATOR = Estimator(
    label="gradient dot products over checkpoints (TracIn)",
    short="TracIn",
    cost="a gradient per example and checkpoint",
)


def scores(problem: Problem) -> Scores:
    """−Σ_c (ηT_c/n) ⟨∇ℓ(θ_c; z), ∇ℓ(θ_c; x_k)⟩ over the checkpoints c until this one, nats for SGD.

    T_c counts the steps from the checkpoint before to c, which stands for them. Raises FadingError where there is none
    after the start.
    """
    case, kept = problem.case, sorted(step for step in problem.checkpoints if step <= problem.step)
    if len(kept) < 2:
        raise FadingError(f"TracIn needs checkpoints before step {problem.step}; there is none.")
    total = 0
    for before, step in pairwise(kept):
        theta = problem.checkpoints[step][0]
        products = gradient_products(case, theta, problem.train, case.tested, problem.progress)
        total = total - problem.optimizer.travelled(before, step) / len(case.train) * products
    return Scores(total)
