"""Gradients of single examples."""

from collections.abc import Iterator

from torch import Tensor
from torch.func import grad, vmap

from fading.cases import Case, Examples

CHUNK = 64


def per_example_gradients(case: Case, theta: Tensor, examples: Examples) -> Tensor:
    """∇ℓ(θ; x), without weight decay, for each example x: (n, p)."""

    def loss(theta, inputs, label):
        one = Examples(tuple(tensor[None] for tensor in inputs), label[None])
        return case.losses(theta, one)[0]

    return vmap(grad(loss), (None, 0, 0))(theta, examples.inputs, examples.labels)


def gradient_chunks(case: Case, theta: Tensor, examples: Examples, progress=iter) -> Iterator[Tensor]:
    """per_example_gradients, at most CHUNK at a time: bounded memory for any number of examples."""
    for start in progress(range(0, len(examples), CHUNK)):
        yield per_example_gradients(case, theta, examples[start : start + CHUNK])
