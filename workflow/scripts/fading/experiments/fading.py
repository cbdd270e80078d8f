"""Does influence fade? Effects of up-weighting as theory and estimators predict them, beside what retraining showed."""

import numpy as np
import pandas as pd

from fading.evidence.intervals import spearman_by_example
from fading.evidence.tables import mean_columns
from fading.experiments import Experiment
from fading.experiments.effects import summed_scores

EXPERIMENT = Experiment(
    stage="effects",
    of="regime",
    reads={
        "changes": "changes_up_weighted",
        "scores": "scores_at_fork",
        "spectrum": "spectrum_at_fork",
    },
    settings=("forward_estimators", "recorded", "seed"),
    tables={
        "fading": {"output": "fading"},
        "fading-summary": {"output": "correlations", "mean": "spearman"},
        "decomposition": {"output": "decomposition", "mean": "share"},
    },
    figures={"fading": ("fading", "fading-summary"), "decomposition": ("decomposition",)},
)

FORECASTS = {"effect": "linear-response", "horizon": "horizon", "once": "horizon-once"}  # by their names in theory
PARTS = {"kept": "static", "curvature": "once", "re-use": "horizon", "path": "effect"}  # and what each one reads
REST = "beyond first order"


def fading_correlations(
    changes: dict[str, np.ndarray],
    scores: dict[str, dict[str, np.ndarray]],
    response: dict[str, np.ndarray],
    steps: list[int],
) -> pd.DataFrame:
    """A row per estimator, recorded step and up-weighted example: Spearman of predicted and actual change of loss.

    `changes` holds loss_change (K', R, M), members (K', 1) and epsilon (K',), the K up-weighted examples first;
    `response`, what theory says of these, (K, R, M) each; `scores`, per estimator, scores (r, M) and the training
    examples (r,) that they are of.
    """
    actual, members, epsilon = _up_weighted(changes)
    predicted = {name: response[key] for key, name in FORECASTS.items() if key in response}
    for estimator, scored in scores.items():
        static = epsilon[:, None] * summed_scores(scored, members)
        predicted[estimator] = np.broadcast_to(static[:, None], actual.shape)
    correlations = {name: _agreement(effects, actual) for name, effects in predicted.items()}
    return _by_example(correlations, "estimator", "spearman", members, steps)


def fading_curve(correlations: pd.DataFrame) -> pd.DataFrame:
    """A row per estimator and step of one run: the mean correlation over examples, and its interval."""
    rows = [
        {"estimator": estimator, "step": step, **mean_columns(values.to_numpy())}
        for (estimator, step), values in correlations.groupby(["estimator", "step"], sort=False).spearman
    ]
    return pd.DataFrame(rows)


def decomposition(changes: dict[str, np.ndarray], response: dict[str, np.ndarray], steps: list[int]) -> pd.DataFrame:
    """A row per part, recorded step and up-weighted example: what the static prediction lost, and to what; sums to 1.

    From the gradient dot product at the fork to retraining, a prediction mends one thing at a time, and what its
    correlation gains is that thing's part: curvature lets what was done once decay; re-use adds the later steps that
    draw the example; path follows the trajectory instead of its beginning (the linear response); the rest, up to 1, is
    what no first order explains.
    """
    actual, members, _ = _up_weighted(changes)
    reached = {part: _agreement(response[name], actual) for part, name in PARTS.items() if name in response}
    reached[REST] = np.ones(actual.shape[:2])
    gains = np.diff(list(reached.values()), axis=0, prepend=0)
    return _by_example(dict(zip(reached, gains, strict=True)), "part", "share", members, steps)


def _up_weighted(changes):
    changed = (changes["epsilon"] != 0).sum()
    return (changes[name][:changed] for name in ("loss_change", "members", "epsilon"))


def _agreement(predicted, actual):
    """Spearman's correlation over test examples of arrays (K, R, M): (K, R)."""
    flat = spearman_by_example(predicted.reshape(-1, predicted.shape[-1]), actual.reshape(-1, actual.shape[-1]))
    return flat.reshape(actual.shape[:2])


def _by_example(arrays, name, value, members, steps):
    """Arrays (K, R) by `name` as rows."""
    frames = [
        pd.DataFrame(
            {
                name: which,
                "step": np.tile(steps, len(members)),
                "train_index": np.repeat(members[:, 0], len(steps)),
                value: array.ravel(),
            }
        )
        for which, array in arrays.items()
    ]
    return pd.concat(frames, ignore_index=True)
