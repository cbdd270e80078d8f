"""TRAK (Park et al. 2023) from several models: this run's and the case's other runs'."""

from fading.influence import Estimator
from fading.influence.problem import Problem, Scores
from fading.influence.trak import combined, rademacher

ESTIMATOR = Estimator(
    label="TRAK (random projections, all runs' models)",
    short="TRAK ensemble",
    own={
        "projection": {
            "description": "Of trak and trak-ensemble: how many random directions gradients are projected on.",
            "type": "integer",
            "minimum": 1,
            "default": 512,
        }
    },
    ensemble=True,
    cost="for each run, a gradient per example and a product with the random matrix",
)


def scores(problem: Problem, projection: int) -> Scores:
    """What `trak` is from one model, from this run's and the others' at the same step, nats (trak.combined).

    Each model has random directions of its own, as in the paper. All are asked about this run's examples, with its
    labels where errors are planted. Without other runs it is `trak`.
    """
    thetas = [problem.theta, *problem.others]
    projections = [rademacher(problem.seed, model, projection, problem.case.dtype) for model in range(len(thetas))]
    return combined(problem, projections, thetas)
