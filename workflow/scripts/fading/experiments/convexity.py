"""First assumption: the loss is convex, or at least at a minimum. Spectra of its Hessian along training."""

import numpy as np
import pandas as pd

from fading.evidence.intervals import Mean
from fading.evidence.tables import averaged, uncertainty
from fading.experiments import Experiment

EXPERIMENT = Experiment(
    stage="assumptions",
    of="run",
    reads={"spectra": "spectra_along_training", "solutions": "solutions"},
    settings=("checkpoints_along_training", "seed"),
    cases="assumptions.cases",
    tables={
        "convexity": {"output": "spectra"},
        "convexity-summary": {"output": "statistics", "function": "experiments.convexity.summary"},
    },
    figures={"convexity": ("convexity", "convexity-summary", "remedies")},
)

RATIO = "smallest to largest eigenvalue"
LANCZOS, EXPLICIT = "Lanczos", "explicit"  # methods
EXACT = "exact: all eigenvalues of one run"


def density(spectrum: dict[str, np.ndarray]) -> pd.DataFrame:
    """The spectral density as a sum of point masses, one draw of an estimate: columns value and weight, of sum 1.

    Of Lanczos's iteration from a single random vector (all_values, all_weights): stochastic Lanczos quadrature (Golub
    and Welsch 1969; Ubaru, Chen and Saad 2017), without an error.
    """
    return pd.DataFrame({"value": spectrum["all_values"], "weight": spectrum["all_weights"]})


def spectrum_statistics(spectrum: dict[str, np.ndarray]) -> pd.DataFrame:
    """λ_min/λ_max of one run at one step: method, statistic, estimate, residual_low, residual_high.

    A Ritz value's residual is a distance within which an eigenvalue lies; the last two are how low and how high the
    ratio can be as far as the residuals of the smallest and largest allow.
    """
    values, residuals = (spectrum[f"all_{name}"].astype(float) for name in ("values", "residuals"))
    smallest, largest = values.argmin(), values.argmax()
    ends = [
        (values[smallest] + sign * residuals[smallest]) / (values[largest] + other * residuals[largest])
        for sign in (-1, 0)
        for other in (-1, 0, 1)
    ]
    return _ratio(LANCZOS, values[smallest] / values[largest], min(ends), max(ends))


def explicit_statistics(eigenvalues: np.ndarray) -> pd.DataFrame:
    """The same from all eigenvalues, exactly."""
    ratio = eigenvalues.min() / eigenvalues.max()
    return _ratio(EXPLICIT, ratio, ratio, ratio)


def _ratio(method, estimate, low, high):
    columns = ["method", "statistic", "estimate", "residual_low", "residual_high"]
    return pd.DataFrame([(method, RATIO, estimate, low, high)], columns=columns)


def summary(statistics: pd.DataFrame) -> pd.DataFrame:
    """A row per case, statistic and step: the mean over runs with its interval, or what is known exactly, where it is.

    residual_low and residual_high are means over runs too: what Lanczos's residuals allow the mean to be.
    """
    frames = []
    for _, group in statistics.groupby(["case", "statistic", "step"], sort=False):
        explicit = group[group.method == EXPLICIT]
        used = explicit if len(explicit) else group
        row = averaged(used, "estimate", ("case", "method", "statistic", "step"))
        if len(explicit):
            row = row.assign(**uncertainty(Mean(row.estimate.item(), 0.0), EXACT))
        frames.append(row.assign(**used[["residual_low", "residual_high"]].mean()))
    return pd.concat(frames, ignore_index=True)
