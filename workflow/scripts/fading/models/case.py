"""A case is a model, its data and its loss: what all stages see, whatever the kind of model."""

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from fading.artefacts import budget
from fading.data.drawing import flipped
from fading.errors import FadingError
from fading.models import MODELS

# Of θ and its derivatives, and of the products of matrices that training makes where that is another.
PRECISIONS = {
    "float32": (torch.float32, None),
    "float64": (torch.float64, None),
    "bfloat16": (torch.float32, torch.bfloat16),
}


@dataclass(frozen=True)
class Examples:
    """Labelled examples: inputs, each (n, …), what the model takes for each example; labels (n,), integers."""

    inputs: tuple[Tensor, ...]
    labels: Tensor

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index) -> "Examples":
        """The examples at `index`, a slice or a tensor of positions."""
        return Examples(tuple(tensor[index] for tensor in self.inputs), self.labels[index])


@dataclass(frozen=True)
class Case:
    """A model with flat parameters θ of length p, its training and test examples, and its loss.

    The loss of an example is its cross-entropy in nats. Training minimises the mean weighted loss of a batch plus
    weight_decay/2 · ‖θ‖². `measured` counts the first test examples, those on which influence is measured. θ and all
    derivatives are of `dtype`; with another `forward`, steps of training and outputs alone multiply matrices in that.
    """

    module: nn.Module
    train: Examples
    test: Examples
    measured: int
    weight_decay: float
    dtype: torch.dtype
    forward: torch.dtype | None = None

    @property
    def tested(self) -> Examples:
        """The test examples on which influence is measured."""
        return self.test[: self.measured]

    @property
    def shapes(self) -> dict[str, torch.Size]:
        """The shape of each named parameter, in the order in which θ holds them."""
        return {name: parameter.shape for name, parameter in self.module.named_parameters()}

    def flatten(self, tensors: dict[str, Tensor]) -> Tensor:
        """Named parameters as θ (p,). Raises FadingError if names or shapes are another model's."""
        shapes = {name: tensor.shape for name, tensor in tensors.items()}
        if shapes != self.shapes:
            differing = sorted(name for name, _ in shapes.items() ^ self.shapes.items())
            raise FadingError(
                f"The checkpoint is of another model: it differs from {type(self.module).__name__} "
                f"in {', '.join(dict.fromkeys(differing))}."
            )
        return torch.cat([tensors[name].reshape(-1) for name in self.shapes]).to(self.dtype)

    def unflatten(self, theta: Tensor) -> dict[str, Tensor]:
        """θ (…, p) as named parameters, which are views of it, (…, *shape)."""
        parts = theta.split([shape.numel() for shape in self.shapes.values()], dim=-1)
        leading = theta.shape[:-1]
        named = zip(self.shapes.items(), parts, strict=True)
        return {name: part.view(*leading, *shape) for (name, shape), part in named}

    def logits(self, theta: Tensor, inputs: tuple[Tensor, ...]) -> Tensor:
        """(n, classes)"""
        return functional_call(self.module, self.unflatten(theta), inputs).to(self.dtype)

    def multiplying(self) -> AbstractContextManager:
        """Within it matrices are multiplied as training does, the logits still in `dtype`."""
        if self.forward is None:
            return nullcontext()
        device = torch.get_default_device().type
        return torch.autocast(device, self.forward, cache_enabled=False)

    def output_losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss in nats of each example given its logits (n, classes), without weight decay: (n,)."""
        return F.cross_entropy(logits, labels, reduction="none")

    def losses(self, theta: Tensor, examples: Examples) -> Tensor:
        """The loss in nats of each example, without weight decay: (n,)."""
        return self.output_losses(self.logits(theta, examples.inputs), examples.labels)

    def outputs(self, theta: Tensor, examples: Examples) -> Tensor:
        """The logits (n, classes) without what it takes for gradients, in chunks that fit the budget."""
        size = budget.fitting(self.bytes_per_example, len(examples), share=0.5)
        with torch.no_grad(), self.multiplying():
            chunks = (examples[start : start + size].inputs for start in range(0, len(examples), size))
            return torch.cat([self.logits(theta, inputs) for inputs in chunks])

    @cached_property
    def bytes_per_example(self) -> int:
        """What autograd keeps of one more example until its gradient is taken, by the difference of two and one."""
        return self._kept(2) - self._kept(1)

    def _kept(self, examples):
        storages = {}

        def keep(tensor):
            storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        count = sum(shape.numel() for shape in self.shapes.values())
        theta = torch.zeros(count, dtype=self.dtype, requires_grad=True)
        with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            held = self.losses(theta, self.train[:examples])
        del held  # until here, so that no storage is another's
        return sum(storages.values())

    def evaluated(self, theta: Tensor, examples: Examples) -> Tensor:
        """The loss of each example from such outputs: (n,)."""
        return self.output_losses(self.outputs(theta, examples), examples.labels)

    def measured_losses(self, theta: Tensor) -> Tensor:
        """The loss of each measured test example, from outputs: (measured,)."""
        return self.evaluated(theta, self.tested)


def _build(settings: dict, inputs: tuple[Tensor, ...], architecture: np.ndarray | None) -> nn.Module:
    model = settings["model"]
    described = {} if architecture is None else {"architecture": json.loads(architecture.tobytes())}
    return MODELS.load(model["kind"]).build(model | described, inputs, settings["classes"])


def open_case(settings: dict, arrays: dict[str, np.ndarray]) -> Case:
    """A case from its settings (model, classes, measured, weight_decay) and its drawn examples.

    Where errors are planted, the settings' `flipped` says which share of the training labels another class replaces,
    and by which seed: that of the run, so that runs differ in their errors as in all else that is drawn at random.
    With the examples comes what of the model does not train, where there is such (see the subpackage).
    """
    dtype, forward = PRECISIONS[settings["model"]["precision"]]
    if "flipped" in settings:
        errors = flipped(arrays["train_labels"], classes=settings["classes"], **settings["flipped"])
        arrays = {**arrays, "train_labels": errors}
    splits = {}
    for split in ("train", "test"):
        names = sorted(name for name in arrays if name.startswith(f"{split}_inputs."))
        inputs = (torch.as_tensor(arrays[name]) for name in names)
        cast = tuple(tensor.to(dtype) if tensor.is_floating_point() else tensor for tensor in inputs)
        splits[split] = Examples(cast, torch.as_tensor(arrays[f"{split}_labels"]))
    module = _build(settings, splits["train"].inputs, arrays.get("architecture"))
    buffers = dict(module.named_buffers())
    for name in (name for name in arrays if name.startswith("frozen.")):
        buffers[name.removeprefix("frozen.")].copy_(torch.as_tensor(arrays[name]))
    module = module.to(dtype)
    return Case(
        module.requires_grad_(False),
        **splits,
        measured=settings["measured"],
        weight_decay=settings["weight_decay"],
        dtype=dtype,
        forward=forward,
    )


def initial_parameters(settings: dict, case: Case, weights: dict | None) -> Tensor:
    """θ before training: random from the settings' seed where the model starts so, pre-trained where it has weights."""
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):  # so that it is the same on every device
        torch.manual_seed(settings["seed"])
        module = _build(settings, case.train.inputs, (weights or {}).get("config.json"))
    if weights is not None:
        tensors = {name: torch.as_tensor(array) for name, array in weights.items() if array.dtype == np.float32}
        MODELS.load(settings["model"]["kind"]).load_pretrained(module, tensors)
    theta = case.flatten({name: parameter.detach() for name, parameter in module.named_parameters()})
    return theta.to(case.train.labels.device)
