"""Gradient dot product: TracIn (Pruthi et al. 2020) at a single checkpoint."""

import torch
from torch import Tensor

from fading.cases import Case
from fading.gradients import gradient_chunks


def scores(case: Case, theta: Tensor, settings: dict, spectrum=None, progress=iter) -> Tensor:
    """−(ηT/n) ⟨∇ℓ(θ; z), ∇ℓ(θ; x_k)⟩ for training examples k and measured test examples z: (n_train, n_test), nats.

    ηT/n is the learning rate that an average example receives in T steps of η/|B| per visit, so the scale is that of
    the influence function, with the inverse Hessian replaced by ηT times the identity.
    """
    test = torch.cat(list(gradient_chunks(case, theta, case.test[: case.measured])))
    train = gradient_chunks(case, theta, case.train, progress)
    dots = torch.cat([gradients @ test.T for gradients in train])
    return -settings["learning_rate"] * settings["steps"] / len(case.train) * dots
