"""What would training have done with one example weighted otherwise? Retrain and see.

A counterfactual changes a weight and nothing else: same start, same batches, same order, same arithmetic.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fading.cases import Case
from fading.errors import FadingError
from fading.order import NO_EXAMPLE, first_use
from fading.training import descend, unit_weights


@dataclass(frozen=True)
class Counterfactual:
    """Training example `example` has weight 1 + ε instead of 1: ε = −1 leaves it out, ε = 0 is the A/A null.

    With NO_EXAMPLE it is the noise floor: the largest parameter starts one unit in the last place higher.
    """

    example: int
    epsilon: float

    def weights(self, case: Case) -> Tensor:
        """Training weights (n_train,)."""
        weights = unit_weights(case)
        if self.example != NO_EXAMPLE:
            weights[self.example] += self.epsilon
        return weights

    def start(self, theta: Tensor) -> Tensor:
        """The parameters to start from."""
        if self.example != NO_EXAMPLE:
            return theta
        theta, largest = theta.clone(), theta.abs().argmax()
        theta[largest] = torch.nextafter(theta[largest], torch.tensor(torch.inf, dtype=theta.dtype))
        return theta


def forked(first_batch: Tensor, examples: int, epsilon: float) -> list[Counterfactual]:
    """The counterfactuals of a continuation: up-weightings, then the A/A null and the noise floor.

    The first `examples` of the first batch are up-weighted, so that every up-weighting acts from the first step on.
    Raises FadingError if the batch has fewer.
    """
    if len(first_batch) < examples:
        raise FadingError(f"The first batch has {len(first_batch)} examples, fewer than the {examples} to up-weight.")
    changed = [Counterfactual(int(example), epsilon) for example in first_batch[:examples]]
    return [*changed, Counterfactual(int(first_batch[0]), 0.0), Counterfactual(NO_EXAMPLE, 0.0)]


def left_out(order: dict[str, np.ndarray], examples: int, count: int) -> list[Counterfactual]:
    """`count` training examples, evenly spaced over the first epoch, each left out and counted twice (ε = ∓1)."""
    chosen = order["indices"][:examples][np.linspace(0, examples - 1, count).round().astype(int)]
    return [Counterfactual(int(example), epsilon) for example in chosen for epsilon in (-1.0, 1.0)]


def fork(order: dict[str, np.ndarray], example: int, checkpoints: list[int]) -> int:
    """The last checkpoint that the example has not touched: continuing from there equals retraining from the start."""
    return max(step for step in checkpoints if step <= first_use(order, example))


def chunk(counterfactuals: list[Counterfactual], number: int, size: int) -> list[Counterfactual]:
    """The share of one job: chunk `number` of those of `size`."""
    return counterfactuals[number * size : (number + 1) * size]


def record(
    case: Case,
    theta: Tensor,
    batches: list[Tensor],
    learning_rate: float,
    weights: Tensor,
    steps: list[int],
    first_step: int = 0,
) -> tuple[Tensor, Tensor]:
    """Train with the weights from `first_step` on; after each of `steps` more, θ (R, p) and measured losses (R, M)."""
    thetas, losses = [], []
    for step, theta, _ in descend(case, theta, batches, learning_rate, weights, first_step):
        if step - first_step in steps:
            thetas.append(theta)
            with torch.no_grad():
                losses.append(case.measured_losses(theta))
    return torch.stack(thetas), torch.stack(losses)
