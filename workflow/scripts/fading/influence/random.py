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
    shape = len(problem.case.train), problem.case.measured
    everything = torch.randn(shape, generator=generator, dtype=torch.float64, device="cpu")
    return Scores(everything.to(problem.examples.device)[problem.examples])
