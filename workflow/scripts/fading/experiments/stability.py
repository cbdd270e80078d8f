"""Second assumption: the inverse-Hessian-vector product can be computed, and by which solver does not matter."""

import numpy as np
import pandas as pd

from fading.evidence.correlations import spearman_by_example
from fading.evidence.intervals import CORRELATION, SHARE
from fading.evidence.tables import averaged, most_products
from fading.experiments import Experiment

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


SCALES = {"diverged": SHARE, "negative_curvature": SHARE, "agreement": CORRELATION}  # of statistics


def solver_statistics(frame: pd.DataFrame) -> pd.DataFrame:
    """By example, each solver's health and agreement with the most products: statistic, train_index, …, estimate."""
    keys = ["case", "seed", "curvature", "solver", "setting", "damping", "train_index"]
    return most_products(frame).melt(keys, list(SCALES), "statistic", "estimate").astype({"estimate": float})


def summary(statistics: pd.DataFrame) -> pd.DataFrame:
    """A row per case, curvature, solver, setting, damping and statistic: the mean over examples, and its interval."""
    keys = ["case", "curvature", "solver", "setting", "damping", "statistic"]
    of_each = statistics.groupby("statistic", sort=False)
    return pd.concat([averaged(rows, "estimate", keys, SCALES[name]) for name, rows in of_each], ignore_index=True)
