"""Other libraries' influence and curvature, called so that they answer the same question as ours.

A file per library; each has comparisons(), by name. Scores are compared in our sign and scale. What had to be set, and
where the answers differ all the same, is in the comparison's remark.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from importlib import import_module

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from fading.cases import Case, Examples
from fading.curvature import Ritz
from fading.optimizers import SGD
from fading.problem import Problem


@dataclass(frozen=True)
class Setting:
    """The same model, checkpoint and data for both sides: the case's training and tested examples are those to score.

    `hessian` (m,) are the training examples that Hessians are the mean over.
    """

    case: Case
    theta: Tensor
    hessian: Tensor
    krylov: int
    keep: int
    damping: float


@dataclass(frozen=True)
class Comparison:
    """A library's function and ours, each from a Setting to rows (r, c), and what to know of the difference."""

    library: str
    estimator: str
    theirs: Callable[[Setting], Tensor]
    ours: Callable[[Setting], Tensor]
    remark: str


def comparison(name: str) -> Comparison:
    """The comparison named "<library>-<what>"."""
    library, what = name.split("-", 1)
    return import_module(f"fading.peers.{library}").comparisons()[what]


def module_at(case: Case, theta: Tensor) -> nn.Module:
    """A copy of the model that holds θ as its trainable parameters, as other libraries expect it."""
    module = deepcopy(case.module)
    module.load_state_dict(case.unflatten(theta))
    return module.eval().requires_grad_(True)


def loader(examples: Examples, batch_size: int) -> DataLoader:
    """The examples as batches (*inputs, labels)."""
    return DataLoader(dataset(examples), batch_size=batch_size)


def dataset(examples: Examples) -> TensorDataset:
    """The examples as tuples (*inputs, label)."""
    return TensorDataset(*examples.inputs, examples.labels)


def problem(setting: Setting, spectrum: Ritz | None = None, damping: float = 0.0) -> Problem:
    """What our estimators are asked; with ηT = n, so that a gradient dot product is just that, but for our sign."""
    n = len(setting.case.train)
    settings = {"damping": damping, "curvature": "hessian"}
    return Problem(setting.case, {n: setting.theta[None]}, n, SGD(1.0), settings, torch.arange(n), spectrum=spectrum)


def vectors(setting: Setting, count: int) -> Tensor:
    """Random directions (count, p), the same for both sides."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, len(setting.theta), generator=generator).to(setting.theta.dtype)
