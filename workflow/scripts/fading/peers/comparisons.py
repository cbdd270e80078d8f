"""Other libraries called so that they answer the same question as ours, in our sign and scale."""

import contextlib
import os
import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from fading.derivatives.lanczos import Ritz
from fading.influence.problem import Problem
from fading.models.case import Case, Examples
from fading.peers import PEERS
from fading.training.optimizers import SGD


@dataclass(frozen=True)
class Task:
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
    """A library's function and ours, each from a Task to rows (r, c), and what to know of the difference."""

    library: str
    estimator: str
    theirs: Callable[[Task], Tensor]
    ours: Callable[[Task], Tensor]
    remark: str


def comparison(library: str, what: str) -> Comparison:
    """A library's comparison of that name."""
    return PEERS.load(library).comparisons()[what]


def missing(library: str) -> str | None:
    """Why there is nothing to compare with, for a library that the environment may lack; None where it is there."""
    try:
        PEERS.load(library)
    except ImportError as error:
        if PEERS[library].absent is None:
            raise
        return f"Not compared ({error}). {PEERS[library].absent}"
    return None


@contextlib.contextmanager
def quiet():
    """Without warnings, and without what libraries print to show their progress."""
    with (
        warnings.catch_warnings(action="ignore"),
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stderr(nowhere),
    ):
        yield


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


def problem(task: Task, spectrum: Ritz | None = None) -> Problem:
    """What our estimators are asked; with ηT = n, so that a gradient dot product is just that, but for our sign."""
    n = len(task.case.train)
    return Problem(task.case, {n: task.theta[None]}, n, SGD(1.0), torch.arange(n), spectrum=spectrum)


def vectors(task: Task, count: int) -> Tensor:
    """Random directions (count, p), the same for both sides."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, len(task.theta), generator=generator).to(task.theta.dtype)
