"""Leaving out and retraining, and the proximal response, against what each estimator predicted of them."""

import numpy as np
import pandas as pd

from fading.evidence.correlations import spearman_pseudo_values
from fading.evidence.intervals import CORRELATION
from fading.evidence.tables import averaged, by_test_example
from fading.experiments import Experiment
from fading.experiments.effects import common, summed_scores
from fading.training.counterfactuals import NO_EXAMPLE

EXPERIMENT = Experiment(
    stage="effects",
    of="run",
    reads={
        "changes": "changes_left_out",
        "proximal": "changes_proximal",
        "scores": "scores_after_training",
    },
    settings=("estimators", "whole_run_estimator", "seed"),
    needs="leaves_out",
    first_seed=True,
    tables={
        "loo": {"output": "pairs"},
        "loo-summary": {"output": "correlations", "function": "experiments.leave_one_out.summary"},
    },
    figures={"loo": ("loo", "loo-summary")},
)

MIRROR = "mirror"
HEALTH = ["residual", "diverged", "negative_curvature"]


def unrolled_truth(scored: dict[str, np.ndarray], retrained: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What leaving out the examples and groups that were left out does to first order, along the whole run."""
    out = retrained["epsilon"] == -1
    members = retrained["members"][out]
    return {"members": members, "epsilon": -np.ones(len(members)), "loss_change": -summed_scores(scored, members)}


def pairs(truths: dict[str, dict], scores: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """A row per truth, estimator, left-out group and test example: predicted and actual change of loss, nats.

    `truths` holds, per ground truth, loss_change (K, M), members (K, G) and epsilon (K,); `scores`, per estimator,
    scores (r, M) and the training examples (r,) that they are of, or (r, M') where it scores only the first test
    examples. A group's prediction is the sum over its members; size counts them and train_index is the first.
    """
    frames = []
    for truth, changes in truths.items():
        out = changes["epsilon"] == -1
        actual, members = changes["loss_change"][out], changes["members"][out]
        for estimator, scored in scores.items():
            predicted, alike = common(-summed_scores(scored, members), actual)
            effects = {"predicted": predicted, "actual": alike}
            keys = {"truth": truth, "estimator": estimator, "size": _sizes(members), "train_index": members[:, 0]}
            frames.append(by_test_example(effects, **keys))
    return pd.concat(frames, ignore_index=True)


def correlations(truths: dict[str, dict], scores: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """A row per truth, estimator, left-out group and test example: Spearman correlation, predicted with actual.

    `spearman` holds pseudo-values, whose mean over test examples is the correlation. The rows named mirror correlate
    the effects of leaving out with the negated effects of counting twice: where that is low, effects are not
    first-order, and no first-order estimator can do well. Beside stands how well these were solved for: truth_residual
    where the truth solves for something, and of the estimator's solver the median residual, the share of right-hand
    sides that diverged and of those where negative curvature was met.
    """
    frames = []
    for truth, changes in truths.items():
        out = changes["epsilon"] == -1
        actual, members = changes["loss_change"][out], changes["members"][out]
        solved = changes.get("residual", np.full(len(out), np.nan))[out]
        compared = {name: (members, actual, -summed_scores(scored, members)) for name, scored in scores.items()}
        twice = changes["epsilon"] == 1
        if twice.any():
            doubled = changes["members"][twice]
            row = {member: i for i, member in enumerate(members[:, 0]) if _sizes(members)[i] == 1}
            once = actual[[row[member] for member in doubled[:, 0]]]
            compared[MIRROR] = (doubled, once, -changes["loss_change"][twice])
        for name, (group, effects, forecasts) in compared.items():
            spearman = {"spearman": spearman_pseudo_values(*common(forecasts, effects))}
            keys = {"truth": truth, "estimator": name, "size": _sizes(group), "train_index": group[:, 0]}
            health = {"truth_residual": solved[: len(group)], **_health(scores.get(name, {}))}
            frames.append(by_test_example(spearman, **keys, **health))
    return pd.concat(frames, ignore_index=True)


def summary(correlations: pd.DataFrame) -> pd.DataFrame:
    """A row per case, truth, estimator and group size: the mean over groups, and its interval."""
    keys = ["case", "truth", "estimator", "size"]
    health = correlations.groupby(keys, sort=False)[["truth_residual", *HEALTH]].median()
    return averaged(correlations, "spearman", keys, CORRELATION).merge(health.reset_index(), on=keys)


def _health(scored):
    """The solver's health in a few numbers; NaN where none was used."""
    if "health.residual" not in scored:
        return dict.fromkeys(HEALTH, np.nan)
    residual, diverged, negative = (scored[f"health.{name}"] for name in ("residual", "diverged", "negative_curvature"))
    return dict(zip(HEALTH, (float(np.median(residual)), diverged.mean(), negative.mean()), strict=True))


def _sizes(members):
    return (members != NO_EXAMPLE).sum(1)
