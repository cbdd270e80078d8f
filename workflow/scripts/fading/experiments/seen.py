"""By time seen: which part of an example's influence on the end of training comes from its early and its late uses?"""

import numpy as np
import pandas as pd

from fading.evidence.correlations import spearman_by_example
from fading.experiments import Experiment

EXPERIMENT = Experiment(
    stage="effects",
    of="run",
    reads={"uses": "uses_in_training"},
    settings=("seed",),
    cases="memory.cases",
    needs="whole_run_estimator",
    first_seed=True,
    tables={
        "memory-seen": {
            "output": "seen",
            "mean": "estimate",
            "by": ("case", "statistic", "epoch"),
            "scale": "linear",
        },
    },
)

SHARE, AGREEMENT, FLIPPED = "share of influence", "agreement with the last epoch", "opposite sign to the last epoch"


def by_epoch(step: np.ndarray, example: np.ndarray, effect: np.ndarray) -> pd.DataFrame:
    """Of the uses of examples (U,) at steps (U,), with effects (U, M) on M losses, a row per statistic, epoch and loss.

    The epoch, counted from 1, is how often an example was drawn until then (cf. Wang et al. 2024, whose Data Value
    Embedding asks the same of language models). Its share of influence is its part of Σ |effect|; its agreement with
    the last epoch Spearman's correlation over examples, and the share of examples whose effect has the other sign.
    """
    order = np.lexsort((step, example))
    starts = np.r_[True, example[order][1:] != example[order][:-1]]
    within = np.arange(len(order)) - np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    epoch = np.empty(len(order), dtype=int)
    epoch[order] = within + 1
    whole = np.abs(effect).sum(0)
    rows = []
    last = _of_epoch(epoch, epoch.max(), example, effect)
    for number in range(1, epoch.max() + 1):
        effects = _of_epoch(epoch, number, example, effect)
        both = np.isin(last[0], effects[0]) if number < epoch.max() else None
        statistics = {SHARE: np.abs(effect[epoch == number]).sum(0) / whole}
        if both is not None:
            ours, theirs = effects[1][np.isin(effects[0], last[0])], last[1][both]
            statistics[AGREEMENT] = spearman_by_example(ours.T, theirs.T)
            statistics[FLIPPED] = (np.sign(ours) != np.sign(theirs)).mean(0)
        for name, values in statistics.items():
            keys = {"statistic": name, "epoch": number, "test_index": np.arange(len(values))}
            rows.append(pd.DataFrame({**keys, "estimate": values}))
    return pd.concat(rows, ignore_index=True)


def _of_epoch(epoch, number, example, effect):
    """The examples drawn for that time, ascending, and what that did."""
    drawn = epoch == number
    ascending = example[drawn].argsort(kind="stable")
    return example[drawn][ascending], effect[drawn][ascending]
