"""Deterministic training with a weight per example.

Step t draws the batch B_t and gives the optimiser the gradient of the batch loss, which is g_t(θ) = (1/|B_t|) Σ_{i∈B_t}
w_i ∇ℓ(θ; x_i) + λθ with the weight decay λ. The divisor is |B_t|, whatever the weights are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fading.errors import FadingError
from fading.models.case import Case
from fading.training.optimizers import Optimizer

PARTS = ("parameters", "first-moment", "second-moment")


def batches(order: dict[str, np.ndarray], start: int = 0) -> list[Tensor]:
    """The batches of a recorded order from position `start` to its end."""
    return list(torch.as_tensor(order["indices"]).split(np.diff(order["offsets"]).tolist()))[start:]


def unit_weights(case: Case) -> Tensor:
    """Weight 1 for each training example."""
    return torch.ones(len(case.train), dtype=case.dtype)


def batch_loss(case: Case, theta: Tensor, batch: Tensor, weights: Tensor) -> Tensor:
    """(1/|B|) Σ w_i ℓ_i + λ/2 ‖θ‖², a scalar, by the products of matrices that training makes."""
    with case.multiplying():
        loss = (weights[batch] * case.losses(theta, case.train[batch])).sum() / len(batch)
    return loss + case.weight_decay / 2 * (theta @ theta) if case.weight_decay else loss


@dataclass(frozen=True)
class Segment:
    """A stretch of training: what is trained, from which state, on which batches, by which optimiser.

    The state (1 + s, p) is θ and the optimiser's moments. Steps count from `first_step`.
    """

    case: Case
    state: Tensor
    batches: list[Tensor]
    optimizer: Optimizer
    first_step: int = 0


def descend(segment: Segment, weights: Tensor | None = None, progress=iter) -> Iterator[tuple[int, Tensor, float]]:
    """Train, yielding after each step (t, state, loss of the batch before the step).

    The weights (n_train,) are 1 unless they are given. Raises FadingError, naming the step, when the loss or the state
    is not finite.
    """
    case, state = segment.case, segment.state
    weights = unit_weights(case) if weights is None else weights
    for step, batch in enumerate(progress(segment.batches), start=segment.first_step):
        theta = state[0].detach().requires_grad_()
        loss = batch_loss(case, theta, batch, weights)
        (gradient,) = torch.autograd.grad(loss, theta)
        state = segment.optimizer.step(state, gradient, step)
        if not (loss.isfinite() and _is_finite(state)):
            raise FadingError(f"Training diverged: the loss is {loss.item()} at step {step}; lower the learning rate.")
        yield step + 1, state, loss.item()


def _is_finite(state):
    """The sum first, which is a quarter of the time: only where that is not finite each number."""
    return bool(state.sum().isfinite() or state.isfinite().all())


def state_after(segment: Segment, weights: Tensor | None = None) -> Tensor:
    """The state in which training ends."""
    state = segment.state
    for _, reached, _ in descend(segment, weights):
        state = reached
    return state


def train(segment: Segment, checkpoints: list[int], progress=iter) -> tuple[dict[int, Tensor], dict]:
    """Train from the start and keep the state at the steps `checkpoints`.

    Returns the kept {t: state} and the learning curve as columns step, batch_loss, test_loss and test_accuracy, the
    last two at checkpoints only.
    """
    case = segment.case
    kept = {0: segment.state} if 0 in checkpoints else {}
    curve = {"step": [], "batch_loss": [], "test_loss": [], "test_accuracy": []}
    for step, state, loss in descend(segment, progress=progress):
        test_loss = test_accuracy = None
        if step in checkpoints:
            kept[step] = state
            logits, labels = case.outputs(state[0], case.test), case.test.labels
            test_loss = case.output_losses(logits, labels).mean().item()
            test_accuracy = (logits.argmax(1) == labels).double().mean().item()
        for column, value in zip(curve.values(), (step, loss, test_loss, test_accuracy), strict=True):
            column.append(value)
    return kept, curve


def pack(case: Case, kept: dict[int, Tensor]) -> dict[str, np.ndarray]:
    """Checkpoints as named arrays "<step>/<part>/<parameter>"; the parts are the parameters and the moments."""
    return {
        f"{step}/{part}/{name}": tensor.numpy(force=True)
        for step, state in kept.items()
        for part, row in zip(PARTS, state, strict=False)
        for name, tensor in case.unflatten(row).items()
    }


def unpack(case: Case, arrays: dict[str, np.ndarray], step: int) -> Tensor:
    """The state of one checkpoint. Raises FadingError if the step was not kept or the model is another."""
    steps = kept_steps(arrays)
    if step not in steps:
        raise FadingError(f"There is no checkpoint at step {step}: there are {', '.join(map(str, steps))}.")
    rows = []
    for part in PARTS:
        prefix = f"{step}/{part}/"
        named = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        if named:
            rows.append(case.flatten({name: torch.as_tensor(array) for name, array in named.items()}))
    return torch.stack(rows)


def unpack_all(case: Case, arrays: dict[str, np.ndarray]) -> dict[int, Tensor]:
    """The states of all checkpoints, by step."""
    return {step: unpack(case, arrays, step) for step in kept_steps(arrays)}


def kept_steps(arrays: dict[str, np.ndarray]) -> list[int]:
    """The steps of packed checkpoints, ascending."""
    return sorted({int(name.split("/")[0]) for name in arrays})
