"""What would training have done with some examples weighted otherwise? Retrain and see.

A counterfactual changes weights and nothing else: same start, same batches, same order, same arithmetic.
"""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from fading.models.case import Case
from fading.training.counterfactuals import NO_EXAMPLE, Counterfactual
from fading.training.order import first_use
from fading.training.segment import Segment, descend, unit_weights


def weights(case: Case, counterfactual: Counterfactual) -> Tensor:
    """Training weights (n_train,)."""
    changed = unit_weights(case)
    changed[list(counterfactual.members)] += counterfactual.epsilon
    return changed


def start(state: Tensor, counterfactual: Counterfactual) -> Tensor:
    """The state (1 + s, p) from which a counterfactual starts where training starts from `state`."""
    if counterfactual.members:
        return state
    state, largest = state.clone(), state[0].abs().argmax()
    state[0, largest] = torch.nextafter(state[0, largest], torch.tensor(torch.inf, dtype=state.dtype))
    return state


def record(segment: Segment, weights: Tensor | None, steps: list[int]) -> tuple[Tensor, Tensor]:
    """Train with the weights; after each of `steps` of the segment, θ (R, p) and measured losses (R, M)."""
    thetas, losses = [], []
    for step, state, _ in descend(segment, weights):
        if step - segment.first_step in steps:
            thetas.append(state[0].clone())  # a view would hold the moments too
            losses.append(segment.case.measured_losses(state[0]))
    return torch.stack(thetas), torch.stack(losses)


def first_epoch(order: dict[str, np.ndarray], examples: int) -> list[int]:
    """The training examples as the first epoch draws them."""
    return order["indices"][:examples].tolist()


def fork(order: dict[str, np.ndarray], members: tuple[int, ...], checkpoints: Iterable[int]) -> int:
    """The last checkpoint that no member has touched: continuing from there equals retraining from the start."""
    untouched = min(first_use(order, example) for example in members)
    return max(step for step in checkpoints if step <= untouched)


def described(counterfactuals: list[Counterfactual]) -> dict[str, np.ndarray]:
    """Their members (K, largest group), filled up with NO_EXAMPLE, and epsilon (K,)."""
    groups = [counterfactual.members for counterfactual in counterfactuals]
    width = max(1, *(len(group) for group in groups))
    members = [[*group, *[NO_EXAMPLE] * (width - len(group))] for group in groups]
    epsilon = [counterfactual.epsilon for counterfactual in counterfactuals]
    return {"members": np.array(members), "epsilon": np.array(epsilon)}
