"""Gradients of single examples, and products of them, in chunks that bound memory whatever the number of examples."""

from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from fading.artefacts import budget
from fading.derivatives.layer_gradients import layer_gradients, unverified_gradients
from fading.derivatives.layers import join, split
from fading.models.case import Case, Examples

CHUNK = 128
_per_example: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()


def chunks(case: Case, examples: Examples) -> list[Examples]:
    """The examples, at most CHUNK at a time, and fewer where their gradients by layer would not fit the budget."""
    size = budget.fitting(bytes_per_gradient(case), CHUNK, share=0.25)
    return [examples[start : start + size] for start in range(0, len(examples), size)]


def bytes_per_gradient(case: Case) -> int:
    """What one more example takes whose gradient is formed layer by layer, measured by one."""
    if case.module not in _per_example:
        count = sum(shape.numel() for shape in case.shapes.values())
        layers = unverified_gradients(case, torch.zeros(count, dtype=case.dtype), case.train[:1]).values()
        held = (value for layer in layers for value in vars(layer).values())
        factors = sum(value.nbytes for value in held if isinstance(value, Tensor))
        _per_example[case.module] = case.bytes_per_example + factors + count * case.dtype.itemsize
    return _per_example[case.module]


def per_example_gradients(case: Case, theta: Tensor, examples: Examples) -> Tensor:
    """∇ℓ(θ; x), without weight decay, for each example x: (n, p). As large as that; the functions below are not.

    Raises FadingError if the budget does not hold it.
    """
    budget.require(len(examples) * theta.nbytes, f"{len(examples)} gradients of {len(theta):,} parameters", share=0.5)
    rows, start = theta.new_empty(len(examples), len(theta)), 0
    for chunk in chunks(case, examples):
        gradients = layer_gradients(case, theta, chunk)
        rows[start : start + len(chunk)] = join(case, {name: gradients.pop(name).matrix for name in list(gradients)})
        start += len(chunk)
    return rows


def gradient_products(case: Case, theta: Tensor, left: Examples, right: Examples, progress=iter) -> Tensor:
    """⟨∇ℓ(θ; x), ∇ℓ(θ; z)⟩ for each x of n and z of m examples: (n, m).

    The gradients of as many z are held as a quarter of the budget takes, which is one pass over the x for each so many.
    """
    size, columns = budget.fitting(bytes_per_gradient(case), len(right), share=0.25), []
    for start in range(0, len(right), size):
        held = chunks(case, right[start : start + size])
        fixed, rows = [layer_gradients(case, theta, chunk) for chunk in held], []
        for chunk in progress(chunks(case, left)):
            gradients = layer_gradients(case, theta, chunk)
            rows.append(torch.cat([sum(gradients[name].dot(other[name]) for name in gradients) for other in fixed], 1))
        columns.append(torch.cat(rows))
    return torch.cat(columns, 1)


def gradient_projections(case: Case, theta: Tensor, examples: Examples, vectors: Tensor, progress=iter) -> Tensor:
    """⟨∇ℓ(θ; x), v⟩ for each of n examples and each v of vectors (r, p): (n, r)."""
    return layer_projections(case, theta, examples, split(case, vectors), progress)


def layer_projections(case: Case, theta: Tensor, examples: Examples, parts: dict[str, Tensor], progress=iter) -> Tensor:
    """The same for vectors given by layer, (r, q) each in the layer's own order: (n, r)."""
    rows = []
    for chunk in progress(chunks(case, examples)):
        gradients = layer_gradients(case, theta, chunk)
        rows.append(sum(gradients[name].project(parts[name]) for name in gradients))
    return torch.cat(rows)


def gradient_norms(case: Case, theta: Tensor, examples: Examples) -> Tensor:
    """‖∇ℓ(θ; x)‖ for each example: (n,)."""
    gradients = [layer_gradients(case, theta, chunk) for chunk in chunks(case, examples)]
    return torch.cat([sum(layer.squared_norms() for layer in chunk.values()) for chunk in gradients]).sqrt()
