"""Deterministic stochastic gradient descent with a weight per example.

Step t draws the batch B_t and moves θ_{t+1} = θ_t − η g_t(θ_t), g_t(θ) = (1/|B_t|) Σ_{i∈B_t} w_i ∇ℓ(θ; x_i) + λθ with
the weight decay λ. The divisor is |B_t|, whatever the weights are.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from fading.cases import Case
from fading.errors import FadingError


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
    case: Case, theta: Tensor, batches: Iterable[Tensor], learning_rate: float, weights: Tensor, first_step: int = 0
) -> Iterator[tuple[int, Tensor, float]]:
    """Train, yielding after each step (t, θ_t, loss of the batch before the step); t counts from first_step.

    Raises FadingError, naming the step, when the loss or the parameters are not finite.
    """
    for step, batch in enumerate(batches, start=first_step):
        theta = theta.detach().requires_grad_()
        loss = batch_loss(case, theta, batch, weights)
        (gradient,) = torch.autograd.grad(loss, theta)
        theta = (theta - learning_rate * gradient).detach()
        if not (loss.isfinite() and theta.isfinite().all()):
            raise FadingError(f"Training diverged: the loss is {loss.item()} at step {step}; lower the learning rate.")
        yield step + 1, theta, loss.item()


def train(case: Case, theta: Tensor, batches: Iterable[Tensor], settings: dict) -> tuple[dict[int, Tensor], dict]:
    """Train from θ_0; `settings` holds learning_rate and checkpoints, the steps to keep.

    Returns the kept {t: θ_t} and the learning curve as columns step, batch_loss, test_loss and test_accuracy, the last
    two at checkpoints only.
    """
    kept = {0: theta} if 0 in settings["checkpoints"] else {}
    curve = {"step": [], "batch_loss": [], "test_loss": [], "test_accuracy": []}
    for step, theta, loss in descend(case, theta, batches, settings["learning_rate"], unit_weights(case)):
        if step in settings["checkpoints"]:
            kept[step] = theta
        measured = step in settings["checkpoints"]
        with torch.no_grad():
            test_loss = case.losses(theta, case.test).mean().item() if measured else None
        curve["step"].append(step)
        curve["batch_loss"].append(loss)
        curve["test_loss"].append(test_loss)
        curve["test_accuracy"].append(case.accuracy(theta) if measured else None)
    return kept, curve


def pack(case: Case, kept: dict[int, Tensor]) -> dict[str, np.ndarray]:
    """Checkpoints as named arrays "<step>/<parameter>"."""
    return {
        f"{step}/{name}": tensor.numpy()
        for step, theta in kept.items()
        for name, tensor in case.unflatten(theta).items()
    }


def unpack(case: Case, arrays: dict[str, np.ndarray], step: int) -> Tensor:
    """θ of one checkpoint. Raises FadingError if the step was not kept or the model is another."""
    steps = sorted({int(name.split("/")[0]) for name in arrays})
    if step not in steps:
        raise FadingError(f"There is no checkpoint at step {step}: there are {', '.join(map(str, steps))}.")
    prefix = f"{step}/"
    named = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    return case.flatten({name: torch.from_numpy(array) for name, array in named.items()})
