"""Nearest neighbours in feature space: the baseline that knows neither loss nor label."""

import torch
from torch.nn import functional as F

from fading.derivatives.gradients import chunks
from fading.derivatives.layers import features
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores

ESTIMATOR = Estimator(
    label="nearest neighbours",
    short="nearest neighbours",
    colour=8,
    cost="a forward pass per example",
)


def scores(problem: Problem) -> Scores:
    """−cos of what enters the model's last layer, without unit: the more alike, the more helpful."""
    case = problem.case
    train, test = (
        F.normalize(torch.cat([features(case, problem.theta, chunk) for chunk in chunks(case, examples)]))
        for examples in (problem.train, case.tested)
    )
    return Scores(-train @ test.T)
