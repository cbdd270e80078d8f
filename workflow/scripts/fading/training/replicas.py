"""Many counterfactuals of one run: replicas that draw its batches and differ in weights, or in where they start.

On a GPU they advance together, in one computation over stacked parameters: a small network alone leaves it idle. On a
CPU they go one after the other, which costs about the same there and gives the very bytes of each one alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from fading.artefacts import budget
from fading.errors import FadingError
from fading.models.case import Case
from fading.training.counterfactuals import Counterfactual
from fading.training.retraining import record, start, weights
from fading.training.segment import Segment, batch_loss, unit_weights

TOGETHER = 64  # at most: on a GPU more bring little
PASS, MOVED = 3, 3  # times what autograd keeps of a batch, and the state: before, after and gradient


class Replica(NamedTuple):
    """The state (1 + s, p) in which a run starts, and the weights (n_train,) of its training examples."""

    state: Tensor
    weights: Tensor


def unchanged(case: Case, state: Tensor) -> Replica:
    """The run itself. Effects of replicas that advance together are differences from it among them."""
    return Replica(state, unit_weights(case))


def replica(case: Case, state: Tensor, counterfactual: Counterfactual) -> Replica:
    """The counterfactual of a run that starts in `state`."""
    return Replica(start(state, counterfactual), weights(case, counterfactual))


def together(segment: Segment, recorded: int = 1) -> int:
    """How many replicas of a run advance at once: one on a CPU, what fits the budget on a GPU, recorded so often."""
    if not segment.state.is_cuda:
        return 1
    batch = max(map(len, segment.batches)) * segment.case.bytes_per_example
    each = PASS * batch + MOVED * segment.state.nbytes + recorded * segment.state[0].nbytes
    return budget.fitting(each, TOGETHER, share=0.8)


def groups(items: Sequence, at_once: int) -> list[Sequence]:
    """The items in groups that advance at once: together with the unchanged run, or each alone."""
    size = max(1, at_once - 1)
    return [items[place : place + size] for place in range(0, len(items), size)]


def record_each(
    segment: Segment, replicas: Sequence[Replica], steps: list[int], at_once: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """What record() gives of each replica in turn, θ (R, p) and measured losses (R, M); `at_once` advance together.

    The segment gives the batches, the optimiser and the first step. Together or alone differ by rounding only, and two
    replicas together by their weights and states alone: they advance in groups of one size, the last filled up. Raises
    FadingError, naming the step, when training diverges.
    """
    if at_once == 1:
        for state, weights in replicas:
            yield record(replace(segment, state=state), weights, steps)
        return
    size = min(at_once, len(replicas))
    for place in range(0, len(replicas), size):
        few = replicas[place : place + size]
        found = _together(segment, [*few, *few[:1] * (size - len(few))], steps)
        yield from islice(found, len(few))


def changes(
    segment: Segment, replicas: Sequence[Replica], steps: list[int], at_once: int, before: Tensor
) -> Iterator[tuple[Tensor, Tensor]]:
    """Of each replica θ (R, p), and how its measured losses (R, M) differ from those of the unchanged run.

    `before` (R, M) are the latter, from which those of replicas differ that go alone; with replicas that go together
    the unchanged run goes again.
    """
    if at_once > 1:
        replicas = [unchanged(segment.case, segment.state), *replicas]
    runs = record_each(segment, replicas, steps, at_once)
    if at_once > 1:
        _, before = next(runs)
    for thetas, losses in runs:
        yield thetas, losses - before


def _together(segment, replicas, steps):
    case, optimizer, first = segment.case, segment.optimizer, segment.first_step
    states, weights = (torch.stack(parts) for parts in zip(*replicas, strict=True))
    thetas, losses = [], []
    for step, batch in enumerate(segment.batches[: max(steps)], start=1):
        gradients = _gradients(case, states[:, 0], batch, weights)
        states = optimizer.step(states, gradients, first + step - 1)
        if step in steps:
            if not states.isfinite().all():
                raise FadingError(f"Training diverged before step {first + step}; lower the learning rate.")
            thetas.append(states[:, 0].clone())
            losses.append(torch.stack([case.measured_losses(theta) for theta in thetas[-1]]))
    yield from zip(torch.stack(thetas, 1), torch.stack(losses, 1), strict=True)


def _gradients(case, thetas, batch, weights):
    """Of the batch loss, of each replica with its own weights: (K, p)."""
    thetas = thetas.detach().requires_grad_()
    losses = torch.vmap(lambda theta, own: batch_loss(case, theta, batch, own))(thetas, weights)
    return torch.autograd.grad(losses.sum(), thetas)[0]
