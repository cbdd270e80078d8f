"""Second assumption: the inverse-Hessian-vector product can be computed, and by which solver does not matter."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fading import solvers
from fading.cases import Case
from fading.curvature import Curvature, Ritz, lanczos
from fading.gradients import gradient_projections, per_example_gradients
from fading.influence.exact import MOST_PARAMETERS
from fading.solvers import Solution, arnoldi_health
from fading.statistics import spearman_by_example

RANKS, STARTS = (5, 20), (0, 1)  # of Arnoldi: Ritz pairs kept, and seeds of the random vector it starts from


def solutions(
    case: Case,
    theta: Tensor,
    index: Tensor,
    kind: str,
    examples: list[int],
    depth: int,
    dampings: list[float],
    scales: list[float],
    progress=iter,
) -> tuple[list[dict], np.ndarray | None]:
    """(C + λI)⁻¹ ∇ℓ(θ; x_k) by every solver, for each example k and damping λ; C of that kind over examples `index`.

    A row has train_index, curvature, solver, setting, damping, products, residual, diverged, negative_curvature, and
    scores (M,): −(1/n) ⟨∇ℓ(θ; z), x⟩. Beside the rows, all eigenvalues of C where it is small enough to be explicit.
    """
    curvature, rows, explicit = Curvature(case, theta, index, kind=kind), [], len(theta) <= MOST_PARAMETERS
    gradients = per_example_gradients(case, theta, case.train[torch.tensor(examples)])

    def tested(vectors):
        return gradient_projections(case, theta, case.tested, vectors)

    def add(example, solver, setting, damping, products, health, products_with_tests):
        keys = {"train_index": example, "curvature": kind, "solver": solver, "setting": setting, "damping": damping}
        health = {name: health[name].item() for name in ("residual", "diverged", "negative_curvature")}
        rows.append(
            {**keys, "products": products, **health, "scores": (-products_with_tests / len(case.train)).numpy()}
        )

    for example, b in zip(progress(examples), gradients, strict=True):
        ritz = towards(lanczos(curvature, b, depth), b)
        along = tested(ritz.vectors).double()
        for key, solution in krylov_solutions(ritz, b.norm().item(), dampings, scales).items():
            add(example, *key, solution.health(), along @ solution.x[0])
    if kind == "hessian":
        for seed in progress(STARTS):
            start = torch.randn(len(theta), generator=torch.Generator().manual_seed(seed), dtype=case.dtype)
            whole = lanczos(curvature, start, depth)
            for rank in RANKS:
                ritz = whole.largest(rank)
                along, mine = tested(ritz.vectors), gradients @ ritz.vectors.T
                for damping in dampings:
                    health = arnoldi_health(ritz, mine, gradients @ ritz.beyond, gradients.norm(dim=1), damping)
                    inverse = mine / (ritz.values + damping) @ along.T
                    for k, example in enumerate(examples):
                        one = {name: values[k] for name, values in health.items()}
                        add(example, "Arnoldi", f"rank {rank}, start {seed}", damping, depth, one, inverse[k])
    if not explicit:
        return rows, None
    matrix = curvature.matrix(progress)
    for damping in dampings:
        solution = solvers.exact(matrix + damping * torch.eye(len(theta), dtype=case.dtype), gradients)
        scores = tested(solution.x).T
        for k, example in enumerate(examples):
            one = {name: values[k] for name, values in solution.health().items()}
            add(example, "explicit", "", damping, 0, one, scores[k])
    return rows, torch.linalg.eigvalsh(matrix).numpy()


def towards(ritz: Ritz, b: Tensor) -> Ritz:
    """The same pairs, each vector with the sign that makes ⟨v, b⟩ positive."""
    signs = torch.where(ritz.vectors @ b < 0, -1.0, 1.0).to(b.dtype)
    return Ritz(ritz.values, signs[:, None] * ritz.vectors, signs * ritz.coupling, ritz.beyond, ritz.weights)


def krylov_solutions(
    ritz: Ritz, norm: float, dampings: list[float], scales: list[float]
) -> dict[tuple[str, str, float, int], Solution]:
    """(C + λI) x = b by each iterative solver, in the Krylov space (C, b) whose Ritz pairs of C are given.

    There C is diagonal and each solver does what it does in the whole space, at no cost, for up to as many products as
    the space has dimensions, less one. `norm` is ‖b‖, of which the components are norm · √weights: Ritz vectors must have
    the sign that makes them positive. LiSSA's scales are relative to the largest |Ritz value| of C + λI. Keys are
    solver, its setting, damping and products; x is in coordinates of the Ritz vectors, (1, m).
    """
    values, b = ritz.values.double(), (norm * ritz.weights.double().sqrt())[None]
    found = {}
    for damping in dampings:
        largest = (values + damping).abs().max().item()

        def operator(rows, damping=damping):
            return rows * (values + damping)

        for products in depths(len(values) - 1):
            found["CG", "", damping, products] = solvers.conjugate_gradient(operator, b, products, 0.0)
            found["MINRES", "", damping, products] = solvers.minres(operator, b, products, 0.0)
            for scale in scales:
                solution = solvers.lissa(operator, b, products, scale * largest)
                found["LiSSA", f"scale {scale:g} λmax", damping, products] = solution
    return found


def depths(most: int) -> list[int]:
    """1, 2, 5, 10, 20, 50 … as far as they go, and the most."""
    steps = [digit * 10**power for power in range(4) for digit in (1, 2, 5)]
    return [*(step for step in steps if step < most), most]


def compared(rows: list[dict]) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """The rows without their scores, with each one's agreement; and the reference scores by "curvature/damping", (K, M).

    `agreement` is Spearman's correlation over test examples with the reference at the same example, curvature and
    damping: the explicit solution where there is one, else that of smallest residual, which `reference` marks. It is NaN
    for scores that are not finite.
    """
    frame = pd.DataFrame(rows).assign(agreement=np.nan, reference=False)
    references = {}
    for (curvature, damping), problem in frame.groupby(["curvature", "damping"], sort=False):
        best = []
        for _, group in problem.groupby("train_index", sort=False):
            explicit = group.index[group.solver == "explicit"]
            best.append(explicit[0] if len(explicit) else group.residual.idxmin())
            finite = group.index[group.scores.map(lambda scores: np.isfinite(scores).all())]
            found = np.stack(frame.scores[finite])
            frame.loc[finite, "agreement"] = spearman_by_example(
                found, np.broadcast_to(group.scores[best[-1]], found.shape)
            )
        frame.loc[best, "reference"] = True
        references[f"{curvature}/{damping:g}"] = np.stack(frame.scores[best])
    return frame.drop(columns="scores"), references


def statistics(frame: pd.DataFrame) -> pd.DataFrame:
    """By example, each solver's health and agreement with the most products: statistic, train_index, …, estimate."""
    most = frame.groupby("solver").products.transform("max")
    last = frame[frame.products == most]
    keys = ["curvature", "solver", "setting", "damping", "train_index"]
    values = ["residual", "diverged", "negative_curvature", "agreement"]
    long = last.melt(keys, values, "statistic", "estimate").astype({"estimate": float})
    return long.dropna(subset="estimate").reset_index(drop=True)
