"""Products with the Hessian of the training loss, and its extreme eigenvalues."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad, jvp, vmap

from fading.cases import Case
from fading.training import batch_loss, unit_weights

CHUNK = 64


def hessian_vector_products(case: Case, theta: Tensor, batch: Tensor, weights: Tensor, vectors: Tensor) -> Tensor:
    """H v for each v of vectors (k, p), H the Hessian of batch_loss: weights, divisor |B| and weight decay included."""

    def loss(theta):
        return batch_loss(case, theta, batch, weights)

    if case.vectorized and len(vectors) > 1:
        return vmap(lambda vector: jvp(grad(loss), (theta,), (vector,))[1])(vectors)
    theta = theta.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(theta), theta, create_graph=True)
    products = [torch.autograd.grad(gradient, theta, vector, retain_graph=True)[0] for vector in vectors]
    return torch.stack(products)


def mean_hessian_products(case: Case, theta: Tensor, index: Tensor, vectors: Tensor) -> Tensor:
    """H v for each v of vectors (k, p), H of the mean loss over training examples `index` plus weight decay.

    Works through the examples in chunks: memory is bounded, the result that of one pass but for rounding.
    """
    weights = unit_weights(case)
    total = torch.zeros_like(vectors)
    for chunk in index.split(CHUNK):
        share = len(chunk) / len(index)
        total += share * hessian_vector_products(case, theta, chunk, weights, vectors)
    return total


def hessian(case: Case, theta: Tensor, index: Tensor, progress=iter) -> Tensor:
    """The explicit Hessian (p, p) of the mean loss over training examples `index` plus weight decay, symmetrised."""
    rows = progress(torch.eye(len(theta), dtype=theta.dtype).split(128))
    matrix = torch.cat([mean_hessian_products(case, theta, index, vectors) for vectors in rows])
    return (matrix + matrix.T) / 2


@dataclass(frozen=True)
class Ritz:
    """Approximate eigenpairs: values (m,) ascending, vectors (m, p) orthonormal rows, residuals ‖H v − λ v‖ (m,)."""

    values: Tensor
    vectors: Tensor
    residuals: Tensor

    def largest(self, count: int) -> "Ritz":
        """The `count` pairs with the largest |value|, in ascending order of value."""
        kept = self.values.abs().argsort(descending=True, stable=True)[:count].sort().values
        return Ritz(self.values[kept], self.vectors[kept], self.residuals[kept])


def lanczos(product: Callable[[Tensor], Tensor], start: Tensor, steps: int, progress=iter) -> Ritz:
    """Ritz pairs of a symmetric operator from the Krylov space of `start` (p,), fully reorthogonalised (twice).

    Ends early when the space is exhausted, and then the pairs are exact. The residual of a pair is |β_m s_m|, with s_m
    the last component of its eigenvector in the Krylov basis (Parlett 1980, §13.2).
    """
    basis, alphas, betas = [start / start.norm()], [], []
    for _ in progress(range(min(steps, len(start)))):
        vector = product(basis[-1])
        alphas.append(vector @ basis[-1])
        stacked = torch.stack(basis)
        for _ in range(2):
            vector = vector - stacked.T @ (stacked @ vector)
        betas.append(vector.norm())
        scale = max(abs(alpha) for alpha in alphas) + max(betas)
        if betas[-1] <= 10 * torch.finfo(start.dtype).eps * scale:
            break
        basis.append(vector / betas[-1])
    m = len(alphas)
    tridiagonal = torch.diag(torch.stack(alphas).double())
    if m > 1:
        off = torch.stack(betas[: m - 1]).double()
        tridiagonal += torch.diag(off, 1) + torch.diag(off, -1)
    values, components = torch.linalg.eigh(tridiagonal)
    residuals = (betas[-1].double() * components[-1]).abs()
    vectors = components.T.to(start.dtype) @ torch.stack(basis[:m])
    return Ritz(values.to(start.dtype), vectors, residuals.to(start.dtype))
