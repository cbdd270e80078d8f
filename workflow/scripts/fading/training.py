"""Deterministic training with a weight per example.

Step t draws the batch B_t and gives the optimiser the gradient of the batch loss, which is g_t(θ) = (1/|B_t|) Σ_{i∈B_t}
w_i ∇ℓ(θ; x_i) + λθ with the weight decay λ. The divisor is |B_t|, whatever the weights are.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from fading.cases import Case
from fading.errors import FadingError
from fading.optimizers import Optimizer

PARTS = ("parameters", "first-moment", "second-moment")


def batches(order: dict[str, np.ndarray], start: int = 0) -> list[Tensor]:
    """The batches of a recorded order from position `start` to its end."""
    return list(torch.from_numpy(order["indices"]).split(np.diff(order["offsets"]).tolist()))[start:]


def unit_weights(case: Case) -> Tensor:
    """Weight 1 for each training example."""
    return torch.ones(len(case.train), dtype=case.dtype)


def batch_loss(case: Case, theta: Tensor, batch: Tensor, weights: Tensor) -> Tensor:
    """(1/|B|) Σ w_i ℓ_i + λ/2 ‖θ‖², a scalar."""
    loss = (weights[batch] * case.losses(theta, case.train[batch])).sum() / len(batch)
    return loss + case.weight_decay / 2 * (theta @ theta) if case.weight_decay else loss


def descend(
    case: Case, state: Tensor, batches: Iterable[Tensor], optimizer: Optimizer, weights: Tensor, first_step: int = 0
) -> Iterator[tuple[int, Tensor, float]]:
    """Train, yielding after each step (t, state, loss of the batch before the step); t counts from first_step.

    The state (1 + s, p) is θ and the optimiser's moments. Raises FadingError, naming the step, when the loss or the
    state is not finite.
    """
    for step, batch in enumerate(batches, start=first_step):
        theta = state[0].detach().requires_grad_()
        loss = batch_loss(case, theta, batch, weights)
        (gradient,) = torch.autograd.grad(loss, theta)
        state = optimizer.step(state, gradient, step)
        if not (loss.isfinite() and state.isfinite().all()):
            raise FadingError(f"Training diverged: the loss is {loss.item()} at step {step}; lower the learning rate.")
        yield step + 1, state, loss.item()


def train(
    case: Case, theta: Tensor, batches: Iterable[Tensor], optimizer: Optimizer, checkpoints: list[int]
) -> tuple[dict[int, Tensor], dict]:
    """Train from θ_0 and keep the state at the steps `checkpoints`.

    Returns the kept {t: state} and the learning curve as columns step, batch_loss, test_loss and test_accuracy, the
    last two at checkpoints only.
    """
    start = optimizer.start(theta)
    kept = {0: start} if 0 in checkpoints else {}
    curve = {"step": [], "batch_loss": [], "test_loss": [], "test_accuracy": []}
    for step, state, loss in descend(case, start, batches, optimizer, unit_weights(case)):
        measured = step in checkpoints
        if measured:
            kept[step] = state
        with torch.no_grad():
            test_loss = case.losses(state[0], case.test).mean().item() if measured else None
        curve["step"].append(step)
        curve["batch_loss"].append(loss)
        curve["test_loss"].append(test_loss)
        curve["test_accuracy"].append(case.accuracy(state[0]) if measured else None)
    return kept, curve


def pack(case: Case, kept: dict[int, Tensor]) -> dict[str, np.ndarray]:
    """Checkpoints as named arrays "<step>/<part>/<parameter>"; the parts are the parameters and the moments."""
    return {
        f"{step}/{part}/{name}": tensor.numpy()
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
            rows.append(case.flatten({name: torch.from_numpy(array) for name, array in named.items()}))
    return torch.stack(rows)


def kept_steps(arrays: dict[str, np.ndarray]) -> list[int]:
    """The steps of packed checkpoints, ascending."""
    return sorted({int(name.split("/")[0]) for name in arrays})
