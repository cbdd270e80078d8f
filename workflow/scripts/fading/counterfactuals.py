"""What would training have done with some examples weighted otherwise? Retrain and see.

A counterfactual changes weights and nothing else: same start, same batches, same order, same arithmetic.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fading.cases import Case
from fading.errors import FadingError
from fading.optimizers import Optimizer
from fading.order import NO_EXAMPLE, first_use
from fading.training import descend, unit_weights


@dataclass(frozen=True)
class Counterfactual:
    """The training examples `members` have weight 1 + ε instead of 1: ε = −1 leaves them out, ε = 0 is the A/A null.

    Without members it is the noise floor: the largest parameter starts one unit in the last place higher.
    """

    members: tuple[int, ...]
    epsilon: float

    def weights(self, case: Case) -> Tensor:
        """Training weights (n_train,)."""
        weights = unit_weights(case)
        weights[list(self.members)] += self.epsilon
        return weights

    def start(self, state: Tensor) -> Tensor:
        """The state to start from."""
        if self.members:
            return state
        state, largest = state.clone(), state[0].abs().argmax()
        state[0, largest] = torch.nextafter(state[0, largest], torch.tensor(torch.inf, dtype=state.dtype))
        return state


def described(counterfactuals: list[Counterfactual]) -> dict[str, np.ndarray]:
    """Their members (K, largest group), filled up with NO_EXAMPLE, and epsilon (K,)."""
    width = max(1, *(len(one.members) for one in counterfactuals))
    members = [[*one.members, *[NO_EXAMPLE] * (width - len(one.members))] for one in counterfactuals]
    return {"members": np.array(members), "epsilon": np.array([one.epsilon for one in counterfactuals])}


def forked(first_batch: Tensor, examples: int, epsilon: float) -> list[Counterfactual]:
    """The counterfactuals of a continuation: up-weightings, then the A/A null and the noise floor.

    The first `examples` of the first batch are up-weighted, so that every up-weighting acts from the first step on.
    Raises FadingError if the batch has fewer.
    """
    if len(first_batch) < examples:
        raise FadingError(f"The first batch has {len(first_batch)} examples, fewer than the {examples} to up-weight.")
    changed = [Counterfactual((int(example),), epsilon) for example in first_batch[:examples]]
    return [*changed, Counterfactual((int(first_batch[0]),), 0.0), Counterfactual((), 0.0)]


def left_out(order: dict[str, np.ndarray], examples: int, count: int, size: int) -> list[Counterfactual]:
    """`count` training examples, each left out and counted twice (ε = ∓1), then groups of `size` of them left out.

    The examples are evenly spaced over the first epoch, whose order is random; the groups do not overlap, so that a
    group's effect can be compared with the sum of its members'.
    """
    chosen = order["indices"][:examples][np.linspace(0, examples - 1, count).round().astype(int)].tolist()
    singles = [Counterfactual((example,), epsilon) for example in chosen for epsilon in (-1.0, 1.0)]
    groups = [tuple(chosen[i : i + size]) for i in range(0, count - size + 1, size)]
    return singles + [Counterfactual(group, -1.0) for group in groups]


def weighted_otherwise(
    order: dict[str, np.ndarray], examples: int, left: dict[str, int], first_batches: list[Tensor], up_weighted: int
) -> Tensor:
    """The training examples that any counterfactual weights otherwise, ascending.

    `left` are left_out()'s count and size; of each of first_batches the first `up_weighted` are up-weighted.
    """
    singles = {example for one in left_out(order, examples, **left) for example in one.members}
    return torch.tensor(sorted(singles.union(*(batch[:up_weighted].tolist() for batch in first_batches))))


def fork(order: dict[str, np.ndarray], members: tuple[int, ...], checkpoints: list[int]) -> int:
    """The last checkpoint that no member has touched: continuing from there equals retraining from the start."""
    untouched = min(first_use(order, example) for example in members)
    return max(step for step in checkpoints if step <= untouched)


def chunk(counterfactuals: list[Counterfactual], number: int, size: int) -> list[Counterfactual]:
    """The share of one job: chunk `number` of those of `size`."""
    return counterfactuals[number * size : (number + 1) * size]


def record(
    case: Case,
    state: Tensor,
    batches: list[Tensor],
    optimizer: Optimizer,
    weights: Tensor,
    steps: list[int],
    first_step: int = 0,
) -> tuple[Tensor, Tensor]:
    """Train with the weights from `first_step` on; after each of `steps` more, θ (R, p) and measured losses (R, M)."""
    thetas, losses = [], []
    for step, moved, _ in descend(case, state, batches, optimizer, weights, first_step):
        if step - first_step in steps:
            thetas.append(moved[0])
            with torch.no_grad():
                losses.append(case.measured_losses(moved[0]))
    return torch.stack(thetas), torch.stack(losses)
