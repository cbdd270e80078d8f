"""How long is a gradient step remembered? The exact effect of every use of every example, by its age.

The age of a use is how many steps ago the loss is read: at age 1 right after the step that drew the example. Losses are
read at several steps, so that age and step are not confounded.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from fading.evidence.correlations import spearman_pseudo_values
from fading.evidence.tables import averaged, own
from fading.experiments import Experiment

EXPERIMENT = Experiment(
    stage="effects",
    of="run",
    reads={
        "examples": "examples",
        "checkpoints": "checkpoints",
        "spectrum": "spectrum_after_training",
        "scores": "scores_of_rankers",
    },
    settings=("case", "memory_of_run", "rankers"),
    cases="memory.cases",
    tables={
        "memory": {"output": "ages", "function": "experiments.memory.by_age"},
        "memory-drop": {"output": "ages", "function": "experiments.memory.drop"},
        "memory-gain": {"output": "ages", "function": "experiments.memory.gain"},
        "memory-half-life": {"output": "ages", "function": "experiments.memory.half_lives"},
        "memory-checks": {
            "output": "checks",
            "mean": "spearman",
            "by": ("case", "regime", "age"),
            "scale": "correlation",
        },
    },
    figures={"memory": ("memory", "memory-half-life", "memory-seen")},
)

GRADIENT_DOT, STEP_DOT, ONCE = "gradient-dot-at-its-time", "step-dot-at-its-time", "horizon-once"
SETTING = ["case", "regime", "changed", "learning_rate", "batch_size"]
OWN = "nothing"  # changed: the rate is the regime's, the batch size training's
HALF = 0.5


def agreement(predicted: dict[str, np.ndarray], actual: np.ndarray) -> pd.DataFrame:
    """How effects of U uses on M losses, (U, M), compare with what each estimator predicted: a row per test example.

    `spearman` holds pseudo-values, with the mean correlation over uses for their mean. `slope` is the share of the
    prediction that is left, ⟨predicted, actual⟩ / ⟨predicted, predicted⟩, and `size` ‖actual‖ / ‖predicted‖, over uses.
    """
    frames = []
    for name, forecast in predicted.items():
        squares = (forecast**2).sum(0)
        columns = {
            "spearman": spearman_pseudo_values(forecast, actual).mean(0),
            "slope": (forecast * actual).sum(0) / squares,
            "size": np.sqrt((actual**2).sum(0) / squares),
        }
        frames.append(pd.DataFrame({"estimator": name, "test_index": np.arange(actual.shape[1]), **columns}))
    return pd.concat(frames, ignore_index=True)


def by_age(ages: pd.DataFrame) -> pd.DataFrame:
    """A row per setting, estimator and age: the means of correlation, slope and size, with their intervals."""
    keys = [*SETTING, "estimator", "age"]
    table = averaged(_read(ages, "spearman"), "spearman", keys, "correlation")
    for value in ("slope", "size"):
        table = table.merge(averaged(_read(ages, value), value, keys).rename(columns=own(value)), on=keys)
    return table


def drop(ages: pd.DataFrame) -> pd.DataFrame:
    """What an estimator's correlation with the effects of uses loses from the first age to each other one, paired."""
    values = _read(ages, "spearman")
    first = values.age.min()
    paired = _beside(values[values.age > first], values[values.age == first].drop(columns="age"))
    return averaged(paired.assign(drop=paired.other - paired.spearman), "drop", [*SETTING, "estimator", "age"])


def gain(ages: pd.DataFrame) -> pd.DataFrame:
    """What an estimator's correlation with the effects of uses has over the gradient dot product's, paired, by age."""
    values = _read(ages, "spearman")
    paired = _beside(values, values[values.estimator == GRADIENT_DOT].drop(columns="estimator"))
    return averaged(paired.assign(gain=paired.spearman - paired.other), "gain", [*SETTING, "estimator", "age"])


def half_lives(ages: pd.DataFrame) -> pd.DataFrame:
    """The age at which half of what a step did is left, in each setting: observed, and forecast from the fork.

    What is left is the slope of what the optimiser's step did, over test examples and uses; the half-life is where it
    falls through one half first, between ages by a straight line. Where it does not within the ages looked at it counts
    as the last of them; observed_censored and predicted_censored are the shares of runs of which that is so. All are
    means over runs; error is |log2(observed / predicted)|, 1 where one is twice the other, with its interval over runs,
    and NaN where a run's half-life was not seen.
    """
    rows = []
    for setting, group in ages[ages.estimator == STEP_DOT].groupby([*SETTING, "seed"], sort=False):
        left = group.groupby("age")[["slope", "forecast"]].mean()
        observed, predicted = (_half_life(left.index.to_numpy(), left[name].to_numpy()) for name in left)
        found = {"observed": observed.age, "predicted": predicted.age}
        found |= {"observed_censored": observed.censored, "predicted_censored": predicted.censored}
        error = np.nan if observed.censored else abs(np.log2(observed.age / predicted.age))
        rows.append(dict(zip([*SETTING, "seed"], setting, strict=True)) | found | {"error": error})
    by_run = pd.DataFrame(rows)
    means = by_run.groupby(SETTING, sort=False)[list(found)].mean().reset_index()
    return means.merge(averaged(by_run, "error", SETTING), on=SETTING)


class HalfLife(NamedTuple):
    """An age, and whether it is only known to be at least that."""

    age: float
    censored: bool


def _half_life(ages, left):
    if np.isnan(left).any():
        return HalfLife(np.nan, False)
    below = np.flatnonzero(left < HALF)
    if not len(below):
        return HalfLife(float(ages[-1]), True)
    if below[0] == 0:
        return HalfLife(float(ages[0]), False)
    before, after = below[0] - 1, below[0]
    share = (left[before] - HALF) / (left[before] - left[after])
    return HalfLife(float(ages[before] + share * (ages[after] - ages[before])), False)


def _beside(values, others):
    """The rows, each with the spearman of the other of the same use, test example and run as `other`."""
    named = others.rename(columns={"spearman": "other"})
    return values.merge(named, on=[column for column in values if column in named])


def _read(ages, value):
    """The mean over the steps at which losses were read."""
    keys = [*SETTING, "estimator", "age", "seed", "test_index"]
    return ages.groupby(keys, sort=False, dropna=False)[value].mean().reset_index()
