"""Random scores: the control that any estimator must beat."""

import torch

from fading.influence import Estimator
from fading.influence.problem import Problem, Scores

ESTIMATOR = Estimator(
    label="random",
    cost="nothing",
)


def scores(problem: Problem) -> Scores:
    """Independent standard normal numbers from the run's seed; the same for an example whichever others are scored."""
    generator = torch.Generator().manual_seed(problem.seed)
    everything = torch.randn(len(problem.case.train), problem.case.measured, generator=generator, dtype=torch.float64)
    return Scores(everything[problem.examples])
