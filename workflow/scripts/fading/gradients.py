"""Gradients of single examples."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.func import grad, vmap

from fading.cases import Case, Split

CHUNK = 64


def per_example_gradients(case: Case, theta: Tensor, split: Split, index: Tensor) -> Tensor:
    """∇ℓ(θ; x_i), without weight decay, for each i of the index: (len(index), p)."""

    def loss(theta, i):
        return case.losses(theta, split, i[None])[0]

    return vmap(grad(loss), (None, 0))(theta, index)


def gradient_chunks(case: Case, theta: Tensor, split: Split, count: int) -> Iterator[Tensor]:
    """Gradients of the first `count` examples, at most CHUNK at a time: bounded memory for any count."""
    for index in torch.arange(count).split(CHUNK):
        yield per_example_gradients(case, theta, split, index)
