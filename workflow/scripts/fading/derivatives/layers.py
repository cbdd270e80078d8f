"""Gradients of single examples, layer by layer, without forming them where a product is all that is wanted.

One pass catches what enters each layer with parameters and the gradient that comes back to its output. The gradient of
a linear map at T positions is the sum of T outer products of the two (Goodfellow 2015), and the inner product of two
such gradients needs only inner products of the factors.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fading.errors import FadingError
from fading.models.case import Case, Examples


class LayerGradients:
    """The gradients of n examples with respect to a layer's q parameters, themselves as matrix (n, q).

    The layer's own order is by output: a row of the weight, its bias, the next row.
    """

    matrix: Tensor

    def dot(self, other: "LayerGradients") -> Tensor:
        """Inner products with the gradients of m other examples: (n, m)."""
        return self.matrix @ other.matrix.T

    def project(self, vectors: Tensor) -> Tensor:
        """Inner products with vectors (r, q) in the layer's own order: (n, r)."""
        return self.matrix @ vectors.T

    def squared_norms(self) -> Tensor:
        """(n,)"""
        return self.matrix.square().sum(1)

    def sum_of_squares(self) -> Tensor:
        """Of each parameter's gradient, over the examples: (q,)."""
        return self.matrix.square().sum(0)


@dataclass(frozen=True)
class Dense(LayerGradients):
    """Gradients of a layer of few parameters, as they are."""

    matrix: Tensor


@dataclass(frozen=True)
class Outer(LayerGradients):
    """Gradients that are sums over positions t of backward_t ⊗ inputs_t.

    `inputs` (n, T, i) holds a last column of ones where the layer has a bias, `backward` (n, T, o); q = o · i.
    """

    inputs: Tensor
    backward: Tensor

    @cached_property
    def matrix(self) -> Tensor:
        return (self.backward.mT @ self.inputs).flatten(1)

    def dot(self, other: "Outer") -> Tensor:
        (n, positions, i), o = self.inputs.shape, self.backward.shape[2]
        if positions**2 * (i + o) > i * o:  # then forming the gradients is cheaper
            return super().dot(other)
        products = self.inputs.flatten(0, 1) @ other.inputs.flatten(0, 1).T
        products *= self.backward.flatten(0, 1) @ other.backward.flatten(0, 1).T
        return products.view(n, positions, -1, positions).sum((1, 3))

    def project(self, vectors: Tensor) -> Tensor:
        (_, positions, i), o = self.inputs.shape, self.backward.shape[2]
        if positions > 1:
            return super().project(vectors)
        weights = vectors.view(-1, o, i)  # one position: apply the vectors to the inputs, without forming the gradients
        return torch.einsum("ni,roi,no->nr", self.inputs[:, 0], weights, self.backward[:, 0])

    def squared_norms(self) -> Tensor:
        if self.inputs.shape[1] > 1:
            return super().squared_norms()
        return self.inputs.square().sum((1, 2)) * self.backward.square().sum((1, 2))

    def sum_of_squares(self) -> Tensor:
        if self.inputs.shape[1] > 1:
            return super().sum_of_squares()
        return (self.backward[:, 0].square().T @ self.inputs[:, 0].square()).flatten()


def _linear(module, inputs, backward):
    n, width = len(inputs), inputs.shape[-1]
    return _outer(module, inputs.reshape(n, -1, width), backward.reshape(n, -1, module.out_features))


def _convolution(module, inputs, backward):
    (down, right), (pad_down, pad_right) = module.stride, module.padding
    padded = F.pad(inputs.permute(0, 2, 3, 1), (0, 0, pad_right, pad_right, pad_down, pad_down))
    n, _, _, channels = padded.shape
    sn, sy, sx, sc = padded.stride()
    patches = padded.as_strided(
        (n, *backward.shape[2:], *module.kernel_size, channels), (sn, sy * down, sx * right, sy, sx, sc)
    )
    positions = backward.shape[2] * backward.shape[3]
    return _outer(module, patches.reshape(n, positions, -1), backward.flatten(2).mT)


def _embedding(module, inputs, backward):
    n, width = len(inputs), module.embedding_dim
    one_hot = F.one_hot(inputs.reshape(n, -1), module.num_embeddings).to(backward.dtype)
    return Outer(one_hot, backward.reshape(n, -1, width))


def _group_norm(module, inputs, backward):
    normal = F.group_norm(inputs, module.num_groups, None, None, module.eps)
    n, channels = inputs.shape[:2]
    parts = [(normal * backward).reshape(n, channels, -1).sum(2), backward.reshape(n, channels, -1).sum(2)]
    return Dense(torch.cat(parts, 1))


def _layer_norm(module, inputs, backward):
    normal = F.layer_norm(inputs, module.normalized_shape, None, None, module.eps)
    n, width = len(inputs), module.normalized_shape[0]
    parts = [(normal * backward).reshape(n, -1, width).sum(1), backward.reshape(n, -1, width).sum(1)]
    return Dense(torch.cat(parts, 1))


def _outer(module, inputs, backward):
    if module.bias is not None:
        inputs = torch.cat([inputs, torch.ones_like(inputs[..., :1])], -1)
    return Outer(inputs, backward)


TREATED = {
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.Embedding: _embedding,
    nn.GroupNorm: _group_norm,
    nn.LayerNorm: _layer_norm,
}


def layers(case: Case) -> dict[str, nn.Module]:
    """The layers that hold parameters, by name. Raises FadingError, naming them, for those that can't be treated."""
    if len(list(case.module.named_parameters(remove_duplicate=False))) > len(case.shapes):
        raise FadingError("Layers share a parameter: gradients of single examples are not known for them.")
    modules = {name: module for name, module in case.module.named_modules() if list(module.parameters(recurse=False))}
    refused = [
        f"{name or 'the model'} ({type(module).__name__})" for name, module in modules.items() if not _treated(module)
    ]
    if refused:
        raise FadingError(
            f"Gradients of single examples are not known for {', '.join(refused)}; "
            f"treated are {', '.join(kind.__name__ for kind in TREATED)}, without groups, dilation or shared use."
        )
    return modules


def _treated(module):
    if type(module) not in TREATED:
        return False
    if isinstance(module, nn.Conv2d):
        plain = (module.groups, module.dilation, module.padding_mode) == (1, (1, 1), "zeros")
        return plain and not isinstance(module.padding, str)
    if isinstance(module, nn.GroupNorm):
        return module.bias is not None
    if isinstance(module, nn.LayerNorm):
        return len(module.normalized_shape) == 1 and module.bias is not None
    if isinstance(module, nn.Embedding):
        return not (module.sparse or module.scale_grad_by_freq or module.max_norm or module.padding_idx is not None)
    return True


def layer_gradients(case: Case, theta: Tensor, examples: Examples) -> dict[str, LayerGradients]:
    """∇ℓ(θ; x) of each example x, without weight decay, by layer."""
    modules, caught = layers(case), {}

    def watch(name):
        def hook(module, inputs, output):
            if name in caught or len(inputs[0]) != len(examples):
                raise FadingError(
                    f"The layer {name} is not used once per example: gradients of single examples are not known."
                )
            caught[name] = (inputs[0], output, inputs[0]._version, output._version)

        return hook

    handles = [module.register_forward_hook(watch(name)) for name, module in modules.items()]
    try:
        with torch.enable_grad():
            loss = case.losses(theta.detach().requires_grad_(), examples).sum()
        if unused := modules.keys() - caught.keys():
            raise FadingError(f"The model does not use its layers {', '.join(sorted(unused))}.")
        for name, (inputs, output, *versions) in caught.items():
            if [inputs._version, output._version] != versions:
                raise FadingError(
                    f"What enters or leaves the layer {name} is overwritten in place: its gradient is lost."
                )
        backward = torch.autograd.grad(loss, [output for _, output, *_ in caught.values()])
    finally:
        for handle in handles:
            handle.remove()
    return {
        name: TREATED[type(modules[name])](modules[name], inputs.detach(), gradient)
        for (name, (inputs, *_)), gradient in zip(caught.items(), backward, strict=True)
    }


def features(case: Case, theta: Tensor, examples: Examples) -> Tensor:
    """What enters the last linear layer, for each example: (n, width)."""
    seen = []
    linear = (module for module in case.module.modules() if isinstance(module, nn.Linear))
    handles = [module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0])) for module in linear]
    try:
        with torch.no_grad():
            case.logits(theta, examples.inputs)
    finally:
        for handle in handles:
            handle.remove()
    return seen[-1]


def split(case: Case, vectors: Tensor) -> dict[str, Tensor]:
    """Vectors (r, p) in the order of θ, by layer and in the layers' own order: (r, q) each."""
    named = case.unflatten(vectors)
    parts = {}
    for name, module in layers(case).items():
        weight, bias = (named.get(_parameter(name, kind)) for kind in ("weight", "bias"))
        if isinstance(module, nn.Embedding):
            weight = weight.mT
        elif isinstance(module, nn.Conv2d):
            weight = weight.permute(0, 1, 3, 4, 2)
        if isinstance(module, (nn.GroupNorm, nn.LayerNorm)):
            parts[name] = torch.cat([weight, bias], 1)
        else:
            rows = weight.flatten(2)
            parts[name] = (rows if bias is None else torch.cat([rows, bias[..., None]], 2)).flatten(1)
    return parts


def join(case: Case, parts: dict[str, Tensor]) -> Tensor:
    """The inverse of split: (r, p)."""
    named = {}
    for name, module in layers(case).items():
        part = parts[name]
        if isinstance(module, (nn.GroupNorm, nn.LayerNorm)):
            weight, bias = part.chunk(2, 1)
        else:
            shape = module.weight.shape
            outputs = shape[1] if isinstance(module, nn.Embedding) else shape[0]
            rows = part.view(len(part), outputs, -1)
            bias = None if getattr(module, "bias", None) is None else rows[..., -1]
            weight = rows if bias is None else rows[..., :-1]
            if isinstance(module, nn.Embedding):
                weight = weight.mT
            elif isinstance(module, nn.Conv2d):
                weight = weight.reshape(len(part), outputs, *module.kernel_size, -1).permute(0, 1, 4, 2, 3)
        named[_parameter(name, "weight")] = weight
        if bias is not None:
            named[_parameter(name, "bias")] = bias
    return torch.cat([named[name].flatten(1) for name in case.shapes], 1)


def _parameter(layer, kind):
    return f"{layer}.{kind}" if layer else kind
