"""Tables take runs, training examples, test examples and pairs of runs for what they are, and say so."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from fading.errors import FadingError
from fading.evidence.intervals import (
    BOUNDED,
    CORRELATION,
    SHARE,
    Mean,
    correlation_scaled,
    fisher,
    jackknife_of_pairs,
    mean_of_crossed,
    mean_of_differences,
    mean_of_nested,
    mean_of_rows,
    mean_of_shares,
)
from fading.evidence.tables import (
    DIFFERENCE,
    TOO_FEW,
    UNCERTAINTY,
    averaged,
    by_test_example,
    located,
    most_products,
    own,
    uncertainty,
)

RANDOM = np.random.default_rng(0)


def frame(runs=1, examples=1, tests=1, columns=("train_index", "test_index")):
    """A row per run, training example of its own and test example of all, with a value; shuffled."""
    seed, example, test = (index.ravel() for index in np.indices((runs, examples, tests)))
    rows = pd.DataFrame({"seed": seed, "train_index": 10 * seed + example, "test_index": test})
    estimate = RANDOM.normal(0.3, 0.2, size=len(rows)) + RANDOM.normal(0, 0.2, size=tests)[test]
    return rows[["seed", *columns]].assign(case="a", estimate=estimate).sample(frac=1, random_state=0)


def arranged(rows, *shape):
    ordered = rows.sort_values([name for name in ("seed", "train_index", "test_index") if name in rows])
    return ordered.estimate.to_numpy().reshape(shape)


def summarised(rows, scale="linear"):
    """The mean of the only row of the table, and over what it is."""
    (row,) = averaged(rows, "estimate", ["case"], scale).to_dict("records")
    parts = ("se_rows", "se_columns", "df", "scale", "rows", "se_nested")
    mean = Mean(row["estimate"], **{part: row[part] for part in parts})
    assert (row["case"], row["ci_low"], row["ci_high"]) == pytest.approx(("a", *mean.ends()), nan_ok=True)
    return mean, row["over"]


def same(mean, expected):
    assert vars(mean) == {name: pytest.approx(value, nan_ok=True) for name, value in vars(expected).items()}


def test_runs_are_the_replicates():
    rows = frame(runs=5, columns=())
    mean, over = summarised(rows)
    same(mean, mean_of_rows(arranged(rows, 5)))
    assert over == "5 runs"


def test_examples_are_averaged_within_their_run():
    rows = frame(runs=5, examples=4, columns=("train_index",))
    mean, over = summarised(rows)
    same(mean, mean_of_nested(arranged(rows, 20, 1), np.repeat(range(5), 4)))
    same(Mean(mean.value, mean.se_rows, df=4, rows=5), mean_of_rows(arranged(rows, 5, 4).mean(1)))
    assert over == "5 runs"


def test_bounded_means_are_linear_ones_whose_ends_are_within_bounds():
    rows = frame(runs=5, columns=()).assign(estimate=[0.9, 0.99, 1, 0.95, 0.98])
    mean, over = summarised(rows, BOUNDED)
    same(mean, replace(mean_of_rows(rows.estimate.to_numpy()), scale=BOUNDED))
    assert (mean.ends().high, over) == (1, "5 runs")
    assert mean.ends().low == pytest.approx(summarised(rows)[0].ends().low)


@pytest.mark.parametrize("scale", ["linear", CORRELATION])
def test_test_examples_are_crossed_with_runs(scale):
    rows = frame(5, 4, 64)
    mean, over = summarised(rows, scale)
    values, runs = arranged(rows, 20, 64), np.repeat(range(5), 4)
    on_its_scale = correlation_scaled(mean_of_nested(fisher(values), runs)) if scale == CORRELATION else None
    same(mean, on_its_scale or mean_of_nested(values, runs))
    assert mean.se_columns > 0
    assert over == "5 runs × 64 test examples"


def test_of_one_run_its_examples_are_the_replicates():
    rows = frame(examples=6, tests=64)
    mean, over = summarised(rows, CORRELATION)
    same(mean, correlation_scaled(mean_of_crossed(fisher(arranged(rows, 6, 64)))))
    assert (over, mean.rows) == ("6 training examples of one run × 64 test examples", 6)
    alone = frame(examples=3, columns=("train_index",))
    mean, over = summarised(alone)
    same(mean, mean_of_rows(arranged(alone, 3)))
    assert over == "3 training examples of one run"


def test_of_one_example_or_none_the_test_examples_are_the_replicates():
    for columns in (("test_index",), ("train_index", "test_index")):
        rows = frame(tests=64, columns=columns)
        mean, over = summarised(rows)
        same(mean, mean_of_crossed(arranged(rows, 1, 64)))
        assert over == "64 test examples of one run"


def of_subsets(tests=16, subsets=20):
    rows = frame(examples=subsets, tests=tests).rename(columns={"train_index": "subset"})
    rows = rows.assign(estimate=rows.estimate + RANDOM.normal(0, 0.2, size=subsets)[rows.subset])
    return rows, rows.sort_values(["test_index", "subset"]).estimate.to_numpy().reshape(tests, subsets)


def test_subsets_that_are_left_out_of_one_run_are_crossed_with_its_test_examples():
    rows, values = of_subsets()
    mean, over = summarised(rows)
    same(mean, mean_of_crossed(values))
    assert (over, mean.rows) == ("16 test examples × 20 subsets of one run", 16)
    assert mean.se_columns > 0
    mean, _ = summarised(rows, CORRELATION)
    same(mean, correlation_scaled(mean_of_crossed(fisher(values))))
    assert mean.value == pytest.approx(np.tanh(np.arctanh(values.mean(1)).mean())), "a correlation per test example"
    bounded, _ = summarised(rows, BOUNDED)
    same(bounded, replace(mean_of_crossed(values), scale=BOUNDED))


def test_of_one_subset_the_test_examples_are_the_replicates_and_few_of_both_are_too_few():
    rows, values = of_subsets(subsets=1)
    mean, _ = summarised(rows)
    same(mean, mean_of_rows(values[:, 0]))
    rows, _ = of_subsets(tests=2)
    assert summarised(rows)[1] == TOO_FEW


def of_pairs(runs):
    pairs = list(combinations(range(runs), 2))
    values = RANDOM.normal(0.5, 0.1, size=(len(pairs), 64))
    frames = [
        pd.DataFrame({"case": "a", "seed": a, "other_seed": b, "test_index": range(64), "estimate": row})
        for (a, b), row in zip(pairs, values, strict=True)
    ]
    return pd.concat(frames).sample(frac=1, random_state=0), values, pairs


def test_pairs_of_runs_count_by_run():
    rows, values, pairs = of_pairs(5)
    mean, over = summarised(rows, CORRELATION)
    same(mean, correlation_scaled(mean_of_crossed(jackknife_of_pairs(fisher(values), pairs))))
    assert (over, mean.rows) == ("5 runs by pairs × 64 test examples", 5)


def test_of_one_pair_or_with_no_second_run_the_test_examples_are_the_replicates():
    rows, values, _ = of_pairs(2)
    mean, over = summarised(rows)
    same(mean, mean_of_crossed(values))
    assert over == "64 test examples of one pair of runs"
    assert summarised(rows.assign(other_seed=-1))[1] == "64 test examples of one run"


def test_each_row_of_a_share_is_a_trial_of_its_run():
    for scale, function, least in ((SHARE, mean_of_shares, 0), (DIFFERENCE, mean_of_differences, -1)):
        rows = frame(5, 4, columns=("test_index",)).assign(test_index=lambda rows: range(len(rows)))
        rows = rows.assign(estimate=RANDOM.integers(least, 2, size=20).astype(float))
        mean, over = summarised(rows, scale)
        same(mean, function([group.to_numpy() for _, group in rows.groupby("seed").estimate]))
        assert over == "20 trials of 5 runs"


def test_of_one_run_each_trial_or_example_is_a_replicate():
    for column, what in (("test_index", "trials"), ("train_index", "training examples")):
        rows = pd.DataFrame({"case": "a", "seed": 0, column: range(6), "estimate": [1.0, 0, 1, 1, 0, 1]})
        mean, over = summarised(rows, SHARE)
        same(mean, mean_of_shares(list(rows.estimate.to_numpy()[:, None])))
        assert over == f"6 {what} of one run"


@pytest.mark.parametrize("shape", [(2, 4, 64), (2, 1, 1), (1, 2, 64), (1, 2, 1)])
def test_two_replicates_are_too_few(shape):
    mean, over = summarised(frame(*shape))
    assert np.isfinite(mean.value)
    assert np.isnan(mean.ends()).all()
    assert over == TOO_FEW


def test_two_runs_of_trials_are_too_few():
    rows = pd.DataFrame({"case": "a", "seed": [0, 0, 1, 1], "estimate": [1.0, 0, 1, 1]})
    assert summarised(rows, SHARE)[1] == TOO_FEW


def test_constant_predictions_have_no_mean():
    rows = frame(5, 4, 64)
    rows.loc[(rows.seed == 3) & (rows.train_index == 31), "estimate"] = np.nan
    mean, over = summarised(rows, CORRELATION)
    assert np.isnan([mean.value, *mean.ends()]).all()
    assert over == TOO_FEW


@pytest.mark.parametrize(
    "ragged",
    [
        lambda rows: rows[(rows.seed > 0) | (rows.test_index > 0)],  # a run lacks a test example
        lambda rows: rows.assign(test_index=rows.test_index + 8 * rows.seed),  # each run has its own
        lambda rows: rows.assign(train_index=0),  # an example stands there twice
    ],
)
def test_runs_that_do_not_share_their_test_examples_are_an_error(ragged):
    with pytest.raises(FadingError, match="do not share their test examples"):
        averaged(ragged(frame(5, 4, 8)), "estimate", ["case"])


def test_there_is_a_row_per_key_in_their_order():
    rows = pd.concat([frame(5, columns=()).assign(epsilon=epsilon) for epsilon in (1.0, 0.1, np.nan)])
    table = averaged(rows, "estimate", ["case", "epsilon"])
    assert table.columns.tolist() == ["case", "epsilon", "estimate", *UNCERTAINTY]
    assert table.epsilon.tolist() == pytest.approx([1.0, 0.1, np.nan], nan_ok=True)
    one = averaged(rows[rows.epsilon == 0.1], "estimate", ["case"])
    assert table.ci_low[1] == one.ci_low.item()


def test_a_second_column_has_an_interval_of_its_own_name():
    names = own("kept")
    assert list(names) == list(UNCERTAINTY)
    table = averaged(frame(5, columns=()).rename(columns={"estimate": "kept"}), "kept", ["case"]).rename(columns=names)
    expected = "kept_low kept_high kept_se_rows kept_se_columns kept_df kept_scale kept_rows kept_se_nested kept_over"
    assert table.columns.tolist() == ["case", "kept", *expected.split()]


def test_uncertainty_is_all_that_makes_a_mean_but_its_value():
    mean = Mean(0.4, 0.1, 0.2, 5.5, CORRELATION, 5, 0.05)
    columns = uncertainty(mean, "5 runs")
    assert tuple(columns) == UNCERTAINTY
    assert (columns["ci_low"], columns["ci_high"], columns["over"]) == (*mean.ends(), "5 runs")
    assert Mean(0.4, **{name: columns[name] for name in UNCERTAINTY[2:-1]}) == mean


def test_values_by_test_example_stand_beside_what_each_example_is():
    values = {"predicted": np.arange(6.0).reshape(2, 3), "actual": -np.arange(6.0).reshape(2, 3)}
    rows = by_test_example(values, truth="retraining", train_index=np.array([7, 2]))
    assert rows.to_dict("list") == {
        "truth": ["retraining"] * 6,
        "train_index": [7, 7, 7, 2, 2, 2],
        "test_index": [0, 1, 2] * 2,
        "predicted": [0, 1, 2, 3, 4, 5],
        "actual": [0, -1, -2, -3, -4, -5],
    }
    assert list(rows) == ["truth", "train_index", "test_index", "predicted", "actual"]


def test_where_rows_are_of_comes_first():
    table = located(pd.DataFrame({"estimate": [1.0]}), case="a", seed=0)
    assert table.to_dict("list") == {"case": ["a"], "seed": [0], "estimate": [1.0]}
    assert list(table) == ["case", "seed", "estimate"]


def test_of_each_solver_what_used_the_most_products_is_kept():
    problem = {"case": "a", "seed": 0, "train_index": 3, "curvature": "hessian", "damping": 1.0}
    solved = [("cg", "standard", 1), ("cg", "standard", 5), ("lissa", "scale 1", 2), ("lissa", "scale 4", 9)]
    rows = pd.DataFrame([problem | dict(zip(("solver", "setting", "products"), one, strict=True)) for one in solved])
    assert most_products(rows).products.tolist() == [5, 2, 9]
