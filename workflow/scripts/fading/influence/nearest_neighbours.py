"""Nearest neighbours in feature space: the baseline that knows neither loss nor label."""

import torch
from torch.nn import functional as F

from fading.gradients import chunks
from fading.layers import features
from fading.problem import Problem, Scores


def scores(problem: Problem) -> Scores:
    """−cos of what enters the model's last layer, without unit: the more alike, the more helpful."""
    train, test = (
        F.normalize(torch.cat([features(problem.case, problem.theta, chunk) for chunk in chunks(examples)]))
        for examples in (problem.train, problem.case.tested)
    )
    return Scores(-train @ test.T)
