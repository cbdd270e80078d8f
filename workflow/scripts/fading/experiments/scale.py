"""How large the study's networks are, how long they train and how well they predict, beside what was found of each."""

import math

import numpy as np
import pandas as pd

from fading.experiments import Experiment

EXPERIMENT = Experiment(
    stage="effects",
    of="run",
    reads={"checkpoints": "checkpoints", "curve": "curve"},
    settings=("batch_size", "training_examples", "seed"),
    tables={
        "scale": {
            "output": "size",
            "mean": "test_accuracy",
            "by": ("case", "parameters", "examples", "batch_size", "steps", "epochs"),
            "scale": "linear",
        },
    },
    figures={"scale": ("scale", "memory-half-life", "removal", "correction")},
)


def size(checkpoints: dict[str, np.ndarray], curve: pd.DataFrame, examples: int, batch_size: int) -> pd.DataFrame:
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
            "test_accuracy": [curve.test_accuracy.iloc[-1]],
        }
    )


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
