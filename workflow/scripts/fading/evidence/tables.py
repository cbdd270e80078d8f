"""What tables of results share: where rows are of, and means with intervals over runs, examples and test examples."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from fading.errors import FadingError
from fading.evidence.intervals import (
    CORRELATION,
    LINEAR,
    SHARE,
    Mean,
    correlation_scaled,
    fisher,
    jackknife_of_pairs,
    mean_of_crossed,
    mean_of_differences,
    mean_of_nested,
    mean_of_shares,
)

UNCERTAINTY = ("ci_low", "ci_high", "se_rows", "se_columns", "df", "scale", "rows", "se_nested", "over")
OF_ONE_RUN = {"train_index": "training examples", "batch": "batches"}  # of which its values may be
UNITS = ("seed", "other_seed", *OF_ONE_RUN)  # what the columns of a frame say that a value is of
TOO_FEW = "too few to tell"
DIFFERENCE = "difference"  # of successes to a control's on the same targets, on the scale bounded
OF_TRIALS = {SHARE: mean_of_shares, DIFFERENCE: mean_of_differences}


def located(frame: pd.DataFrame, **where) -> pd.DataFrame:
    """The frame with leading columns that say which case, regime or seed it is of."""
    return frame.assign(**where)[[*where, *frame.columns]]


def by_test_example(values: dict[str, np.ndarray], **columns) -> pd.DataFrame:
    """Columns of values (K, M) as a row per each of K examples and M test examples, which `test_index` counts.

    `columns`, one value each or K of them, stand before.
    """
    count, tests = next(iter(values.values())).shape
    repeated = {name: np.repeat(column, tests) if np.ndim(column) else column for name, column in columns.items()}
    raveled = {name: array.ravel() for name, array in values.items()}
    return pd.DataFrame({**repeated, "test_index": np.tile(np.arange(tests), count), **raveled})


def averaged(frame: pd.DataFrame, value: str, by: Sequence[str], scale: str = LINEAR) -> pd.DataFrame:
    """The mean of a column, with its 95 % interval and of what that is, per value of the columns `by`.

    Of what else the frame has, `seed` is the run, `train_index` a training example of it, `batch` one of its batches,
    `test_index` a test example that all runs share, `other_seed` the second run of a pair. The rows of an interval are
    runs, or the training examples or batches of the only one; where values are of each `subset` that is left out of one
    run, they are the test examples, and the columns subsets. If `scale` is share or difference, each row of the frame
    is a trial of its run. Raises FadingError unless all have the same test examples.
    """
    rows = []
    for key, group in frame.groupby(list(by), sort=False, dropna=False):
        mean, over = _summarised(group, value, scale)
        rows.append(dict(zip(by, key, strict=True)) | {value: mean.value} | uncertainty(mean, over))
    return pd.DataFrame(rows)


def uncertainty(mean: Mean, over: str) -> dict:
    """The columns of a mean beside its value: its interval, what that follows from, and over what it is."""
    of_mean = {name: getattr(mean, name) for name in UNCERTAINTY[2:-1]}
    return dict(zip(UNCERTAINTY, mean.ends(), strict=False)) | of_mean | {"over": over}


def own(column: str) -> dict[str, str]:
    """New names of the columns of uncertainty, for a column that is not its table's main one."""
    return {name: f"{column}_{name.removeprefix('ci_')}" for name in UNCERTAINTY}


def _summarised(group, value, scale):
    """The mean of one group's values, and of what its interval is."""
    mean, over = (_of_trials if scale in OF_TRIALS else _of_crossed)(group, value, scale)
    return mean, over if np.isfinite(mean.se) else TOO_FEW


def _of_trials(group, value, scale):
    runs = [values.to_numpy(float) for _, values in group.groupby("seed")[value]]
    if len(runs) > 1:
        return OF_TRIALS[scale](runs), f"{len(group)} trials of {len(runs)} runs"
    return OF_TRIALS[scale](list(runs[0][:, None])), _of_one_run(group)


def _of_one_run(units):
    of = (plural for unit, plural in OF_ONE_RUN.items() if unit in units and units[unit].nunique() > 1)
    return f"{len(units)} {next(of, 'trials')} of one run"


def _of_crossed(group, value, scale):
    if "subset" in group:
        values = group.pivot(index="test_index", columns="subset", values=value).to_numpy(float)
        mean = mean_of_crossed(fisher(values) if scale == CORRELATION else values)
        subsets = f" × {values.shape[1]} subsets" if values.shape[1] > 1 else ""
        what = f"{values.shape[0]} test examples{subsets} of one run"
        return (correlation_scaled(mean) if scale == CORRELATION else replace(mean, scale=scale)), what
    units, values = _grid(group, [name for name in UNITS if name in group], value)
    if scale == CORRELATION:
        values = fisher(values)
    seeds, tests = units.seed.tolist(), values.shape[1]
    pairs = "other_seed" in units and (units.other_seed >= 0).all()
    if pairs and len(units) > 1:
        mean = mean_of_crossed(jackknife_of_pairs(values, list(zip(seeds, units.other_seed, strict=True))))
        what = [f"{mean.rows} runs by pairs"]
    elif len(set(seeds)) > 1:
        mean = mean_of_nested(values, np.array(seeds))
        what = [f"{mean.rows} runs"]
    else:
        mean = mean_of_crossed(values)
        what = [_of_one_run(units)] if len(units) > 1 else []
    if tests > 1:
        alone = "" if what else f" of one {'pair of runs' if pairs else 'run'}"
        what.append(f"{tests} test examples{alone}")
    return (correlation_scaled(mean) if scale == CORRELATION else replace(mean, scale=scale)), " × ".join(what)


def _grid(group, keys, value):
    """Values by what they are of: rows of the columns `keys`, and the values (rows, test examples)."""
    if "test_index" not in group:
        return group[keys], group[[value]].to_numpy(float)
    tests, units = group.test_index.nunique(), len(group[keys].drop_duplicates())
    if len(group) != units * tests or group.duplicated([*keys, "test_index"]).any():
        raise FadingError(f"The runs do not share their test examples: {len(group)} rows of {value}, {tests} examples.")
    ordered = group.sort_values([*keys, "test_index"], kind="stable")
    return ordered[keys].iloc[::tests], ordered[value].to_numpy(float).reshape(-1, tests)


def most_products(frame: pd.DataFrame) -> pd.DataFrame:
    """Of a table of solutions, each solver's row with the most products at each problem."""
    problem = ["case", "seed", "train_index", "curvature", "damping", "solver", "setting"]
    return frame[frame.products == frame.groupby(problem).products.transform("max")]
