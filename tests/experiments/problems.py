"""A quadratic loss, batches and whole spectra, which tests of several experiments share."""

import torch
from conftest import Tiny
from fading.derivatives.curvature import Curvature
from fading.derivatives.lanczos import Ritz
from fading.models.case import Case
from torch import Tensor

RATE = 0.05


class Squares(Case):
    """Half the squared distance of outputs from the labels' unit vectors: quadratic in θ where outputs are linear."""

    def output_losses(self, logits, labels):
        return (logits - torch.nn.functional.one_hot(labels, logits.shape[1])).square().sum(1) / 2


def quadratic() -> tuple[Case, Tensor]:
    """A quadratic case and a point of it."""
    case, theta = Tiny.make("logistic")
    return Squares(**{name: getattr(case, name) for name in case.__dataclass_fields__}), theta


def whole(steps: int) -> list[Tensor]:
    """Batches of all training examples."""
    return [torch.arange(Tiny.n)] * steps


def epochs(steps: int) -> list[Tensor]:
    """Batches of 8, the last of an epoch of 7."""
    return [torch.arange(Tiny.n)[8 * (t % 3) : 8 * (t % 3) + 8] for t in range(steps)]


def spectrum(case: Case, theta: Tensor) -> Ritz:
    """All eigenpairs of the training loss's Hessian."""
    values, vectors = torch.linalg.eigh(Curvature(case, theta, torch.arange(Tiny.n)).matrix())
    nothing = torch.zeros_like(theta)
    return Ritz(values, vectors.T.contiguous(), coupling=nothing, beyond=nothing, weights=nothing)
