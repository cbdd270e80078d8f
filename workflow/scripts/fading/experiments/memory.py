"""How long is a gradient step remembered? The exact effect of every use of every example, by its age.

The age of a use is how many steps ago the loss is read: at age 1 right after the step that drew the example. Losses are
read at several steps, so that age and step are not confounded.
"""

import numpy as np
import pandas as pd

from fading.evidence.correlations import spearman_pseudo_values
from fading.evidence.tables import averaged
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
    settings=("case", "memory_of_run", "rankers", "tests"),
    cases="memory.cases",
    tables={
        "memory": {"output": "ages", "function": "experiments.memory.by_age"},
        "memory-drop": {"output": "ages", "function": "experiments.memory.drop"},
        "memory-half-life": {"output": "ages", "function": "experiments.memory.half_lives"},
        "memory-checks": {
            "output": "checks",
            "mean": "spearman",
            "by": ("case", "regime"),
            "scale": "correlation",
        },
    },
    figures={"memory": ("memory", "memory-half-life", "memory-seen")},
)

ACTUAL, FORECAST = "actual", "forecast from the fork"
GRADIENT_DOT, STEP_DOT, ONCE = "gradient-dot-at-its-time", "step-dot-at-its-time", "horizon-once"
SETTING = ["case", "regime", "learning_rate", "batch_size"]
HALF = 0.5


def agreement(predicted: dict[str, np.ndarray], actual: np.ndarray) -> pd.DataFrame:
    """How U uses' effects on M losses (U, M) compare with what each estimator predicted of them: a row per test example.

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
    """A row per setting, estimator and age: correlation, slope and size, with the correlation's interval and theirs."""
    keys = [*SETTING, "estimator", "age"]
    table = averaged(_read(ages, "spearman"), "spearman", keys, "correlation")
    for value in ("slope", "size"):
        own = averaged(_read(ages, value), value, keys)[[*keys, value, "ci_low", "ci_high"]]
        table = table.merge(own.rename(columns={"ci_low": f"{value}_low", "ci_high": f"{value}_high"}), on=keys)
    return table


def drop(ages: pd.DataFrame) -> pd.DataFrame:
    """How much of its correlation with the effects an estimator loses from the first age to each other, paired."""
    values = _read(ages, "spearman")
    keys = [*SETTING, "estimator", "seed", "test_index"]
    first = values[values.age == values.age.min()].rename(columns={"spearman": "first"}).drop(columns="age")
    paired = values[values.age > values.age.min()].merge(first, on=keys)
    return averaged(paired.assign(drop=paired["first"] - paired.spearman), "drop", [*SETTING, "estimator", "age"])


def half_lives(ages: pd.DataFrame) -> pd.DataFrame:
    """The age at which half of what a step did is left, of each setting: as observed, and as forecast from the fork.

    What is left is the slope of the gradient dot product at its time, over runs, test examples and uses; the half-life
    is where it falls through one half first, between ages by a straight line. `censored` where it does not within the
    ages looked at; the half-life is then the last of them, at least.
    """
    rows = []
    for setting, group in ages[ages.estimator == STEP_DOT].groupby([*SETTING, "seed"], sort=False):
        left = group.groupby("age")[["slope", "forecast"]].mean()
        row = dict(zip([*SETTING, "seed"], setting, strict=True))
        for name, values in (("observed", left.slope), ("predicted", left.forecast)):
            row[name], row[f"{name}_censored"] = _half_life(left.index.to_numpy(), values.to_numpy())
        rows.append(row)
    return pd.DataFrame(rows)


def _half_life(ages, left):
    if np.isnan(left).any():
        return np.nan, False
    below = np.flatnonzero(left < HALF)
    if not len(below):
        return float(ages[-1]), True
    if below[0] == 0:
        return float(ages[0]), False
    before, after = below[0] - 1, below[0]
    share = (left[before] - HALF) / (left[before] - left[after])
    return float(ages[before] + share * (ages[after] - ages[before])), False


def _read(ages, value):
    """The mean over the steps at which losses were read."""
    keys = [*SETTING, "estimator", "age", "seed", "test_index"]
    return ages.groupby(keys, sort=False, dropna=False)[value].mean().reset_index()
