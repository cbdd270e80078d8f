"""Tables of corrections: success with its interval, and against controls on the same targets."""

import pandas as pd

from fading.evidence.intervals import BOUNDED, SHARE
from fading.evidence.tables import DIFFERENCE, averaged, own
from fading.experiments.correction.names import LABEL_NEIGHBOURS, OF_LABEL, RANDOM

SETTING = ["intervention", "k", "learning_rate", "relative_rate", "step"]
TRIAL = ["seed", "test_index"]
COMPARED_WITH = (RANDOM, OF_LABEL, LABEL_NEIGHBOURS)
KEPT = ("retention", "retention_equal")  # of other predictions: where a correction stopped, and after equal steps


def summary(trials: pd.DataFrame) -> pd.DataFrame:
    """A row per case, method and setting: success and retention over the targets of all seeds, each with its interval.

    `trials` has a row per case, seed, target (test_index), method and setting, as outcomes() gives them. taken is the
    median over successes; loss_change, accuracy_change, distance and visits are means. trials counts the targets of all
    seeds, distinct the test examples among them, since seeds may mis-predict the same.
    """
    keys = ["case", "method", *SETTING]
    table = averaged(trials, "success", keys, SHARE)
    of_runs = trials.drop(columns="test_index")  # each run looks at other examples of its own
    for column in KEPT:
        table = table.merge(averaged(of_runs, column, keys, BOUNDED).rename(columns=own(column)), on=keys)
    trials = trials.assign(loss_change=trials.loss - trials.loss_before)
    groups = trials.groupby(keys, sort=False)
    beside = groups[["accuracy_change", "loss_change", "distance", "visits"]].mean()
    counts = groups.agg(taken=("taken", "median"), trials=("success", "size"), distinct=("test_index", "nunique"))
    return table.merge(beside.join(counts).reset_index(), on=keys)


def paired(trials: pd.DataFrame) -> pd.DataFrame:
    """A row per case, method, control and setting: how much oftener the method succeeds on the very same targets."""
    rows = []
    for control in COMPARED_WITH:
        theirs = trials.loc[trials.method == control, ["case", *TRIAL, *SETTING, "success"]]
        both = trials.merge(theirs, on=["case", *TRIAL, *SETTING], suffixes=("", "_control"))
        rows.append(both[both.method != control].assign(control=control))
    both = pd.concat(rows, ignore_index=True)
    both = both.assign(difference=both.success - both.success_control)
    return averaged(both, "difference", ["case", "method", "control", *SETTING], DIFFERENCE)
