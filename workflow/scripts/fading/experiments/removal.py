"""Leaving out random parts of the training set, from one example to half: who predicts what retraining does?

The linear datamodeling score (Park et al. 2023) of an estimator on a test example is Spearman's correlation, over
subsets, of the sum of its scores of what was left out with the change of loss.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from fading.evidence.correlations import spearman_by_example, spearman_pseudo_values
from fading.evidence.tables import averaged
from fading.experiments import Experiment
from fading.experiments.correction.names import GRADIENT_DOT
from fading.experiments.effects import stack
from fading.training.counterfactuals import NO_EXAMPLE

EXPERIMENT = Experiment(
    stage="effects",
    of="run",
    reads={
        "removed": "changes_removed",
        "again": "changes_removed_again",
        "left_out": "changes_left_out",
        "scores": "scores_of_ladder",
    },
    settings=("ladder", "removal_runs", "seed"),
    cases="removal.cases",
    first_seed=True,
    tables={
        "removal": {
            "output": "scores",
            "mean": "lds",
            "by": ("case", "truth", "estimator", "removed", "share"),
            "scale": "correlation",
        },
        "removal-gain": {"output": "scores", "function": "experiments.removal.gain"},
        "removal-size": {
            "output": "sizes",
            "mean": "size",
            "by": ("case", "what", "removed", "share"),
            "scale": "linear",
        },
    },
    figures={"removal": ("removal", "removal-size", "removal-flips")},
)

THIS_RUN, MEAN_OF_RUNS = "this run", "mean of runs"  # truths
ANOTHER_ORDER, ANOTHER_SEED = "another order", "another seed"
ONE_ULP = "one unit in the last place"
SUBSETS = "subsets left out"


def lds(predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """The linear datamodeling score of each of M test examples, over S subsets: arrays (S, M) give (M,)."""
    return spearman_by_example(predicted.T, actual.T)


def joined(chunks: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Removals of several jobs in a row."""
    return stack(chunks, ["loss_change", "right", "share", "removed"])


def predicted(scored: dict[str, np.ndarray], removed: np.ndarray) -> np.ndarray:
    """What leaving out each of S subsets (S, n) does, to first order: minus the sum of its scores, (S, M), nats."""
    return -removed[:, scored["examples"]].astype(float) @ scored["scores"].astype(float)


def scores_of_removal(
    removals: dict[str, np.ndarray],
    again: dict[str, dict[str, np.ndarray]],
    left_out: dict[str, np.ndarray],
    scores: dict[str, dict[str, np.ndarray]],
) -> pd.DataFrame:
    """A row per truth, estimator, size of the subsets, subset and test example; `lds` holds pseudo-values.

    Their mean over subsets is the score of a test example. `removals` are this run's, `again` those of the same subsets
    in other runs, the first of each share; `left_out` has single examples left out of this run. Other runs stand among
    the estimators as well: where they agree by r, what runs have in common agrees with one by about √r (Spearman 1904),
    and an estimate that knows nothing of the order of batches, or of the seed, can hardly do better. The truth "mean of
    runs" is the mean change over this run and those. All are compared on the test examples that every estimator scores.
    """
    tests = min(scored["scores"].shape[1] for scored in scores.values())
    frames = []
    for truth, estimator, share, mask, forecast, actual in _compared(removals, again, left_out, scores):
        values = spearman_pseudo_values(forecast[:, :tests].T, actual[:, :tests].T).T  # (S, M)
        keys = {"truth": truth, "estimator": estimator, "removed": int(mask[0].sum()), "share": share}
        frames.append(_rows(values, "lds", keys))
    return pd.concat(frames, ignore_index=True)


def gain(scores: pd.DataFrame) -> pd.DataFrame:
    """What an estimator's datamodeling score has over the gradient dot product's, paired by subset and test example."""
    keys = ["case", "truth", "removed", "share"]
    scores = scores[~scores.estimator.isin([ANOTHER_ORDER, ANOTHER_SEED])]
    least = scores[scores.estimator == GRADIENT_DOT].drop(columns="estimator").rename(columns={"lds": "least"})
    paired = scores.merge(least, on=[*keys, "seed", "subset", "test_index"])
    return averaged(paired.assign(gain=paired.lds - paired.least), "gain", [*keys, "estimator"])


def sizes(removals: dict[str, np.ndarray], left_out: dict[str, np.ndarray]) -> pd.DataFrame:
    """How large changes of loss are, nats: a row per size of the subsets, subset and test example.

    And what moving one parameter by one unit in the last place at the start does: where that is as large as leaving
    something out, what leaving it out does can't be told from rounding.
    """
    frames = []
    for share, rows in _shares(removals):
        what = SUBSETS if share else ONE_ULP
        keys = {"what": what, "removed": int(removals["removed"][rows][0].sum()), "share": share}
        frames.append(_rows(np.abs(removals["loss_change"][rows]), "size", keys))
    mask, changes = _singles(left_out, removals["removed"].shape[1])
    keys = {"what": SUBSETS, "removed": 1, "share": 1 / mask.shape[1]}
    frames.append(_rows(np.abs(changes), "size", keys))
    return pd.concat(frames, ignore_index=True)


def _compared(removals, again, left_out, scores) -> Iterable[tuple]:
    mask, changes = _singles(left_out, removals["removed"].shape[1])
    for name, scored in scores.items():
        yield THIS_RUN, name, 1 / mask.shape[1], mask, predicted(scored, mask), changes
    for share, rows in _shares(removals):
        if not share:
            continue
        mask, changes = removals["removed"][rows], removals["loss_change"][rows]
        forecasts = {name: predicted(scored, mask) for name, scored in scores.items()}
        for name, forecast in forecasts.items():
            yield THIS_RUN, name, share, mask, forecast, changes
        others = {name: other["loss_change"][other["share"] == share] for name, other in again.items()}
        for name, other in others.items():
            few = len(other)
            yield THIS_RUN, name, share, mask[:few], other, changes[:few]
        if others:
            few = min(map(len, others.values()))
            mean = np.mean([changes[:few], *(other[:few] for other in others.values())], axis=0)
            for name, forecast in forecasts.items():
                yield MEAN_OF_RUNS, name, share, mask[:few], forecast[:few], mean


def _shares(removals):
    for share in dict.fromkeys(removals["share"].tolist()):
        yield share, removals["share"] == share


def _singles(left_out, examples):
    """Of single examples left out, the masks (S, n) and changes of loss (S, M)."""
    single = (left_out["epsilon"] == -1) & ((left_out["members"] != NO_EXAMPLE).sum(1) == 1)
    mask = np.zeros((single.sum(), examples), dtype=bool)
    mask[np.arange(len(mask)), left_out["members"][single, 0]] = True
    return mask, left_out["loss_change"][single]


def _rows(values, name, keys):
    subsets, tests = values.shape
    where = {"subset": np.repeat(np.arange(subsets), tests), "test_index": np.tile(np.arange(tests), subsets)}
    return pd.DataFrame({**keys, **where, name: values.ravel()})
