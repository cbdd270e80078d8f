"""Which examples of a batch are worth another weight, where numbers have no more than single precision."""

import torch
from torch import Tensor

from fading.models.case import Case

REACH = 0.05  # nats: what an example of less loss moves is of the size of rounding


def within_reach(case: Case, theta: Tensor, batch: Tensor) -> list[int]:
    """The examples of a batch whose loss at θ is REACH or more, in the batch's order, which is random.

    Then the others, the largest loss first, for where these are too few.
    """
    losses = case.evaluated(theta, case.train[batch])
    reached, falling = losses >= REACH, losses.argsort(descending=True, stable=True)
    return batch[torch.cat([reached.nonzero()[:, 0], falling[reached.sum() :]])].tolist()
