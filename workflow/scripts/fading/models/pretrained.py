"""Pre-trained weights in a module: what trains takes them, what is frozen becomes buffers."""

from collections.abc import Callable, Iterable

from torch import Tensor, nn

from fading.errors import FadingError


def take(module: nn.Module, tensors: dict[str, Tensor], may_lack: Callable[[str], bool]) -> None:
    """Copy tensors of these names into the module's parameters; those that `may_lack` names stay where none fits.

    Raises FadingError, naming it, for any other that is missing or has another shape.
    """
    for name, parameter in module.named_parameters():
        if fits(name, parameter, tensors, may_lack(name)):
            parameter.data.copy_(tensors[name])


def fits(name: str, tensor: Tensor, tensors: dict[str, Tensor], may_lack: bool) -> bool:
    """Is there a tensor of this name and shape? Raises FadingError if not, unless it may be lacking."""
    found = tuple(tensors[name].shape) if name in tensors else "none"
    if found != tuple(tensor.shape) and not may_lack:
        raise FadingError(f"The checkpoint's {name}: found {found}; accepted is the shape {tuple(tensor.shape)}.")
    return found == tuple(tensor.shape)


def freeze(module: nn.Module, names: Iterable[str]) -> None:
    """Make buffers of the parameters of these names: they keep their values, and θ is without them."""
    for name in names:
        place, _, leaf = name.rpartition(".")
        holder = module.get_submodule(place)
        values = getattr(holder, leaf).detach()
        delattr(holder, leaf)
        holder.register_buffer(leaf, values)
