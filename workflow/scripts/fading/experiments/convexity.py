"""First assumption: the loss is convex, or at least at a minimum. Spectra of its Hessian, and what remedies buy."""

import numpy as np
import pandas as pd

from fading.evidence.intervals import spearman_by_example
from fading.evidence.tables import located
from fading.experiments import Experiment
from fading.training.counterfactuals import NO_EXAMPLE

EXPERIMENT = Experiment(
    stage="assumptions",
    of="run",
    reads={
        "spectra": "spectra_along_training",
        "scores": "solutions",
        "changes": "changes_left_out",
        "proximal": "changes_proximal",
    },
    settings=("checkpoints_along_training", "seed"),
    cases="assumptions.cases",
    first_seed=True,
    tables={
        "convexity": {"output": "spectra"},
        "convexity-summary": {"output": "statistics"},
        "remedies": {"output": "remedies", "mean": "spearman"},
    },
    figures={"convexity": ("convexity", "convexity-summary", "remedies")},
)


def density(spectrum: dict[str, np.ndarray]) -> pd.DataFrame:
    """The spectral density as a sum of point masses: columns value and weight, which sum to 1.

    Of Lanczos's iteration from a random vector (all_values, all_weights): stochastic Lanczos quadrature (Golub and
    Welsch 1969; Ubaru, Chen and Saad 2017) with a single vector, which is enough where parameters are many.
    """
    return pd.DataFrame({"value": spectrum["all_values"], "weight": spectrum["all_weights"]})


RATIO, MASS = "smallest to largest eigenvalue", "negative mass"


def spectrum_statistics(spectrum: dict[str, np.ndarray]) -> pd.DataFrame:
    """λ_min/λ_max and the negative mass: method, statistic, estimate, ci_low, ci_high.

    A Ritz value's residual is a distance within which an eigenvalue lies, and the interval is what the residuals of the
    smallest and largest allow. The negative mass Σ |λ_r| w_r over λ_r < 0, relative to the sum over all, has none.
    """
    values, weights, residuals = (spectrum[f"all_{name}"].astype(float) for name in ("values", "weights", "residuals"))
    smallest, largest = values.argmin(), values.argmax()
    ends = [
        (values[smallest] + sign * residuals[smallest]) / (values[largest] + other * residuals[largest])
        for sign in (-1, 0)
        for other in (-1, 0, 1)
    ]
    mass = weights * np.abs(values)
    negative = mass[values < 0].sum() / mass.sum()
    return _two("Lanczos", values[smallest] / values[largest], (min(ends), max(ends)), negative)


def explicit_statistics(eigenvalues: np.ndarray) -> pd.DataFrame:
    """The same from all eigenvalues, exactly."""
    ratio = eigenvalues.min() / eigenvalues.max()
    negative = np.abs(eigenvalues[eigenvalues < 0]).sum() / np.abs(eigenvalues).sum()
    return _two("explicit", ratio, (ratio, ratio), negative)


def _two(method, ratio, ends, negative):
    rows = [(method, RATIO, ratio, *ends), (method, MASS, negative, negative, negative)]
    return pd.DataFrame(rows, columns=["method", "statistic", "estimate", "ci_low", "ci_high"])


def remedies(solutions: dict[str, np.ndarray], truths: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """How each matrix and damping fares against each truth: curvature, damping, truth, residual, train_index, spearman.

    `solutions` holds, per "curvature/damping", scores (K, M) of the training examples (K,) named `examples`, and may
    hold more; `truths`, per ground truth, loss_change, members and epsilon.
    """
    frames = []
    for truth, changes in truths.items():
        members = changes["members"]
        single = (changes["epsilon"] == -1) & (members[:, 1:] == NO_EXAMPLE).all(1)
        actual = dict(zip(members[single, 0].tolist(), changes["loss_change"][single], strict=True))
        examples = solutions["examples"].tolist()
        for name, scores in solutions.items():
            curvature, _, damping = name.partition("/")
            if not damping or curvature.startswith("residual."):
                continue
            correlations = spearman_by_example(-scores, np.stack([actual[example] for example in examples]))
            frame = pd.DataFrame({"train_index": examples, "spearman": correlations})
            residual = float(np.median(solutions[f"residual.{name}"]))
            frames.append(located(frame, curvature=curvature, damping=float(damping), truth=truth, residual=residual))
    return pd.concat(frames, ignore_index=True)
