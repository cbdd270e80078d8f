"""Which test examples a run's corrections look at: targets and others of its own, by its seed.

So trials are nested in runs. Were they the same in all runs, what an example adds to success or retention would be
common to the runs and absent from how they differ, so that an interval over runs would speak of these examples only and
cover the value over all examples too seldom.
"""

import torch
from torch import Tensor

APART = 5  # so many runs of successive seeds begin evenly spaced: few targets each, and they meet little or not at all


def in_turn(measured: int, seed: int) -> Tensor:
    """The measured test examples from the place where a run begins to look for targets, all around: (measured,)."""
    stride = -(-measured // APART)
    return (torch.arange(measured) + seed * stride) % measured


def block(tests: int, size: int, seed: int) -> Tensor:
    """The test examples on which it is looked for what else changes, disjoint between as many runs as fit: (size,)."""
    return torch.arange(size) + seed % (tests // size) * size
