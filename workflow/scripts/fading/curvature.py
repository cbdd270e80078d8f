"""Products with the curvature of the training loss at a point, and its extreme eigenvalues."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from fading.cases import Case
from fading.errors import FadingError

CHUNK = 128
RETAINED = 1024


class Curvature:
    """A symmetric operator v ↦ C v: curvature of the mean weighted loss over training examples `index` at θ.

    C is the Hessian, or with kind="gauss-newton" its semi-definite part Σ_i w_i J_iᵀ (∂²ℓ_i/∂f²) J_i / |index|,
    J_i the Jacobian of the logits f; either way plus weight decay times the identity. Vectors are rows: (k, p) in and
    out. The examples go in chunks, which change the result by rounding only. Up to RETAINED examples their graphs are
    kept, so that a further product costs about two gradients instead of three and a half; beyond, a chunk bounds
    memory.
    """

    def __init__(self, case: Case, theta: Tensor, index: Tensor, weights: Tensor | None = None, kind: str = "hessian"):
        if kind not in GRAPHS:
            raise FadingError(f"There is no curvature {kind}; there are {', '.join(GRAPHS)}.")
        self.case, self.kind = case, kind
        self.theta = theta.detach().requires_grad_()
        weights = torch.ones(len(case.train), dtype=case.dtype) if weights is None else weights
        self.chunks = [(chunk, weights[chunk] / len(index)) for chunk in index.split(CHUNK)]
        self.retained = list(map(self._graph, self.chunks)) if len(index) <= RETAINED else None

    def __call__(self, vectors: Tensor) -> Tensor:
        total = self.case.weight_decay * vectors
        for graph in self.retained or map(self._graph, self.chunks):
            total += torch.stack([graph.product(self.theta, vector) for vector in vectors])
        return total

    def gradient(self) -> Tensor:
        """The gradient (p,) of the same loss."""
        gradients = [graph.gradient(self.theta) for graph in self.retained or map(self._graph, self.chunks)]
        return sum(gradients) + self.case.weight_decay * self.theta.detach()

    def matrix(self, progress=iter) -> Tensor:
        """C itself (p, p), symmetrised."""
        rows = progress(torch.eye(len(self.theta), dtype=self.theta.dtype).split(128))
        matrix = torch.cat([self(vectors) for vectors in rows])
        return (matrix + matrix.T) / 2

    def _graph(self, chunk):
        index, weights = chunk
        examples = self.case.train[index]
        return GRAPHS[self.kind](self.case, self.theta, examples, weights)


class _Hessian:
    def __init__(self, case, theta, examples, weights):
        loss = weights @ case.losses(theta, examples)
        (self.slope,) = torch.autograd.grad(loss, theta, create_graph=True)

    def gradient(self, theta):
        return self.slope.detach()

    def product(self, theta, vector):
        return torch.autograd.grad(self.slope, theta, vector, retain_graph=True)[0]


class _GaussNewton:
    def __init__(self, case, theta, examples, weights):
        self.logits = case.logits(theta, examples.inputs)
        self.cotangent = torch.zeros_like(self.logits, requires_grad=True)
        (self.pulled,) = torch.autograd.grad(self.logits, theta, self.cotangent, create_graph=True)
        self.outputs = self.logits.detach().requires_grad_()
        loss = weights @ case.output_losses(self.outputs, examples.labels)
        (self.slope,) = torch.autograd.grad(loss, self.outputs, create_graph=True)

    def gradient(self, theta):
        return torch.autograd.grad(self.logits, theta, self.slope.detach(), retain_graph=True)[0]

    def product(self, theta, vector):
        (pushed,) = torch.autograd.grad(self.pulled, self.cotangent, vector, retain_graph=True)
        (bent,) = torch.autograd.grad(self.slope, self.outputs, pushed, retain_graph=True)
        return torch.autograd.grad(self.logits, theta, bent, retain_graph=True)[0]


GRAPHS = {"hessian": _Hessian, "gauss-newton": _GaussNewton}


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
        kept = self.values.abs().argsort(descending=True, stable=True)[:count].sort().values
        dropped = self.dropped + len(self.values) - len(kept)
        one = (self.values[kept], self.vectors[kept], self.coupling[kept], self.beyond, self.weights[kept])
        return Ritz(*one, dropped)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As arrays, for an artefact."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Ritz":
        """The inverse of to_arrays; other arrays are ignored."""
        names = (field.name for field in fields(cls) if field.name != "dropped")
        return cls(**{name: torch.from_numpy(arrays[name]) for name in names}, dropped=arrays["dropped"].item())


def lanczos(product: Callable[[Tensor], Tensor], start: Tensor, steps: int, progress=iter) -> Ritz:
    """Ritz pairs of a symmetric operator on rows (k, p) from the Krylov space of `start` (p,).

    Fully reorthogonalised, twice, so that the pairs are those of Arnoldi's iteration; the coupling of a pair is β_m
    s_m, s_m the last component of its eigenvector in the Krylov basis (Parlett 1980, §13.2), and its weight the square
    of the first (Golub and Welsch 1969). Ends early when the space is exhausted, and then the pairs are exact.
    """
    basis, alphas, betas = [start / start.norm()], [], []
    for _ in progress(range(min(steps, len(start)))):
        vector = product(basis[-1][None])[0]
        alphas.append(vector @ basis[-1])
        stacked = torch.stack(basis)
        for _ in range(2):
            vector = vector - stacked.T @ (stacked @ vector)
        betas.append(vector.norm())
        scale = max(abs(alpha) for alpha in alphas) + max(betas)
        if betas[-1] <= 10 * torch.finfo(start.dtype).eps * scale:
            vector, betas[-1] = torch.zeros_like(start), torch.ones_like(betas[-1]) * 0
            break
        vector = vector / betas[-1]
        basis.append(vector)
    m = len(alphas)
    tridiagonal = torch.diag(torch.stack(alphas).double())
    if m > 1:
        off = torch.stack(betas[: m - 1]).double()
        tridiagonal += torch.diag(off, 1) + torch.diag(off, -1)
    values, components = torch.linalg.eigh(tridiagonal)
    coupling = betas[-1].double() * components[-1]
    vectors = components.T.to(start.dtype) @ torch.stack(basis[:m])
    return Ritz(values.to(start.dtype), vectors, coupling.to(start.dtype), vector, components[0].square())


def random_vector(theta: Tensor, seed: int) -> Tensor:
    """A normal random vector (p,) for Lanczos's iteration to start from."""
    return torch.randn(len(theta), generator=torch.Generator().manual_seed(seed), dtype=theta.dtype)


def sharpness(case: Case, theta: Tensor, batch: Tensor, products: int = 8) -> float:
    """‖H‖ of the batch loss at θ by so many steps of Lanczos's iteration: the largest |Ritz value| plus residual."""
    ritz = lanczos(Curvature(case, theta, batch), random_vector(theta, 0), products)
    return (ritz.values.abs() + ritz.coupling.abs()).max().item()
