"""Rank correlations as scipy has them; intervals that hold the mean, or the share, as often as they say."""

import numpy as np
import pandas as pd
import pytest
from fading.errors import FadingError
from fading.evidence.intervals import (
    bootstrap_interval,
    mean_interval,
    paired_interval,
    spearman_by_example,
    success_interval,
)
from fading.evidence.tables import interval_over_seeds
from scipy import stats

RANDOM = np.random.default_rng(0)


def test_spearman_by_example_is_scipys_row_by_row():
    predicted, actual = RANDOM.normal(size=(5, 30)).round(1), RANDOM.normal(size=(5, 30)).round(1)  # with ties
    expected = [stats.spearmanr(*rows).statistic for rows in zip(predicted, actual, strict=True)]
    np.testing.assert_allclose(spearman_by_example(predicted, actual), expected, atol=1e-12)


def test_a_constant_prediction_has_correlation_zero():
    assert spearman_by_example(np.ones((1, 9)), RANDOM.normal(size=(1, 9))).tolist() == [0.0]


def test_changes_that_are_not_finite_have_no_correlation():
    for broken in (np.nan, np.inf):
        with pytest.raises(FadingError, match="not finite"):
            spearman_by_example(np.array([[1.0, 2, 3]]), np.array([[1.0, broken, 3]]))


@pytest.mark.parametrize("count", [6, 8, 12])  # the numbers of examples in the default study
def test_the_interval_covers_the_mean_as_often_as_it_says(count):
    covered = 0
    for seed in range(1000):
        _, low, high = mean_interval(np.random.default_rng(seed).normal(1.0, 2.0, size=count))
        covered += low <= 1.0 <= high
    assert 0.93 <= covered / 1000 <= 0.97


def test_equal_values_have_an_interval_of_no_width():
    assert mean_interval(np.full(4, 0.5)) == (0.5, 0.5, 0.5)


def test_one_value_has_no_interval():
    mean, low, high = mean_interval(np.array([0.4]))
    assert mean == 0.4
    assert np.isnan([low, high]).all()


@pytest.mark.parametrize(
    ("seeds", "examples", "within", "between", "low", "high"),
    [
        (3, 4, 1.0, 0.0, 0.94, 0.99),
        (3, 4, 1.0, 1.0, 0.89, 0.96),
        (3, 4, 0.0, 1.0, 0.76, 0.86),  # what the docstring admits
        (3, 1, 1.0, 1.0, 0.92, 0.98),
        (1, 4, 1.0, 0.0, 0.92, 0.98),
        (1, 2, 1.0, 0.0, 0.92, 0.98),
    ],
)
def test_how_often_the_interval_over_seeds_and_examples_holds_the_mean(seeds, examples, within, between, low, high):
    covered, trials = 0, 400
    for trial in range(trials):
        random = np.random.default_rng(trial)
        values = within * random.normal(size=(seeds, examples)) + between * random.normal(size=(seeds, 1))
        columns = {"seed": np.repeat(range(seeds), examples), "train_index": np.tile(range(examples), seeds)}
        frame = pd.DataFrame({"case": "a", **columns, "estimate": values.ravel()})
        (row,) = interval_over_seeds(frame, "estimate").itertuples()
        assert row.estimate == pytest.approx(values.mean())
        covered += row.ci_low <= 0 <= row.ci_high
    assert low <= covered / trials <= high, covered / trials


def test_the_bootstrap_draws_the_same_each_time_and_takes_seeds_of_unequal_size():
    groups = [np.array([0.0, 1.0, 2.0]), np.array([3.0]), np.array([1.0, 1.0])]
    mean, low, high = bootstrap_interval(groups)
    assert (mean, low, high) == bootstrap_interval(groups)
    assert mean == pytest.approx(5 / 3)
    assert low < mean < high
    assert bootstrap_interval([np.full(3, 0.5)] * 2) == (0.5, 0.5, 0.5)


def test_success_without_a_failure_is_not_certain():
    assert success_interval([np.ones(18)]) == pytest.approx((1, 0.8241, 1), abs=1e-3)  # Wilson 1927: n / (n + z²)
    assert success_interval([np.zeros(6)] * 3) == pytest.approx((0, 0, 0.1759), abs=1e-3)
    mean, low, high = success_interval([np.ones(6), np.zeros(6), np.ones(6)])
    assert mean == pytest.approx(2 / 3)
    assert low < 0.2, "seeds that differ are three, not eighteen"
    assert high == 1


def test_a_paired_difference_follows_agresti_and_min():
    spread = 1.96 * np.sqrt(18 + 1 - 18**2 / 20) / 20  # √(b + c + 1 − (b − c)²/(n + 2))/(n + 2), b = 18, c = 0
    assert paired_interval([np.ones(18)]) == pytest.approx((1, 18 / 20 - spread, 1), abs=1e-3)
    assert paired_interval([np.zeros(6)] * 3) == pytest.approx((0, -1.96 / 20, 1.96 / 20), abs=1e-3)
    mean, low, high = paired_interval([np.array([1.0] * 12 + [0.0] * 5 + [-1.0])])
    centre, spread = 11 / 20, 1.96 * np.sqrt(14 - 121 / 20) / 20
    assert mean == pytest.approx(11 / 18)
    assert low <= centre - spread + 1e-3
    assert high >= centre + spread - 1e-3
