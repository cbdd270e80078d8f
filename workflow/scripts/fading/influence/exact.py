"""The influence function itself (Koh and Liang 2017), with the explicit Hessian; for models of few parameters."""

import torch
from torch import Tensor

from fading.cases import Case
from fading.curvature import hessian
from fading.errors import FadingError
from fading.gradients import gradient_chunks

MOST_PARAMETERS = 5000


def scores(case: Case, theta: Tensor, settings: dict, spectrum=None, progress=iter) -> Tensor:
    """−(1/n) ⟨∇ℓ(θ; z), H⁻¹ ∇ℓ(θ; x_k)⟩, H of the mean training loss plus weight decay: (n_train, n_test), nats.

    Raises FadingError for more than MOST_PARAMETERS parameters, whose Hessian would not fit.
    """
    if len(theta) > MOST_PARAMETERS:
        raise FadingError(
            f"The estimator exact builds the whole Hessian and takes at most {MOST_PARAMETERS} parameters; "
            f"this model has {len(theta)}: use abif."
        )
    matrix = hessian(case, theta, torch.arange(len(case.train)), progress)
    test = torch.cat(list(gradient_chunks(case, theta, case.test[: case.measured])))
    preconditioned = torch.linalg.solve(matrix, test.T)
    train = gradient_chunks(case, theta, case.train)
    return -torch.cat([gradients @ preconditioned for gradients in train]) / len(case.train)
