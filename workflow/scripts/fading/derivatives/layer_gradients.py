"""Gradients of single examples, layer by layer.

One pass catches what enters each layer with parameters and the gradient that comes back to its output, from which the
gradients follow (kinds.py).
"""

from weakref import WeakKeyDictionary, WeakSet

import torch
from torch import Tensor, nn

from fading.derivatives.factors import Dense, LayerGradients, added
from fading.derivatives.kinds import TREATED
from fading.derivatives.layers import alike, groups, join, summed
from fading.errors import FadingError
from fading.models.case import Case, Examples


def layer_gradients(case: Case, theta: Tensor, examples: Examples) -> dict[str, LayerGradients]:
    """∇ℓ(θ; x) of each example x, without weight decay, by layer.

    The gradients of a layer that is used several times add up, and so do those of layers that share parameters, under
    the first one's name; where they share only some of them, as Dense. Raises FadingError for a layer that can't be
    treated, that is not used, that is used neither by example nor once for all of them, or around which something is
    overwritten; and, of a model's first example, where they are not the whole loss's gradient.
    """
    if case.module not in _VERIFIED:
        _verify(case, theta, examples[:1])
    return unverified_gradients(case, theta, examples)


_VERIFIED = WeakSet()  # models all of whose parameters have had a gradient that was right
APART = 1e-3  # of the gradient's norm: far beyond rounding


def _verify(case, theta, example):
    at = theta.detach().requires_grad_()
    with torch.enable_grad():
        (whole,) = torch.autograd.grad(case.losses(at, example).sum(), at)
    (ours,) = join(case, {name: layer.matrix for name, layer in unverified_gradients(case, theta, example).items()})
    bound = APART * whole.norm()
    if apart := [name for name, part in case.unflatten(ours - whole).items() if part.norm() > bound]:
        raise FadingError(
            f"Gradients of single examples are not known for {', '.join(apart)}, which the model uses outside its "
            "layers as well."
        )
    if all(part.norm() > bound for part in case.unflatten(whole).values()):  # at θ = 0 hardly any part has a gradient
        _VERIFIED.add(case.module)


def unverified_gradients(case: Case, theta: Tensor, examples: Examples) -> dict[str, LayerGradients]:
    """The same without a look at whether they add up to the loss's gradient."""
    shared = groups(case)
    modules = {name: module for group in shared.values() for name, module in group.items()}
    alone = _alone(case, theta, examples, modules)
    caught = {name: [] for name in modules}

    def watch(name, module, entering, leaving):
        entering, leaving = _by_example(name, module, entering, leaving, len(examples), alone, len(caught[name]))
        caught[name].append((entering, leaving, entering._version, leaving._version))
        return leaving

    with torch.enable_grad(), _Watched(modules, watch):
        loss = case.losses(theta.detach().requires_grad_(), examples).sum()
    if unused := sorted(name for name, uses in caught.items() if not uses):
        raise FadingError(f"The model does not use its layers {', '.join(unused)}.")
    for name, uses in caught.items():
        if any([entering._version, leaving._version] != versions for entering, leaving, *versions in uses):
            raise FadingError(f"What enters or leaves the layer {name} is overwritten in place: its gradient is lost.")
    outputs = [leaving for uses in caught.values() for _, leaving, *_ in uses]
    backward = iter(torch.autograd.grad(loss, outputs, materialize_grads=True))
    gradients = {
        name: added([TREATED[type(module)](module, entering.detach(), next(backward)) for entering, *_ in caught[name]])
        for name, module in modules.items()
    }
    return {first: _of_group(case, group, gradients) for first, group in shared.items()}


class _Watched:
    """While it is entered, `watch` sees each layer's name, module, input and output, which it replaces."""

    def __init__(self, modules, watch):
        self.modules, self.watch = modules, watch

    def __enter__(self):
        def hook(name):
            return lambda module, inputs, output: self.watch(name, module, inputs[0], output)

        self.handles = [module.register_forward_hook(hook(name)) for name, module in self.modules.items()]

    def __exit__(self, *_):
        for handle in self.handles:
            handle.remove()


_LENGTHS = WeakKeyDictionary()  # of a model's layers when it is given one example


def _alone(case, theta, examples, modules):
    """The length of what enters each layer, at each of its uses, when there is one example: {name: [length, …]}."""
    if case.module not in _LENGTHS:
        lengths = {name: [] for name in modules}

        def watch(name, module, entering, leaving):
            lengths[name].append(len(entering))
            return _by_example(name, module, entering, leaving, 1, lengths, 0)[1]

        with torch.no_grad(), _Watched(modules, watch):
            case.logits(theta, examples[:1].inputs)
        _LENGTHS[case.module] = lengths
    return _LENGTHS[case.module]


def _by_example(name, module, entering, leaving, count, alone, use):
    """What enters a layer and leaves it, by example, where it is used once for all of them."""
    if len(entering) == count and (count == 1 or alone[name][use : use + 1] != [count]):
        return entering, leaving
    if isinstance(module, nn.Embedding) and entering.dim() == 1:
        entering, leaving = entering[None], leaving[None]
    if len(entering) != 1:
        raise FadingError(
            f"The layer {name} is used neither by example nor once for all: "
            "gradients of single examples are not known for it."
        )
    return entering.expand(count, *entering.shape[1:]), leaving.expand(count, *leaving.shape[1:])


def _of_group(case, group, gradients):
    if alike(group):
        return added([gradients[name] for name in group])
    return Dense(summed(case, group, {name: gradients[name].matrix for name in group}))
