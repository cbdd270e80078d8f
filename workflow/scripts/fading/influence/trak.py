"""TRAK (Park et al. 2023): influence in a linear model on random projections of the gradients of the model's output."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from fading.derivatives.gradients import chunks
from fading.derivatives.layer_gradients import layer_gradients
from fading.derivatives.layers import split
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores
from fading.models.case import Case, Examples

ESTIMATOR = Estimator(
    label="TRAK (random projections, one model)",
    short="TRAK",
    own={
        "projection": {
            "description": "Of trak and trak-ensemble: how many random directions gradients are projected on.",
            "type": "integer",
            "minimum": 1,
            "default": 512,
        }
    },
    cost="a gradient per example, and a product with the random matrix",
)

RIDGE = 1e-6  # of the mean of ΦᵀΦ's eigenvalues: with more directions than examples, or flat ones, it has no inverse
ENTRIES = 2**23  # of the random matrix that exist at a time
Projection = Callable[[str, int], Iterator[Tensor]]


class Outputs(Case):
    """The case with f = log(p/(1 − p)) in place of the loss, p the probability of the label: TRAK's model output."""

    def output_losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """f = h_y − log Σ_{c≠y} exp h_c of logits h (n, classes), which loses nothing where p is near 1: (n,)."""
        others = logits.scatter(1, labels[:, None], -torch.inf)
        return logits.gather(1, labels[:, None])[:, 0] - others.logsumexp(1)


def scores(problem: Problem, projection: int) -> Scores:
    """−(1 − p_z) φ(z)ᵀ (ΦᵀΦ + ρI)⁻¹ φ(x_k) (1 − p_k), nats, with φ = Pᵀ∇f and Φ (n, k) of all training examples.

    φ(z)ᵀ (ΦᵀΦ)⁻¹ φ(x_k) (1 − p_k) is TRAK's τ: what x_k adds to the output f(z). The first factor is ours, dℓ/df =
    −(1 − p_z) for ℓ = −log p, which makes it the loss of z. ρ is RIDGE times the mean eigenvalue; TRAK has none. P is
    random from the problem's seed, ±1/√k. As in the paper neither the curvature p(1 − p) nor leverage enters: it is
    made to rank, and its scale means little.
    """
    return combined(problem, [rademacher(problem.seed, 0, projection, problem.case.dtype)], [problem.theta])


def combined(problem: Problem, projections: list[Projection], thetas: list[Tensor]) -> Scores:
    """The same from several models θ, each with its projection: the mean of their φ(z)ᵀ (ΦᵀΦ + ρI)⁻¹ φ(x_k), (r, m),
    times the mean of their 1 − p_k, as in the paper; 1 − p_z is the problem's own model's, whose loss is asked for.
    """
    case, kernels, shortfalls = outputs_of(problem.case), [], []
    for projection, theta in zip(projections, thetas, strict=True):
        train = projected(case, theta, case.train, projection, problem.progress).double()
        test = projected(case, theta, case.tested, projection).double()
        left, values, right = torch.linalg.svd(train, full_matrices=False)  # of Φ: ΦᵀΦ would square its condition
        filtered = left * (values / (values.square() + RIDGE * values.square().sum() / train.shape[1]))
        kernels.append(filtered[problem.examples] @ (right @ test.T))
        shortfalls.append(_shortfall(case, theta, problem.train))
    influence = torch.stack(kernels).mean(0) * torch.stack(shortfalls).mean(0)[:, None]
    return Scores(-(influence * _shortfall(case, problem.theta, case.tested)).to(case.dtype))


def outputs_of(case: Case) -> Outputs:
    """The case with TRAK's output function for its loss."""
    return Outputs(**{field.name: getattr(case, field.name) for field in fields(case)})


def projected(case: Outputs, theta: Tensor, examples: Examples, projection: Projection, progress=iter) -> Tensor:
    """φ(x) = Pᵀ∇f(θ; x) for each example x: (n, k).

    `projection(layer, q)` gives the k rows of Pᵀ for a layer of q parameters, in the layer's own order, a block (r, q)
    after another. It is asked anew for each chunk of examples, so that P never exists as a whole.
    """
    sizes = {name: part.shape[1] for name, part in split(case, theta[None]).items()}
    rows = []
    for chunk in progress(chunks(case, examples)):
        features = 0
        for name, gradients in layer_gradients(case, theta, chunk).items():
            blocks = projection(name, sizes[name])
            features = features + torch.cat([gradients.project(block) for block in blocks], 1)
        rows.append(features)
    return torch.cat(rows)


def rademacher(seed: int, model: int, count: int, dtype: torch.dtype) -> Projection:
    """`count` random directions of independent entries ±1/√count, the same whenever a layer's are asked for."""

    def blocks(layer, size):
        generator = np.random.default_rng([seed, model, crc32(layer.encode())])
        most = max(1, ENTRIES // size)
        for start in range(0, count, most):
            rows = min(most, count - start)
            drawn = np.frombuffer(generator.bytes(-(-rows * size // 8)), np.uint8)
            signs = torch.as_tensor(np.unpackbits(drawn, count=rows * size)).to(dtype)
            yield signs.mul_(2).sub_(1).div_(count**0.5).view(rows, size)

    return blocks


def _shortfall(case, theta, examples):
    """1 − p of each example: (n,)."""
    return torch.sigmoid(-case.evaluated(theta, examples).double())
