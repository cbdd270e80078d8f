"""How long steps are remembered, from hand-made effects of uses and predictions of them."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from fading.experiments.memory import GRADIENT_DOT, ONCE, STEP_DOT, agreement, by_age, drop, gain, half_lives
from scipy import stats

AGES = (1, 2, 4)
SETTING = {"case": "a", "regime": "calm", "changed": "nothing", "learning_rate": 0.1, "batch_size": 8}
TESTS = 8


def test_agreement_is_over_test_examples_for_each_use_and_its_slope_and_size_over_uses():
    random = np.random.default_rng(0)
    actual = random.normal(size=(6, TESTS))
    factors = np.linspace(0.5, 4, TESTS)
    predicted = {"exact": actual, "scaled": actual * factors, "opposite": -actual, "other": random.normal(size=(6, 8))}
    frame = agreement(predicted, actual)
    assert list(zip(frame.estimator, frame.test_index, strict=True)) == list(product(predicted, range(TESTS)))
    by_name = {name: rows.set_index("test_index") for name, rows in frame.groupby("estimator")}
    for name, sign in (("exact", 1), ("opposite", -1)):
        np.testing.assert_allclose(by_name[name].spearman, sign, err_msg="whichever test example is left out")
        np.testing.assert_allclose(by_name[name].slope, sign)
        np.testing.assert_allclose(by_name[name]["size"], 1)
    np.testing.assert_allclose(by_name["scaled"].slope, 1 / factors)
    np.testing.assert_allclose(by_name["scaled"]["size"], 1 / factors)
    of_each = [stats.spearmanr(predicted["other"][use], actual[use]).statistic for use in range(6)]
    assert by_name["other"].spearman.mean() == pytest.approx(np.mean(of_each))
    left, right = predicted["other"][:, 3], actual[:, 3]
    assert by_name["other"].slope[3] == pytest.approx(left @ right / (left @ left))
    assert by_name["other"]["size"][3] == pytest.approx(np.linalg.norm(right) / np.linalg.norm(left))


def table_of(correlation, slope, runs=3, readings=(10, 14), forecast=None) -> pd.DataFrame:
    """Of each estimator, by age, a correlation and a slope; they scatter about these by reading, run and test example.

    Deviations cancel: between readings, between runs, and between test examples.
    """
    rows = []
    forecast = dict(zip(AGES, forecast or (1, 0.8, 0.4), strict=True))
    for estimator in correlation:
        for age, rho, left in zip(AGES, correlation[estimator], slope, strict=True):
            for run in range(runs):
                for place, read in enumerate(readings):
                    for test in range(TESTS):
                        moved = 0.02 * (run - (runs - 1) / 2) + 0.01 * (test - (TESTS - 1) / 2)
                        moved += 0.05 * (place - (len(readings) - 1) / 2)
                        what = {"spearman": rho + moved, "slope": left + moved, "size": 2 * left + moved}
                        what["forecast"] = forecast[age]
                        where = {"estimator": estimator, "read": read, "age": age, "seed": run, "test_index": test}
                        rows.append({**SETTING, **where, **what})
    return pd.DataFrame(rows)


CORRELATION = {GRADIENT_DOT: (0.9, 0.2, 0.1), STEP_DOT: (0.9, 0.2, 0.1), ONCE: (0.9, 0.8, 0.5)}


def test_by_age_stand_means_over_readings_runs_and_test_examples_with_an_interval_each():
    table = by_age(table_of(CORRELATION, (1, 0.6, 0.3))).set_index(["estimator", "age"])
    assert len(table) == 3 * len(AGES)
    for estimator, values in CORRELATION.items():
        for age, rho, left in zip(AGES, values, (1, 0.6, 0.3), strict=True):
            row = table.loc[estimator, age]
            assert row.spearman == pytest.approx(rho, abs=2e-3), "the mean over runs is one of Fisher's z"
            assert (row.slope, row["size"]) == pytest.approx((left, 2 * left))
            assert row.ci_low < row.spearman < row.ci_high
            assert row.slope_low < row.slope < row.slope_high
            assert row.size_low < row["size"] < row.size_high
            assert row.over == row.slope_over == row.size_over == f"3 runs × {TESTS} test examples"


def test_readings_are_no_replicates():
    once, twice = (by_age(table_of(CORRELATION, (1, 0.6, 0.3), readings=read)) for read in ((10,), (10, 14)))
    pd.testing.assert_frame_equal(once, twice)


def test_of_one_run_the_test_examples_are_the_replicates():
    table = by_age(table_of(CORRELATION, (1, 0.6, 0.3), runs=1))
    assert set(table.over) == {f"{TESTS} test examples of one run"}


def test_a_drop_is_from_the_first_age_of_the_same_run_and_test_example():
    table = drop(table_of(CORRELATION, (1, 0.6, 0.3))).set_index(["estimator", "age"])
    expected = {
        (name, age): rho[0] - low for name, rho in CORRELATION.items() for age, low in zip(AGES, rho, strict=True)
    }
    assert table["drop"].to_dict() == pytest.approx({key: value for key, value in expected.items() if key[1] > 1})
    np.testing.assert_allclose(table.ci_high - table.ci_low, 0, atol=1e-12, err_msg="what is common cancels")
    assert set(table.over) == {f"3 runs × {TESTS} test examples"}


def test_a_gain_is_over_the_gradient_dot_product_at_the_same_age():
    table = gain(table_of(CORRELATION, (1, 0.6, 0.3))).set_index(["estimator", "age"])["gain"]
    assert table[ONCE].to_dict() == pytest.approx({1: 0, 2: 0.6, 4: 0.4})
    np.testing.assert_allclose(table[GRADIENT_DOT], 0, atol=1e-12)


@pytest.mark.parametrize(
    ("slope", "observed", "censored"),
    [
        ((1, 0.6, 0.3), 2 + 2 * (0.6 - 0.5) / (0.6 - 0.3), 0),  # between ages by a straight line
        ((1, 0.25, 0.9), 1 + (1 - 0.5) / (1 - 0.25), 0),  # the first fall counts, whatever comes later
        ((1, 0.9, 0.6), 4, 1),  # not within the ages
        ((0.4, 0.2, 0.1), 1, 0),  # no age before
    ],
)
def test_a_half_life_is_where_the_slope_falls_through_one_half(slope, observed, censored):
    table = half_lives(table_of({STEP_DOT: (1, 1, 1), GRADIENT_DOT: (1, 1, 1)}, slope, runs=1))
    (row,) = table.to_dict("records")
    assert {name: row[name] for name in SETTING} == SETTING
    assert (row["observed"], row["observed_censored"]) == (pytest.approx(observed), censored)
    assert row["predicted"] == pytest.approx(2 + 2 * 0.3 / 0.4)
    error = np.nan if censored else abs(np.log2(row["observed"] / row["predicted"]))
    assert row["error"] == pytest.approx(error, nan_ok=True), "of what was seen"
    assert np.isnan(row["ci_low"]), "one run is too few to tell"


def test_half_lives_are_means_over_runs_with_an_error_over_runs():
    frame = table_of({STEP_DOT: (1, 1, 1)}, (1, 0.6, 0.3), runs=4)
    (row,) = half_lives(frame).to_dict("records")
    of_runs = [2 + 2 * (0.1 + moved) / 0.3 for moved in (-0.03, -0.01, 0.01, 0.03)]
    assert row["observed"] == pytest.approx(np.mean(of_runs))
    assert row["error"] == pytest.approx(np.abs(np.log2(np.array(of_runs) / 3.5)).mean())
    assert row["over"] == "4 runs"
    assert row["ci_low"] < row["error"] < row["ci_high"]
    frame.loc[frame.seed == 3, "slope"] = 0.9  # censored at the last age
    (row,) = half_lives(frame).to_dict("records")
    assert row["observed"] == pytest.approx(np.mean([*of_runs[:3], 4]))
    assert row["observed_censored"] == 0.25
    assert np.isnan([row["error"], row["ci_low"]]).all(), "a run's half-life was not seen"


def test_without_a_forecast_there_is_a_half_life_and_no_error():
    frame = table_of({STEP_DOT: (1, 1, 1)}, (1, 0.6, 0.3), runs=1, forecast=(np.nan,) * 3)
    (row,) = half_lives(frame).to_dict("records")
    assert row["observed"] == pytest.approx(2 + 2 * 0.1 / 0.3)
    assert np.isnan([row["predicted"], row["error"]]).all()
