"""The exact first order along the whole run: SGD-influence (Hara et al. 2019), MAGIC (Ilyas and Engstrom 2025)."""

from fading.derivatives.reverse import uses
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores

ESTIMATOR = Estimator(
    label="unrolled (exact first order)",
    short="unrolled",
    settings=("window", "tests"),
    of_the_past=True,
    replays=True,
    cost="a product per test example and step",
)


def scores(problem: Problem, window: int, tests: int) -> Scores:
    """d ℓ(θ_T; z)/dε for up-weighting in the last `window` steps, for the first `tests` measured examples z, nats.

    Beside stands what each single use of an example did: step (U,), example (U,) and effect (U, tests).
    """
    found = uses(problem.last_steps(window), problem.case.tested[:tests], problem.progress)
    beside = {f"uses.{name}": getattr(found, name) for name in ("step", "example", "effect")}
    return Scores(found.by_example(len(problem.case.train))[problem.examples], beside=beside)
