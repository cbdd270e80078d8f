"""Linear systems in the damped curvature, solved by one method after the other at the cost of one Krylov space."""

import numpy as np
import torch
from torch import Tensor

from fading.derivatives import solvers
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import gradient_projections, per_example_gradients
from fading.derivatives.lanczos import Ritz, lanczos
from fading.derivatives.solvers import Solution, arnoldi_health
from fading.models.case import Case

STANDARD = "standard"  # the setting of a solver that has none


class System:
    """(C + λI) x = ∇ℓ(θ; x_k) for each of `examples` and `dampings`, solved by one method after the other.

    C is of `kind` "hessian" or "gauss-newton" over training examples `index`. Each method returns rows of train_index,
    curvature, solver, setting, damping, products, residual, diverged, negative_curvature, and scores (M,), which are
    −(1/n) ⟨∇ℓ(θ; z), x⟩.
    """

    def __init__(self, case: Case, theta: Tensor, index: Tensor, kind: str, examples: list[int], dampings: list[float]):
        self.case, self.theta, self.kind, self.examples, self.dampings = case, theta, kind, examples, dampings
        self.curvature = Curvature(case, theta, index, kind=kind)
        self.gradients = per_example_gradients(case, theta, case.train[torch.tensor(examples)])

    def iterative(self, dimension: int, scales: list[float], progress=iter) -> list[dict]:
        """Conjugate gradient, MINRES and LiSSA, each in a Krylov space of that dimension (see krylov_solutions)."""
        rows = []
        for example, b in zip(progress(self.examples), self.gradients, strict=True):
            ritz = lanczos(self.curvature, b, dimension)
            along, components = self._tested(ritz.vectors).double(), (ritz.vectors @ b).double()
            for key, solution in krylov_solutions(ritz.values.double(), components, self.dampings, scales).items():
                rows.append(self._row(example, *key, solution.health(), along @ solution.x[0]))
        return rows

    def arnoldi(self, ritz: Ritz, setting: str) -> list[dict]:
        """The inverse within the span of Ritz vectors of C."""
        along, components = self._tested(ritz.vectors), self.gradients @ ritz.vectors.T
        beyond, norms, products = (
            self.gradients @ ritz.beyond,
            self.gradients.norm(dim=1),
            len(ritz.values) + ritz.dropped,
        )
        rows = []
        for damping in self.dampings:
            health = arnoldi_health(ritz, components, beyond, norms, damping)
            rows += self._rows(
                "Arnoldi", setting, damping, products, health, ritz.inverse(components, damping) @ along.T
            )
        return rows

    def explicit(self, progress=iter) -> tuple[list[dict], np.ndarray]:
        """By C itself, where it is small enough to be had; and its eigenvalues, ascending."""
        matrix, rows = self.curvature.matrix(progress), []
        for damping in self.dampings:
            damped = matrix + damping * torch.eye(len(matrix), dtype=matrix.dtype)
            solution = solvers.exact(damped, self.gradients)
            rows += self._rows("explicit", STANDARD, damping, 0, solution.health(), self._tested(solution.x).T)
        return rows, torch.linalg.eigvalsh(matrix).numpy(force=True)

    def _tested(self, vectors):
        return gradient_projections(self.case, self.theta, self.case.tested, vectors)

    def _rows(self, solver, setting, damping, products, health, inner):
        return [
            self._row(
                example, solver, setting, damping, products, {name: all_[k] for name, all_ in health.items()}, inner[k]
            )
            for k, example in enumerate(self.examples)
        ]

    def _row(self, example, solver, setting, damping, products, health, inner):
        keys = {"train_index": example, "curvature": self.kind, "solver": solver, "setting": setting}
        health = {name: health[name].item() for name in ("residual", "diverged", "negative_curvature")}
        scores = (-inner / len(self.case.train)).numpy(force=True)
        return {**keys, "damping": damping, "products": products, **health, "scores": scores}


def krylov_solutions(
    values: Tensor, b: Tensor, dampings: list[float], scales: list[float]
) -> dict[tuple[str, str, float, int], Solution]:
    """(C + λI) x = b by each iterative solver in the Krylov space (C, b), given C's Ritz values and b's components.

    In the basis of the m Ritz vectors C is diagonal, and each solver does what it would do in the whole space, at no
    cost, for up to m − 1 products: in exact arithmetic, without the loss of orthogonality that many products in float32
    bring. LiSSA's scales are relative to the largest |Ritz value| of C + λI. Keys are solver, its setting, damping and
    products; x is in coordinates of the Ritz vectors, (1, m).
    """
    b = b[None]
    solutions = {}
    for damping in dampings:
        largest = (values + damping).abs().max().item()

        def operator(rows, damping=damping):
            return rows * (values + damping)

        for products in depths(len(values) - 1):
            solutions["CG", STANDARD, damping, products] = solvers.conjugate_gradient(operator, b, products, 0.0)
            solutions["MINRES", STANDARD, damping, products] = solvers.minres(operator, b, products, 0.0)
            for scale in scales:
                solution = solvers.lissa(operator, b, products, scale * largest)
                solutions["LiSSA", f"scale {scale:g} λmax", damping, products] = solution
    return solutions


def depths(most: int) -> list[int]:
    """1, 2, 5, 10, 20, 50 … as far as they go, and the most."""
    steps = [digit * 10**power for power in range(4) for digit in (1, 2, 5)]
    return [*(step for step in steps if step < most), most]
