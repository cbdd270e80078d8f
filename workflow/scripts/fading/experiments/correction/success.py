"""Tables of corrections: success with its interval, and against controls on the same targets."""

import numpy as np
import pandas as pd

from fading.evidence.intervals import nested_interval, paired_interval, success_interval
from fading.experiments.correction.names import LABEL_NEIGHBOURS, OF_LABEL, RANDOM

SETTING = ["intervention", "k", "learning_rate", "relative_rate", "step"]
TRIAL = ["seed", "test_index"]
COMPARED_WITH = (RANDOM, OF_LABEL, LABEL_NEIGHBOURS)


def summary(trials: pd.DataFrame) -> pd.DataFrame:
    """A row per case, method and setting: success and retention over the targets of all seeds, each with its interval.

    `trials` has a row per case, seed, target (test_index), method and setting, as outcomes() gives them. taken is the
    median over successes; loss_change, accuracy_change, distance and visits are means. trials counts the targets of all
    seeds, distinct the test examples among them, since seeds may mis-predict the same.
    """
    trials = trials.assign(loss_change=trials.loss - trials.loss_before)
    keys, rows = ["case", "method", *SETTING], []
    for key, group in trials.groupby(keys, sort=False):
        success, low, high = success_interval(_by_seed(group, "success"))
        retention, *ends = np.clip(nested_interval(_by_seed(group, "retention")), 0, 1)
        rows.append(
            {
                **dict(zip(keys, key, strict=True)),
                "success": success,
                "ci_low": low,
                "ci_high": high,
                "retention": retention,
                "retention_low": ends[0],
                "retention_high": ends[1],
                "accuracy_change": group.accuracy_change.mean(),
                "loss_change": group.loss_change.mean(),
                "distance": group.distance.mean(),
                "taken": group.taken.median(),
                "visits": group.visits.mean(),
                "trials": len(group),
                "distinct": group.test_index.nunique(),
            }
        )
    return pd.DataFrame(rows)


def paired(trials: pd.DataFrame) -> pd.DataFrame:
    """A row per case, method, control and setting: how much oftener the method succeeds on the very same targets."""
    rows = []
    for control in COMPARED_WITH:
        theirs = trials.loc[trials.method == control, ["case", *TRIAL, *SETTING, "success"]]
        both = trials.merge(theirs, on=["case", *TRIAL, *SETTING], suffixes=("", "_control"))
        both = both.assign(difference=both.success - both.success_control)
        keys = ["case", "method", *SETTING]
        for key, group in both[both.method != control].groupby(keys, sort=False):
            difference, low, high = paired_interval(_by_seed(group, "difference"))
            columns = {"difference": difference, "ci_low": low, "ci_high": high, "trials": len(group)}
            rows.append({**dict(zip(keys, key, strict=True)), "control": control, **columns})
    return pd.DataFrame(rows)


def front(summary: pd.DataFrame) -> pd.DataFrame:
    """Of one case's settings of one method, those that no other beats in both success and retention, by retention."""
    ordered = summary.sort_values(["retention", "success"], ascending=False, kind="stable")
    return ordered[ordered.success.cummax().diff().fillna(1) > 0]


def _by_seed(group, column):
    return [values.to_numpy(float) for _, values in group.groupby("seed")[column]]
