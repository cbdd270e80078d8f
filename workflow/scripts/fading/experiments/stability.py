"""Second assumption: the inverse-Hessian-vector product can be computed, and by which solver does not matter."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fading.derivatives import solvers
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import gradient_projections, per_example_gradients
from fading.derivatives.lanczos import Ritz, lanczos
from fading.derivatives.solvers import Solution, arnoldi_health
from fading.evidence.correlations import spearman_by_example
from fading.evidence.intervals import CORRELATION, LINEAR, SHARE
from fading.evidence.tables import averaged, most_products
from fading.experiments import Experiment
from fading.models.case import Case

EXPERIMENT = Experiment(
    stage="assumptions",
    of="run",
    reads={
        "examples": "examples",
        "order": "order",
        "checkpoints": "checkpoints",
        "spectrum": "spectrum_after_training",
    },
    settings=(
        "case",
        "left_out",
        "proximal",
        "assumptions.dampings",
        "assumptions.scales",
        "assumptions.dimension",
        "last_step",
        "spectrum.krylov",
        "spectrum.keep",
        "curvature_examples",
        "seed",
    ),
    cases="assumptions.cases",
    first_seed=True,
    tables={
        "stability": {"output": "solutions"},
        "stability-summary": {"output": "statistics", "function": "experiments.stability.summary"},
    },
    figures={"stability": ("stability",)},
)

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
        return rows, torch.linalg.eigvalsh(matrix).numpy()

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
        scores = (-inner / len(self.case.train)).numpy()
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


def compared(rows: list[dict]) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """The rows without scores, with each one's agreement; and the reference scores by "curvature/damping", (K, M).

    `agreement` is Spearman's correlation over test examples with the reference at the same example, curvature and
    damping: the explicit solution where there is one, else that of smallest residual, which `reference` marks and whose
    residual (K,) stands under "residual.curvature/damping". Scores that are not finite agree with nothing: 0.
    """
    frame = pd.DataFrame(rows).assign(agreement=0.0, reference=False)
    references = {}
    for (curvature, damping), problem in frame.groupby(["curvature", "damping"], sort=False):
        best = []
        for _, group in problem.groupby("train_index", sort=False):
            explicit = group.index[group.solver == "explicit"]
            best.append(explicit[0] if len(explicit) else group.residual.idxmin())
            finite = group.index[group.scores.map(lambda scores: np.isfinite(scores).all())]
            scores = np.stack(frame.scores[finite])
            frame.loc[finite, "agreement"] = spearman_by_example(
                scores, np.broadcast_to(group.scores[best[-1]], scores.shape)
            )
        frame.loc[best, "reference"] = True
        references[f"{curvature}/{damping:g}"] = np.stack(frame.scores[best])
        references[f"residual.{curvature}/{damping:g}"] = frame.residual[best].to_numpy()
    return frame.drop(columns="scores"), references


SCALES = {"residual": LINEAR, "diverged": SHARE, "negative_curvature": SHARE, "agreement": CORRELATION}  # of statistics


def solver_statistics(frame: pd.DataFrame) -> pd.DataFrame:
    """By example, each solver's health and agreement with the most products: statistic, train_index, …, estimate."""
    keys = ["case", "seed", "curvature", "solver", "setting", "damping", "train_index"]
    return most_products(frame).melt(keys, list(SCALES), "statistic", "estimate").astype({"estimate": float})


def summary(statistics: pd.DataFrame) -> pd.DataFrame:
    """A row per case, curvature, solver, setting, damping and statistic: the mean over examples, and its interval."""
    keys = ["case", "curvature", "solver", "setting", "damping", "statistic"]
    of_each = statistics.groupby("statistic", sort=False)
    return pd.concat([averaged(rows, "estimate", keys, SCALES[name]) for name, rows in of_each], ignore_index=True)
