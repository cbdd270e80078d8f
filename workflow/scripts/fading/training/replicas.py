"""Many counterfactuals of one run: replicas that draw its batches and differ in weights, or in where they start.

On a GPU they advance together, in one computation over stacked parameters: a small network alone leaves it idle. On a
CPU they go one after the other, which costs about the same there and gives the very bytes of each one alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from fading.artefacts import budget
from fading.errors import FadingError
from fading.models.case import Case
from fading.training.counterfactuals import Counterfactual
from fading.training.retraining import record, start, weights
from fading.training.segment import Segment, batch_loss

TOGETHER = 64  # at most: on a GPU more bring little
PASS, MOVED = 3, 4  # times what autograd keeps of a batch, and the state: before, after, gradient, what is recorded


class Replica(NamedTuple):
    """The state (1 + s, p) in which a run starts, and the weights (n_train,) of its training examples."""

    state: Tensor
    weights: Tensor


def replica(case: Case, state: Tensor, counterfactual: Counterfactual) -> Replica:
    """The counterfactual of a run that starts in `state`."""
    return Replica(start(state, counterfactual), weights(case, counterfactual))


def together(segment: Segment) -> int:
    """How many replicas of a run advance at once: one on a CPU, as many as the budget holds on a GPU."""
    if not segment.state.is_cuda:
        return 1
    batch = max(map(len, segment.batches)) * segment.case.bytes_per_example
    return budget.fitting(PASS * batch + MOVED * segment.state.nbytes, TOGETHER)


def record_each(
    segment: Segment, replicas: Sequence[Replica], steps: list[int], at_once: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """What record() gives of each replica in turn, θ (R, p) and measured losses (R, M); `at_once` advance together.

    The segment gives the batches, the optimiser and the first step. Together or alone differ by rounding only. Raises
    FadingError, naming the step, when training diverges.
    """
    for place in range(0, len(replicas), at_once):
        few = replicas[place : place + at_once]
        if at_once == 1:
            yield record(replace(segment, state=few[0].state), few[0].weights, steps)
        else:
            yield from _together(segment, few, steps)


def _together(segment, replicas, steps):
    case, optimizer, first = segment.case, segment.optimizer, segment.first_step
    states, weights = (torch.stack(parts) for parts in zip(*replicas, strict=True))
    recorded = []
    for step, batch in enumerate(segment.batches[: max(steps)], start=1):
        gradients = _gradients(case, states[:, 0], batch, weights)
        states = optimizer.step(states, gradients, first + step - 1)
        if step in steps:
            if not states.isfinite().all():
                raise FadingError(f"Training diverged before step {first + step}; lower the learning rate.")
            recorded.append(states[:, 0])
    with torch.no_grad():
        for thetas in torch.stack(recorded, 1):
            yield thetas, torch.stack([case.measured_losses(theta) for theta in thetas])


def _gradients(case, thetas, batch, weights):
    """Of the batch loss, of each replica with its own weights: (K, p)."""
    thetas = thetas.detach().requires_grad_()
    losses = torch.vmap(lambda theta, own: batch_loss(case, theta, batch, own))(thetas, weights)
    return torch.autograd.grad(losses.sum(), thetas)[0]
