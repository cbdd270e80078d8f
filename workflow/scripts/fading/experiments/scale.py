"""How large the study's networks are, how long they train and how well they predict, beside what was found of each."""

import math

import numpy as np
import pandas as pd

from fading.evidence.tables import averaged
from fading.experiments import Experiment

BY = ["case", "parameters", "examples", "batch_size", "steps", "epochs"]
EXPERIMENT = Experiment(
    stage="effects",
    of="run",
    reads={"checkpoints": "checkpoints", "curve": "curve"},
    settings=("batch_size", "training_examples", "test_examples", "seed"),
    tables={"scale": {"output": "size", "function": "experiments.scale.accuracies"}},
    figures={"scale": ("scale", "memory-half-life", "removal", "correction")},
)


def size(
    checkpoints: dict[str, np.ndarray], curve: pd.DataFrame, examples: int, test_examples: int, batch_size: int
) -> pd.DataFrame:
    """A row: trained parameters, training examples, steps and epochs, and the test accuracy after the last step."""
    start = [array for name, array in checkpoints.items() if name.startswith("0/parameters/")]
    steps = int(curve.step.iloc[-1])
    return pd.DataFrame(
        {
            "parameters": [sum(array.size for array in start)],
            "examples": [examples],
            "batch_size": [batch_size],
            "steps": [steps],
            "epochs": [steps / math.ceil(examples / batch_size)],
            "test_examples": [test_examples],
            "test_accuracy": [curve.test_accuracy.iloc[-1]],
        }
    )


def accuracies(sizes: pd.DataFrame) -> pd.DataFrame:
    """The size of each case and its test accuracy: a mean over runs, or over the test examples of the only one."""
    by_case = [case for _, case in sizes.groupby("case", sort=False)]
    cases = [case if len(case) > 1 else _by_test_example(case) for case in by_case]
    return pd.concat([averaged(case, "test_accuracy", BY) for case in cases], ignore_index=True)


def _by_test_example(size):
    """A row for each, 1 where it is predicted rightly. Which are is not known, and makes no difference to a mean."""
    count, accuracy = int(size.test_examples.iloc[0]), size.test_accuracy.iloc[0]
    right = (np.arange(count) < round(accuracy * count)).astype(float)
    return size.loc[size.index.repeat(count)].assign(test_index=range(count), test_accuracy=right)


OBSERVED, CENSORED, FORECAST = "observed", "at least", "forecast"  # half-lives


def half_lives_by_case(lives: pd.DataFrame) -> pd.DataFrame:
    """Of each case's first regime, the calm one as it is: case, method and half_life (steps), a mean over runs.

    `lives` are of regimes of which nothing was changed. Observed, or at least so long where some run did not live to
    see it; and as it was forecast, unless that was beyond the ages looked at.
    """
    calm = lives.groupby("case", sort=False).head(1)
    seen = calm.observed_censored.eq(0).map({True: OBSERVED, False: CENSORED})
    told = calm[calm.predicted.notna() & calm.predicted_censored.eq(0)]
    both = [calm.assign(method=seen, half_life=calm.observed), told.assign(method=FORECAST, half_life=told.predicted)]
    return pd.concat(both, ignore_index=True)[["case", "method", "half_life"]]
