"""What tables of results share: where rows are of, means with intervals over seeds and examples."""

import numpy as np
import pandas as pd

from fading.evidence.intervals import mean_interval, nested_interval


def located(frame: pd.DataFrame, **where) -> pd.DataFrame:
    """The frame with leading columns that say which case, regime or seed it is of."""
    return frame.assign(**where)[[*where, *frame.columns]]


def interval_over_seeds(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """The mean of a column, with its 95 % interval, per value of all other columns.

    Over seeds and the examples (train_index or index) of each.
    """
    keys = [name for name in frame.columns if name not in ("seed", "train_index", "index", value)]
    rows = []
    for key, group in frame.groupby(keys, sort=False, dropna=False):
        mean, low, high = nested_interval([values.to_numpy() for _, values in group.groupby("seed")[value]])
        rows.append(dict(zip(keys, key, strict=True)) | {value: mean, "ci_low": low, "ci_high": high})
    return pd.DataFrame(rows)


def mean_columns(correlations: np.ndarray) -> dict[str, float]:
    """The mean of correlations (K,), its interval, and K, as columns."""
    mean, low, high = np.clip(mean_interval(correlations), -1, 1)
    return {"spearman": mean, "ci_low": low, "ci_high": high, "examples": len(correlations)}


def most_products(frame: pd.DataFrame) -> pd.DataFrame:
    """Of a table of solutions, each solver's row with the most products at each problem."""
    problem = ["case", "seed", "train_index", "curvature", "damping", "solver", "setting"]
    return frame[frame.products == frame.groupby(problem).products.transform("max")]
