"""Extreme eigenpairs of a symmetric operator by Lanczos's iteration."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from fading.artefacts import budget

BESIDE = 6  # vectors beside the basis: start, product, and what it takes to orthogonalise
COLUMNS = 2**22  # of the basis that are rotated at a time


@dataclass(frozen=True)
class Ritz:
    """Approximate eigenpairs of a symmetric C: values (m,) ascending and orthonormal vectors (m, p).

    C v_r = λ_r v_r + coupling_r · beyond, with the unit vector `beyond` (p,) orthogonal to all of them: |coupling_r| is
    the residual of pair r, small where it has converged. `weights` (m,) are ⟨v_r, start⟩² of the unit vector that the
    Krylov space began with: of a random one they estimate which share of all eigenvalues lies near each value.
    `dropped` counts the pairs that were left out.
    """

    values: Tensor
    vectors: Tensor
    coupling: Tensor
    beyond: Tensor
    weights: Tensor
    dropped: int = 0

    def largest(self, count: int) -> "Ritz":
        """The `count` pairs with the largest |value|, in ascending order of value."""
        return self._of(self.values.abs().argsort(descending=True, stable=True)[:count].sort().values)

    def extremes(self) -> "Ritz":
        """The pairs with the smallest and with the largest value: two, the same twice where there is but one."""
        return self._of(torch.tensor([0, len(self.values) - 1]))

    def _of(self, kept):
        dropped = self.dropped + len(self.values) - len(kept.unique())
        values, vectors, coupling = self.values[kept], self.vectors[kept], self.coupling[kept]
        return Ritz(values, vectors, coupling, self.beyond, self.weights[kept], dropped)

    def inverse(self, along: Tensor, damping: float) -> Tensor:
        """(C + λI)⁻¹ b within the span, for vectors b with components `along` (k, m): its components, (k, m).

        Arnoldi-based influence (Schioppa et al. 2022). Negative values stay, with their sign.
        """
        return along / (self.values + damping)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As arrays, for an artefact."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: torch.as_tensor(value).numpy(force=True) for name, value in values.items()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Ritz":
        """The inverse of to_arrays; other arrays are ignored."""
        names = (field.name for field in fields(cls) if field.name != "dropped")
        return cls(**{name: torch.as_tensor(arrays[name]) for name in names}, dropped=arrays["dropped"].item())


def lanczos(product: Callable[[Tensor], Tensor], start: Tensor, steps: int, progress=iter) -> Ritz:
    """Ritz pairs of a symmetric operator on rows (k, p) from the Krylov space of `start` (p,).

    Fully reorthogonalised, twice, so that the pairs are those of Arnoldi's iteration; the coupling of a pair is β_m
    s_m, s_m the last component of its eigenvector in the Krylov basis (Parlett 1980, §13.2), and its weight the square
    of the first (Golub and Welsch 1969). Ends early when the space is exhausted, and then the pairs are exact.
    Norms and products are by sum(), which adds pairwise: torch's own, of millions of float32, are off by a ten-
    thousandth, and so would the values be.
    """
    steps = min(steps, len(start))
    held = (steps + BESIDE) * start.nbytes
    budget.require(held, f"A Krylov space of {steps} vectors of {len(start):,} parameters", share=0.6)
    basis, alphas, betas = start.new_empty(steps, len(start)), [], []
    vector = start / _norm(start)
    for step in progress(range(steps)):
        basis[step] = vector
        vector = product(basis[step : step + 1])[0]
        alphas.append((vector * basis[step]).sum().double())
        earlier = basis[: step + 1]
        for _ in range(2):
            vector = vector - earlier.T @ (earlier @ vector)
        betas.append(_norm(vector))
        scale = max(abs(alpha) for alpha in alphas) + max(betas)
        if betas[-1] <= 10 * torch.finfo(start.dtype).eps * scale:
            vector, betas[-1] = torch.zeros_like(start), torch.ones_like(betas[-1]) * 0
            break
        vector = vector / betas[-1]
    m = len(alphas)
    tridiagonal = torch.diag(torch.stack(alphas))
    if m > 1:
        off = torch.stack(betas[: m - 1])
        tridiagonal += torch.diag(off, 1) + torch.diag(off, -1)
    values, components = torch.linalg.eigh(tridiagonal)
    coupling = betas[-1] * components[-1]
    vectors = basis[:m]
    for columns in vectors.split(COLUMNS, dim=1):  # in place: a second basis would not fit where this one just does
        columns.copy_(components.T.to(start.dtype) @ columns)
    return Ritz(values.to(start.dtype), vectors, coupling.to(start.dtype), vector, components[0].square())


def _norm(vector):
    return vector.square().sum().double().sqrt()


def random_vector(theta: Tensor, seed: int) -> Tensor:
    """A normal random vector (p,) for Lanczos's iteration to start from, the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(theta), generator=generator, dtype=theta.dtype, device="cpu").to(theta.device)
