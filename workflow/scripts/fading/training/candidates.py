"""Which examples of a batch are worth another weight, where numbers have no more than single precision."""

from torch import Tensor

from fading.models.case import Case
from fading.training.retraining import by_loss

REACH = 0.05  # nats: what an example of less loss moves is of the size of rounding


def within_reach(case: Case, theta: Tensor, batch: Tensor) -> list[int]:
    """The examples of a batch whose loss at θ is REACH or more, in the batch's order, which is random.

    Then the others, the largest loss first, for where these are too few.
    """
    falling = by_loss(case, theta, batch)
    count = int((case.evaluated(theta, case.train[batch]) >= REACH).sum())
    reached = set(falling[:count])
    return [*(example for example in batch.tolist() if example in reached), *falling[count:]]
