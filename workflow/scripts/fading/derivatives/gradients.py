"""Gradients of single examples, and products of them, in chunks that bound memory whatever the number of examples."""

import torch
from torch import Tensor

from fading.derivatives.layers import join, layer_gradients, split
from fading.models.case import Case, Examples

CHUNK = 128


def chunks(examples: Examples) -> list[Examples]:
    """The examples, at most CHUNK at a time."""
    return [examples[start : start + CHUNK] for start in range(0, len(examples), CHUNK)]


def per_example_gradients(case: Case, theta: Tensor, examples: Examples) -> Tensor:
    """∇ℓ(θ; x), without weight decay, for each example x: (n, p). As large as that; the functions below are not."""
    gradients = [layer_gradients(case, theta, chunk) for chunk in chunks(examples)]
    return torch.cat([join(case, {name: layer.matrix for name, layer in chunk.items()}) for chunk in gradients])


def gradient_products(case: Case, theta: Tensor, left: Examples, right: Examples, progress=iter) -> Tensor:
    """⟨∇ℓ(θ; x), ∇ℓ(θ; z)⟩ for each x of n and z of m examples: (n, m)."""
    fixed = [layer_gradients(case, theta, chunk) for chunk in chunks(right)]
    rows = []
    for chunk in progress(chunks(left)):
        gradients = layer_gradients(case, theta, chunk)
        rows.append(torch.cat([sum(gradients[name].dot(other[name]) for name in gradients) for other in fixed], 1))
    return torch.cat(rows)


def gradient_projections(case: Case, theta: Tensor, examples: Examples, vectors: Tensor, progress=iter) -> Tensor:
    """⟨∇ℓ(θ; x), v⟩ for each of n examples and each v of vectors (r, p): (n, r)."""
    return layer_projections(case, theta, examples, split(case, vectors), progress)


def layer_projections(case: Case, theta: Tensor, examples: Examples, parts: dict[str, Tensor], progress=iter) -> Tensor:
    """The same for vectors given by layer, (r, q) each in the layer's own order: (n, r)."""
    rows = []
    for chunk in progress(chunks(examples)):
        gradients = layer_gradients(case, theta, chunk)
        rows.append(sum(gradients[name].project(parts[name]) for name in gradients))
    return torch.cat(rows)


def gradient_norms(case: Case, theta: Tensor, examples: Examples) -> Tensor:
    """‖∇ℓ(θ; x)‖ for each example: (n,)."""
    gradients = [layer_gradients(case, theta, chunk) for chunk in chunks(examples)]
    return torch.cat([sum(layer.squared_norms() for layer in chunk.values()) for chunk in gradients]).sqrt()
