"""Gradients of single examples, layer by layer.

One pass catches what enters each layer with parameters and the gradient that comes back to its output, from which the
gradients follow, in factors (factors.py).
"""

from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fading.derivatives.factors import Dense, LayerGradients, Outer, Rows, added
from fading.errors import FadingError
from fading.models.case import Case, Examples


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
    indices, backward = inputs.reshape(n, -1), backward.reshape(n, -1, width)
    if module.padding_idx is not None:  # torch gives that row no gradient
        backward = backward.masked_fill((indices == module.padding_idx)[..., None], 0)
    return Rows(indices, backward, module.num_embeddings)


def _group_norm(module, inputs, backward):
    return _by_channel(F.group_norm(inputs, module.num_groups, None, None, module.eps), backward)


def _batch_norm(module, inputs, backward):
    normal = F.batch_norm(inputs, module.running_mean, module.running_var, eps=module.eps)
    return _by_channel(normal, backward)


def _by_channel(normal, backward):
    n, channels = normal.shape[:2]
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


NORMS = (nn.GroupNorm, nn.LayerNorm, nn.BatchNorm2d)
TREATED = {
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.Embedding: _embedding,
    nn.GroupNorm: _group_norm,
    nn.LayerNorm: _layer_norm,
    nn.BatchNorm2d: _batch_norm,
}


def layers(case: Case) -> dict[str, nn.Module]:
    """The layers that hold parameters, by name; of those that share some, the first.

    Raises FadingError, naming them, for those that can't be treated.
    """
    return {first: group[first] for first, group in _groups(case).items()}


def _groups(case):
    """The layers that hold parameters by name, those that share some together, by the name of the first of them."""
    modules = {name: module for name, module in case.module.named_modules() if list(module.parameters(recurse=False))}
    refused = [
        f"{name or 'the model'} ({type(module).__name__})" for name, module in modules.items() if not _treated(module)
    ]
    if refused:
        raise FadingError(
            f"Gradients of single examples are not known for {', '.join(refused)}; treated are "
            f"{', '.join(kind.__name__ for kind in TREATED)}, without groups or dilation, norms with scale and shift "
            "and BatchNorm2d in evaluation mode."
        )
    groups, first_with = {}, {}
    for name, module in modules.items():
        held = list(map(id, module.parameters(recurse=False)))
        first, *others = dict.fromkeys(first_with[one] for one in held if one in first_with) or [name]
        group = groups.setdefault(first, {})
        for other in others:
            group |= groups.pop(other)
        group[name] = module
        first_with |= dict.fromkeys(
            (id(one) for each in group.values() for one in each.parameters(recurse=False)), first
        )
    return groups


def _identities(group):
    return {id(parameter) for module in group.values() for parameter in module.parameters(recurse=False)}


def _treated(module):
    if type(module) not in TREATED:
        return False
    if isinstance(module, nn.Conv2d):
        plain = (module.groups, module.dilation, module.padding_mode) == (1, (1, 1), "zeros")
        return plain and not isinstance(module.padding, str)
    if isinstance(module, nn.BatchNorm2d):
        return not module.training and module.running_mean is not None and module.affine
    if isinstance(module, nn.GroupNorm):
        return module.bias is not None
    if isinstance(module, nn.LayerNorm):
        return len(module.normalized_shape) == 1 and module.bias is not None
    if isinstance(module, nn.Embedding):
        return not (module.sparse or module.scale_grad_by_freq or module.max_norm)
    return True


def _alike(group):
    """Do all of these layers hold the very same parameters?"""
    return len({(type(module), *map(id, module.parameters(recurse=False))) for module in group.values()}) == 1


def layer_gradients(case: Case, theta: Tensor, examples: Examples) -> dict[str, LayerGradients]:
    """∇ℓ(θ; x) of each example x, without weight decay, by layer.

    The gradients of a layer that is used several times add up, and so do those of layers that share parameters, under
    the first one's name; where they share only some of them, as Dense. Raises FadingError for a layer that can't be
    treated, that is not used, that is used neither by example nor once for all of them, or around which something is
    overwritten.
    """
    groups = _groups(case)
    modules = {name: module for group in groups.values() for name, module in group.items()}
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
    return {
        first: added([gradients[name] for name in group]) if _alike(group) else _dense(case, group, gradients)
        for first, group in groups.items()
    }


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


def _dense(case, group, gradients):
    """Of layers that share some of their parameters."""
    names = _names(case)
    totals = dict.fromkeys(_held(case, group), 0)
    for name, module in group.items():
        for kind, part in _parameters(module, gradients[name].matrix).items():
            own = names[id(getattr(module, kind))]
            totals[own] = totals[own] + part.flatten(1)
    return Dense(torch.cat(list(totals.values()), 1))


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
    named, names, parts = case.unflatten(vectors), _names(case), {}
    for first, group in _groups(case).items():
        if not _alike(group):
            parts[first] = torch.cat([named[name].flatten(1) for name in _held(case, group)], 1)
            continue
        module = group[first]
        weight, bias = (named.get(names.get(id(getattr(module, kind, None)))) for kind in ("weight", "bias"))
        if isinstance(module, nn.Embedding):
            parts[first] = weight.flatten(1)
        elif isinstance(module, NORMS):
            parts[first] = torch.cat([weight, bias], 1)
        else:
            rows = (weight.permute(0, 1, 3, 4, 2) if isinstance(module, nn.Conv2d) else weight).flatten(2)
            parts[first] = (rows if bias is None else torch.cat([rows, bias[..., None]], 2)).flatten(1)
    return parts


def join(case: Case, parts: dict[str, Tensor]) -> Tensor:
    """The inverse of split: (r, p)."""
    named, names, shapes = {}, _names(case), case.shapes
    for first, group in _groups(case).items():
        if _alike(group):
            own = _parameters(group[first], parts[first]).items()
            named |= {names[id(getattr(group[first], kind))]: part for kind, part in own}
        else:
            held = _held(case, group)
            named |= dict(zip(held, parts[first].split([shapes[name].numel() for name in held], 1), strict=True))
    return torch.cat([named[name].flatten(1) for name in shapes], 1)


def _parameters(module, vectors):
    """Vectors (r, q) in a layer's own order as its parameters: {kind: (r, *shape)}."""
    if isinstance(module, nn.Embedding):
        return {"weight": vectors.view(-1, *module.weight.shape)}
    if isinstance(module, NORMS):
        weight, bias = vectors.chunk(2, 1)
        return {"weight": weight, "bias": bias}
    rows = vectors.view(len(vectors), len(module.weight), -1)
    bias = {} if module.bias is None else {"bias": rows[..., -1]}
    weight = rows[..., :-1] if bias else rows
    if isinstance(module, nn.Conv2d):
        weight = weight.reshape(*weight.shape[:2], *module.kernel_size, -1).permute(0, 1, 4, 2, 3)
    return {"weight": weight, **bias}


def _names(case):
    """What θ calls each parameter, by its identity."""
    return {id(parameter): name for name, parameter in case.module.named_parameters()}


def _held(case, group):
    """What θ calls the parameters that these layers hold, in its order."""
    held = _identities(group)
    return [name for one, name in _names(case).items() if one in held]
