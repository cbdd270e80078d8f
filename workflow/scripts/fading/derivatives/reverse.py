"""The linear response in reverse: what every use of every training example did to a few losses, exactly to first order.

A use is a step that draws the example. The effect of its weight on a loss read later is −(η_t/|B_t|) ⟨u_{t+1},
∇ℓ(θ_t; x_k)⟩ for SGD, with u = ∇ℓ(θ; z) where the loss is read and u_t = (I − η_t H_t) u_{t+1} before (SGD-influence,
Hara et al. 2019); for any optimiser the transpose of its step's derivative. The sum over an example's uses is dℓ/dε of
its weight in the whole run, what Ilyas and Engstrom (2025) call MAGIC.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from fading.artefacts import budget
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import gradient_projections, per_example_gradients
from fading.models.case import Examples
from fading.training.segment import Segment, descend

TOGETHER = 16  # losses followed in one pass, so that memory does not grow with their number
FOLLOWED = 0.35  # of the budget, for what that takes


class Pulled(NamedTuple):
    """A step t on its batch from a state, and what its gradient did to K losses read later.

    `slopes` (K, p) are the derivatives of these losses by the step's gradient: −η_t u_{t+1} for SGD. Of each it says
    after which step it was read, `read` (K,), counted as training counts.
    """

    step: int
    batch: Tensor
    state: Tensor
    slopes: Tensor
    read: Tensor


@dataclass(frozen=True)
class Uses:
    """What each of U uses of training examples did to M losses: at which `step` (U,), of which `example` (U,).

    `effect` (U, M) is the derivative by the weight that the example has at that step alone, nats.
    """

    step: Tensor
    example: Tensor
    effect: Tensor

    def by_example(self, count: int) -> Tensor:
        """The sum over each of so many training examples' uses: (count, M)."""
        return torch.zeros(count, self.effect.shape[1], dtype=self.effect.dtype).index_add(0, self.example, self.effect)


def in_reverse(segment: Segment) -> Iterator[tuple[int, Tensor, Tensor, Tensor]]:
    """Of each step, the last first: t, its batch, the states before and after it.

    Where a quarter of the budget does not hold the states of all T steps, as many are kept as it holds, or about
    2 log₂ T if that is more, and steps taken again from there.
    """
    return _in_reverse(segment, budget.fitting(segment.state.nbytes, len(segment.batches) + 1, share=0.25))


def _in_reverse(segment, room):
    """The same with room for so many states."""
    case, drawn, optimizer, first = segment.case, segment.batches, segment.optimizer, segment.first_step
    if len(drawn) < max(room, 2):
        states = [segment.state, *(state for _, state, _ in descend(segment))]
        for t in reversed(range(len(drawn))):
            yield first + t, drawn[t], states[t], states[t + 1]
        return
    stride = math.ceil(len(drawn) / max(2, min(math.isqrt(len(drawn)), room // 2)))
    starts = [segment.state, *(state for step, state, _ in descend(segment) if (step - first) % stride == 0)]
    for start, place in reversed(list(zip(starts, range(0, len(drawn), stride), strict=False))):
        piece = Segment(case, start, drawn[place : place + stride], optimizer, first + place)
        yield from _in_reverse(piece, room - len(starts))


def pulled_back(
    segment: Segment, read: Collection[int], tested: Examples, ages: int | None = None, progress=iter
) -> Iterator[Pulled]:
    """Follow the losses of `tested` examples, read after each of the steps `read`, back through the segment.

    Each is followed for the last `ages` steps before it was read, all of the segment's where that is None. The cost is
    a Hessian product per loss and step, but for the first of a loss's steps. Raises FadingError where the budget does
    not hold what is followed at once.
    """
    case, optimizer = segment.case, segment.optimizer
    followed = len(tested) * _overlapping(read, ages)
    what = f"Following test losses back through training ({followed} at a time)"
    budget.require(_following(segment.state) * followed, what, share=FOLLOWED)
    cotangents = torch.zeros(0, *segment.state.shape, dtype=case.dtype)
    reading = torch.zeros(0, dtype=torch.long)
    for (step, batch, state, after), _ in zip(in_reverse(segment), progress(segment.batches), strict=True):
        if step + 1 in read:
            opened = torch.zeros(len(tested), *state.shape, dtype=case.dtype)
            opened[:, 0] = per_example_gradients(case, after[0], tested)
            cotangents = torch.cat([cotangents, opened])
            reading = torch.cat([reading, torch.full((len(tested),), step + 1)])
        if not len(reading):
            continue
        curvature = Curvature(case, state[0], batch)
        pulled = optimizer.pull(state, curvature.gradient(), step, cotangents)
        yield Pulled(step, batch, state, pulled[:, -1], reading)
        further = reading - step < (ages or math.inf)
        if step == segment.first_step or not further.any():
            cotangents, reading = cotangents[:0], reading[:0]
            continue
        if not further.all():
            pulled, reading = pulled[further], reading[further]
        cotangents = pulled[:, :-1]
        cotangents[:, 0] += curvature(pulled[:, -1])


def fitting(segment: Segment, read: Collection[int], tests: int, ages: int | None = None) -> int:
    """How many of so many tests, at least one, can be followed at once, each as pulled_back() follows it."""
    return budget.fitting(_following(segment.state) * _overlapping(read, ages), tests, share=FOLLOWED)


def _overlapping(read, ages):
    """How many readings of a test are followed at the same time."""
    return max(sum(one <= other < one + (ages or math.inf) for other in read) for one in read)


def _following(state):
    """Bytes that following a loss takes: cotangents of the state, before and after a step, and of the gradient."""
    return 2 * (len(state) + 1) * state[0].nbytes


def uses(segment: Segment, tested: Examples, progress=iter) -> Uses:
    """What every use of every training example in a segment did to the losses of `tested` examples at its end."""
    end, found = segment.first_step + len(segment.batches), []
    size = fitting(segment, {end}, TOGETHER)
    for start in range(0, len(tested), size):
        few = tested[start : start + size]
        effects = [
            gradient_projections(segment.case, step.state[0], segment.case.train[step.batch], step.slopes)
            / len(step.batch)
            for step in pulled_back(segment, {end}, few, progress=progress)
        ]
        found.append(torch.cat(effects[::-1]))
    drawn = torch.cat(segment.batches)
    steps = torch.arange(segment.first_step, end).repeat_interleave(torch.tensor(list(map(len, segment.batches))))
    return Uses(steps, drawn, torch.cat(found, 1))
