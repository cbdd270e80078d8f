"""The layers of a model that hold parameters, and vectors of θ's length by layer, in the layers' own order."""

import torch
from torch import Tensor, nn

from fading.derivatives.kinds import NORMS, TREATED, treated
from fading.errors import FadingError
from fading.models.case import Case, Examples


def layers(case: Case) -> dict[str, nn.Module]:
    """The layers that hold parameters, by name; of those that share some, the first.

    Raises FadingError, naming them, for those that can't be treated.
    """
    return {first: group[first] for first, group in groups(case).items()}


def groups(case: Case) -> dict[str, dict[str, nn.Module]]:
    """The layers by name, those that share parameters together, by the name of the first of them.

    Raises FadingError, naming them, for those that can't be treated.
    """
    modules = {name: module for name, module in case.module.named_modules() if list(module.parameters(recurse=False))}
    refused = [
        f"{name or 'the model'} ({type(module).__name__})" for name, module in modules.items() if not treated(module)
    ]
    if refused:
        raise FadingError(
            f"Gradients of single examples are not known for {', '.join(refused)}; treated are "
            f"{', '.join(kind.__name__ for kind in TREATED)}, without groups or dilation, norms with scale and shift "
            "and BatchNorm2d in evaluation mode."
        )
    found, first_with = {}, {}
    for name, module in modules.items():
        held = list(map(id, module.parameters(recurse=False)))
        first, *others = dict.fromkeys(first_with[one] for one in held if one in first_with) or [name]
        group = found.setdefault(first, {})
        for other in others:
            group |= found.pop(other)
        group[name] = module
        first_with |= dict.fromkeys(
            (id(one) for each in group.values() for one in each.parameters(recurse=False)), first
        )
    return found


def _identities(group):
    return {id(parameter) for module in group.values() for parameter in module.parameters(recurse=False)}


def alike(group: dict[str, nn.Module]) -> bool:
    """Do all of these layers hold the very same parameters?"""
    return len({(type(module), *map(id, module.parameters(recurse=False))) for module in group.values()}) == 1


def split(case: Case, vectors: Tensor) -> dict[str, Tensor]:
    """Vectors (r, p) in the order of θ, by layer and in the layers' own order: (r, q) each."""
    named, names, parts = case.unflatten(vectors), _names(case), {}
    for first, group in groups(case).items():
        if not alike(group):
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
    for first, group in groups(case).items():
        if alike(group):
            own = _parameters(group[first], parts[first]).items()
            named |= {names[id(getattr(group[first], kind))]: part for kind, part in own}
        else:
            held = _held(case, group)
            named |= dict(zip(held, parts[first].split([shapes[name].numel() for name in held], 1), strict=True))
    return torch.cat([named[name].flatten(1) for name in shapes], 1)


def summed(case: Case, group: dict[str, nn.Module], vectors: dict[str, Tensor]) -> Tensor:
    """Vectors (r, q) of layers that share some of their parameters, by name, as the group's: what is shared adds up."""
    names = _names(case)
    totals = dict.fromkeys(_held(case, group), 0)
    for name, module in group.items():
        for kind, part in _parameters(module, vectors[name]).items():
            own = names[id(getattr(module, kind))]
            totals[own] = totals[own] + part.flatten(1)
    return torch.cat(list(totals.values()), 1)


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
