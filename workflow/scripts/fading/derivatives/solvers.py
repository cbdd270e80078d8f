"""Solvers of (C + λI) x = b for several right-hand sides at once, each with the health of what it returns.

The operator maps rows to rows, (k, p) to (k, p), and is symmetric: it includes the damping λ. Right-hand sides that are
done, or that stopped being finite, keep their last finite iterate; nothing is replaced in silence.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from fading.derivatives.lanczos import Ritz
from fading.errors import FadingError

Operator = Callable[[Tensor], Tensor]
TOLERATED = 1e-5  # by rounding, the residual of x = 0 may exceed 1


@dataclass(frozen=True)
class Solution:
    """Solutions x (k, p) and, for each of the k right-hand sides (k,), the solver's health.

    residual: ‖b − Ax‖ / ‖b‖, recomputed from x where the solver has the operator. iterations: products with A spent.
    negative_curvature: whether some d with dᵀAd ≤ 0 was met, so that A is not positive definite. diverged: whether the
    residual is not finite or larger than that of x = 0. dropped: Ritz values left out.
    """

    x: Tensor
    residual: Tensor
    iterations: Tensor
    negative_curvature: Tensor
    diverged: Tensor
    dropped: Tensor

    def health(self) -> dict[str, Tensor]:
        """Everything but x, by name."""
        names = ("residual", "iterations", "negative_curvature", "diverged", "dropped")
        return {name: getattr(self, name) for name in names}


def exact(matrix: Tensor, b: Tensor) -> Solution:
    """By factorising the explicit A (p, p). Raises FadingError if it is singular."""
    try:
        x = torch.linalg.solve(matrix, b.T).T
    except torch.linalg.LinAlgError as error:
        raise FadingError("The curvature is singular: damping or weight decay above 0 makes it invertible.") from error
    negative = torch.linalg.cholesky_ex(matrix).info > 0  # it has a factor only if it is positive definite
    return _solution(lambda rows: rows @ matrix, b, x, torch.zeros(len(b)), negative.expand(len(b)))


def conjugate_gradient(operator: Operator, b: Tensor, iterations: int, tolerance: float, progress=iter) -> Solution:
    """Conjugate gradient (Hestenes and Stiefel 1952). Goes on past negative curvature, and says that it was met."""
    x, residual, direction = torch.zeros_like(b), b, b
    squared, bound = _dot(b, b), tolerance**2 * _dot(b, b)
    spent, negative = torch.zeros(len(b)), torch.zeros(len(b), dtype=torch.bool)
    active = squared > bound
    for _ in progress(range(iterations)):
        if not active.any():
            break
        product = torch.zeros_like(b)
        product[active] = operator(direction[active])
        curvature = _dot(direction, product)
        negative |= active & (curvature <= 0)
        length = squared / curvature
        following = residual - length[:, None] * product
        new = _dot(following, following)
        spent += active
        active &= new.isfinite() & (curvature != 0)
        keep = active[:, None]
        x = torch.where(keep, x + length[:, None] * direction, x)
        residual = torch.where(keep, following, residual)
        direction = torch.where(keep, following + (new / squared)[:, None] * direction, direction)
        squared = torch.where(active, new, squared)
        active &= squared > bound
    return _solution(operator, b, x, spent, negative)


def minres(operator: Operator, b: Tensor, iterations: int, tolerance: float, progress=iter) -> Solution:
    """MINRES (Paige and Saunders 1975): minimises the residual over the Krylov space, also where A is indefinite."""
    norm = _norm(b)
    x, previous, current = torch.zeros_like(b), torch.zeros_like(b), b / norm[:, None]
    beta, residual = torch.zeros_like(norm), norm.clone()
    cosine, sine = (-torch.ones_like(norm), torch.zeros_like(norm))
    delta_bar, epsilon = torch.zeros_like(norm), torch.zeros_like(norm)
    w, w_before = torch.zeros_like(b), torch.zeros_like(b)
    spent, negative = torch.zeros(len(b)), torch.zeros(len(b), dtype=torch.bool)
    active = norm > 0
    for _ in progress(range(iterations)):
        if not active.any():
            break
        product = torch.zeros_like(b)
        product[active] = operator(current[active])
        alpha = _dot(current, product)
        following = product - alpha[:, None] * current - beta[:, None] * previous
        new_beta = _norm(following)
        delta = cosine * delta_bar + sine * alpha
        gamma_bar = sine * delta_bar - cosine * alpha
        negative |= active & (cosine * gamma_bar >= 0)  # rᵀAr ≤ 0 for the residual r so far
        gamma = (gamma_bar**2 + new_beta**2).sqrt()
        step = (current - delta[:, None] * w - epsilon[:, None] * w_before) / gamma[:, None]
        delta_bar, epsilon = -cosine * new_beta, sine * new_beta
        cosine, sine = gamma_bar / gamma, new_beta / gamma
        change = (cosine * residual)[:, None] * step
        spent += active
        active &= change.isfinite().all(1)
        x = torch.where(active[:, None], x + change, x)
        residual = sine * residual
        w, w_before = step, w
        previous, current, beta = current, following / new_beta[:, None], new_beta
        active &= (residual > tolerance * norm) & (new_beta > 0)
    return _solution(operator, b, x, spent, negative)


def lissa(operator: Operator, b: Tensor, depth: int, scale: float, progress=iter) -> Solution:
    """LiSSA (Agarwal et al. 2017) without sampling: the Neumann series x ← x + (b − Ax)/scale, `depth` times.

    Converges where every eigenvalue of A lies within (0, 2 scale), and diverges otherwise.
    """
    x, spent = torch.zeros_like(b), torch.zeros(len(b))
    negative = torch.zeros(len(b), dtype=torch.bool)
    active = torch.ones(len(b), dtype=torch.bool)
    for _ in progress(range(depth)):
        product = operator(x)
        negative |= _dot(x, product) < 0
        following = x + (b - product) / scale
        spent += active
        active &= following.isfinite().all(1)
        if not active.any():
            break
        x = torch.where(active[:, None], following, x)
    return _solution(operator, b, x, spent, negative)


def arnoldi_health(ritz: Ritz, along: Tensor, beyond: Tensor, norm: Tensor, damping: float) -> dict[str, Tensor]:
    """The health of Ritz.inverse() for right-hand sides b of that norm (k,), by their components alone.

    `along` (k, m) are those along the Ritz vectors, `beyond` (k,) that along the vector that couples to them. The
    residual is what lies outside the span and what A maps out of it: a small difference of squares, good to the square
    root of the rounding.
    """
    leak = ritz.inverse(along, damping) @ ritz.coupling
    squared = norm**2 - along.square().sum(1) - 2 * leak * beyond + leak**2
    residual = torch.where(norm > 0, squared.clamp(min=0).sqrt() / norm, 0.0)
    ones = torch.ones(len(norm), dtype=torch.long)
    return {
        "residual": residual,
        "iterations": (len(ritz.values) + ritz.dropped) * ones,
        "negative_curvature": (ritz.values + damping <= 0).any() & ones.bool(),
        "diverged": ~(residual <= 1 + TOLERATED),
        "dropped": ritz.dropped * ones,
    }


def _solution(operator, b, x, spent, negative):
    norm = _norm(b)
    residual = torch.where(norm > 0, _norm(b - operator(x)) / norm, 0.0)
    diverged = ~(residual <= 1 + TOLERATED)
    return Solution(x, residual, spent.long(), negative, diverged, torch.zeros(len(b), dtype=torch.long))


def _dot(a, b):
    return (a * b).sum(1)


def _norm(a):
    return a.norm(dim=1)
