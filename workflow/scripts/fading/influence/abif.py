"""Arnoldi-based influence functions (Schioppa et al. 2022): the inverse Hessian within its top Ritz vectors."""

import torch
from torch import Tensor

from fading.cases import Case
from fading.curvature import Ritz
from fading.gradients import gradient_chunks


def scores(case: Case, theta: Tensor, settings: dict, spectrum: Ritz, progress=iter) -> Tensor:
    """−(1/n) Σ_r ⟨∇ℓ(θ; z), v_r⟩ ⟨v_r, ∇ℓ(θ; x_k)⟩ / λ_r over the kept Ritz pairs (λ_r, v_r): (n_train, n_test), nats.

    Kept are the pairs of largest |λ|; negative values stay, with their sign.
    """
    vectors = spectrum.vectors
    test = torch.cat([chunk @ vectors.T for chunk in gradient_chunks(case, theta, case.test[: case.measured])])
    train = gradient_chunks(case, theta, case.train, progress)
    projected = torch.cat([gradients @ vectors.T for gradients in train])
    return -(projected / spectrum.values) @ test.T / len(case.train)
