"""Means and intervals as scipy and the formulas of their sources have them; p-values are the intervals' other side."""

from itertools import combinations

import numpy as np
import pytest
from fading.evidence.intervals import (
    BOUNDED,
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
    mean_of_rows,
    mean_of_shares,
)
from scipy import stats

RANDOM = np.random.default_rng(0)
AT_LEAST, AT_MOST = "at least", "at most"
MEANS = {
    LINEAR: Mean(0.4, 0.1, 0.2, 5.5),
    CORRELATION: Mean(0.4, 0.1, 0.2, 5.5, CORRELATION),
    SHARE: Mean(0.4, 0.12, scale=SHARE),
    BOUNDED: Mean(0.4, 0.1, df=4, scale=BOUNDED),
}


@pytest.mark.parametrize("count", [3, 5, 12])
def test_the_mean_of_rows_is_students(count):
    values = RANDOM.normal(1.0, 2.0, size=count)
    mean = mean_of_rows(values)
    for confidence in (0.9, 0.95):
        expected = stats.ttest_1samp(values, 0.0).confidence_interval(confidence)
        assert mean.ends(confidence) == pytest.approx((expected.low, expected.high))
    assert (mean.value, mean.df, mean.rows) == (pytest.approx(values.mean()), count - 1, count)
    for threshold in (-0.5, 0.8, 3.0):
        for direction, alternative in ((AT_LEAST, "greater"), (AT_MOST, "less")):
            expected = stats.ttest_1samp(values, threshold, alternative=alternative).pvalue
            assert mean.p_value(threshold, direction) == pytest.approx(expected)


@pytest.mark.parametrize("count", [1, 2])
def test_below_three_replicates_there_is_no_interval(count):
    values, groups = RANDOM.normal(size=count), [np.array([1.0, 0.0])] * count
    few = [mean_of_rows(values), mean_of_crossed(values[None]), mean_of_shares(groups), mean_of_differences(groups)]
    if count == 2:  # of one row the columns are the replicates
        few.append(mean_of_crossed(RANDOM.normal(size=(count, 64))))
    for mean in few:
        assert np.isfinite(mean.value)
        assert np.isnan(mean.ends()).all()
        assert np.isnan(mean.p_value(0.5, AT_LEAST))


def test_a_crossed_mean_has_the_components_of_an_analysis_of_variance():
    values = RANDOM.normal(size=(4, 6)) + 2 * RANDOM.normal(size=6) + RANDOM.normal(size=(4, 1))
    rows, columns, grand = values.mean(1), values.mean(0), values.mean()
    between_rows = sum(6 * (row - grand) ** 2 for row in rows) / 3
    between_columns = sum(4 * (column - grand) ** 2 for column in columns) / 5
    noise = sum((values[i, j] - rows[i] - columns[j] + grand) ** 2 for i in range(4) for j in range(6)) / 15
    of_rows, of_columns = between_rows / 24, (between_columns - noise) / 24
    assert of_columns > 0
    mean = mean_of_crossed(values)
    assert mean.value == pytest.approx(grand)
    assert (mean.se_rows**2, mean.se_columns**2) == pytest.approx((of_rows, of_columns))
    assert mean.df == pytest.approx((of_rows + of_columns) ** 2 / (of_rows**2 / 3 + of_columns**2 / 5))  # Satterthwaite
    reach = stats.t.ppf(0.975, mean.df) * np.sqrt(of_rows + of_columns)
    assert mean.ends() == pytest.approx((grand - reach, grand + reach))


def test_without_noise_the_errors_are_those_of_rows_and_of_columns():
    of_rows, of_columns = RANDOM.normal(size=5), RANDOM.normal(size=64)
    mean = mean_of_crossed(of_rows[:, None] + of_columns)
    assert (mean.se_rows, mean.se_columns) == pytest.approx((stats.sem(of_rows), stats.sem(of_columns)))


def test_columns_that_vary_less_than_noise_add_nothing():
    values = RANDOM.normal(size=(5, 8))
    values -= values.mean(0)
    mean = mean_of_crossed(values + RANDOM.normal(size=(5, 1)))
    assert (mean.se_columns, mean.df) == (0.0, 4)


def test_of_one_row_the_columns_are_the_replicates():
    values = RANDOM.normal(size=(1, 64))
    alone, expected = mean_of_crossed(values), mean_of_rows(values[0])
    assert (alone.se_rows, alone.se_columns, alone.df, alone.rows) == (0.0, expected.se_rows, 63, 1)
    assert alone.ends() == pytest.approx(expected.ends())


def test_of_fewer_than_three_columns_the_rows_alone_count():
    values = RANDOM.normal(size=(5, 2))
    assert mean_of_crossed(values) == mean_of_rows(values.mean(1))


def test_a_nested_mean_is_that_of_runs_and_tells_what_examples_add():
    values = RANDOM.normal(size=(7, 6))
    rows = np.array([9, 4, 4, 9, 4, 2, 9])  # three of 9, three of 4, one of 2
    groups = [values[rows == run] for run in (9, 4, 2)]
    mean = mean_of_nested(values, rows)
    assert mean.value == pytest.approx(np.mean([group.mean() for group in groups]))
    crossed = mean_of_crossed(np.stack([group.mean(0) for group in groups]))
    assert (mean.se_rows, mean.se_columns, mean.df, mean.rows) == (
        crossed.se_rows,
        crossed.se_columns,
        crossed.df,
        3,
    )
    within = [stats.sem(group.mean(1)) ** 2 for group in groups[:2]]
    assert mean.se_nested == pytest.approx(np.sqrt(sum(within)) / 3)


def test_fishers_z_is_that_of_the_mean_and_varies_as_the_delta_method_says():
    values = RANDOM.normal(0.5, 1.0, size=(3, 64))
    z = fisher(values)
    np.testing.assert_allclose(z.mean(1), np.arctanh(values.mean(1)))
    moved = values.copy()
    moved[:, 7] += 1e-6
    slopes = (np.arctanh(moved.mean(1)) - np.arctanh(values.mean(1))) / 1e-6 * 64  # of z by the mean
    np.testing.assert_allclose(z - z.mean(1, keepdims=True), slopes[:, None] * (values - values.mean(1, keepdims=True)))


def test_correlations_of_one_are_half_a_swap_of_neighbours_from_it():
    swapped = np.arange(64)
    swapped[[20, 21]] = swapped[[21, 20]]
    half = (1 + stats.spearmanr(np.arange(64), swapped).statistic) / 2
    np.testing.assert_allclose(np.tanh(fisher(np.ones((2, 64)))), half)
    np.testing.assert_allclose(np.tanh(fisher(-np.ones((2, 64)))), -half)


def test_the_mean_over_pairs_is_that_of_runs_with_the_jackknifes_variance():
    pairs = list(combinations("abcde", 2))
    values = RANDOM.normal(size=(10, 6))
    by_run = jackknife_of_pairs(values, pairs)
    assert by_run.shape == (5, 6)
    np.testing.assert_allclose(by_run.mean(0), values.mean(0))
    without = np.array([values[[run not in pair for pair in pairs]].mean(0) for run in "abcde"])
    jackknifed = 4 / 5 * ((without - without.mean(0)) ** 2).sum(0)
    np.testing.assert_allclose(by_run.var(0, ddof=1) / 5, jackknifed)


def test_pairs_that_are_sums_of_their_runs_vary_as_the_runs_do():
    of_runs = RANDOM.normal(size=(5, 6))
    pairs = list(combinations(range(5), 2))
    sums = np.stack([of_runs[first] + of_runs[second] for first, second in pairs])
    np.testing.assert_allclose(jackknife_of_pairs(sums, pairs), 2 * of_runs)


@pytest.mark.parametrize(
    ("groups", "successes", "trials"),
    [
        ([[1, 1, 1, 1]] * 5, 5, 5),  # nothing tells how much runs differ: one a run
        ([[0, 0, 0, 0]] * 5, 0, 5),
        ([[1, 0, 1, 0]] * 5, 10, 20),  # runs that do not differ: all trials
        ([[1, 1, 0]] * 4, 8, 12),
        ([[1, 1]] * 4 + [[1, 0]] * 4, 9, 12),  # of eight runs four are worth one trial each, four two
    ],
)
def test_a_share_has_wilsons_interval(groups, successes, trials):
    mean = mean_of_shares([np.array(group, float) for group in groups])
    assert mean.value == successes / trials
    for confidence in (0.9, 0.95):
        expected = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
        assert mean.ends(confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_a_share_of_which_fewer_than_five_trials_count_has_no_interval():
    alike = [np.ones(4)] * 4
    assert np.isnan(mean_of_shares(alike).se), "all four may have done so together, as in one case of sixteen by chance"
    assert mean_of_shares([*alike, np.ones(4)]).se > 0
    assert mean_of_shares([*alike[:2], np.array([1.0, 1, 1, 0])]).se > 0


def test_a_share_whose_runs_differ_is_of_fewer_trials():
    groups = [np.array(group, float) for group in [[1] * 4, [0] * 4] * 3]
    mean = mean_of_shares(groups)
    trials = 0.25 / (0.3 / 6)  # share (1 − share) / (variance between runs / runs)
    assert 0.25 / mean.se**2 == pytest.approx(trials)
    z = stats.norm.ppf(0.975)
    expected = z / (1 + z**2 / trials) * np.sqrt(0.25 / trials + z**2 / (4 * trials**2))
    assert mean.ends() == pytest.approx((0.5 - expected, 0.5 + expected))
    assert mean.se_nested == pytest.approx(0.5 / np.sqrt(24))


def test_a_share_is_tested_by_its_score():
    mean = mean_of_shares([np.array([1.0, 1, 0, 1])] * 5)
    for threshold in (0.5, 0.9):
        score = (0.75 - threshold) / np.sqrt(threshold * (1 - threshold) / 20)
        assert mean.p_value(threshold, AT_LEAST) == pytest.approx(stats.norm.sf(score))


@pytest.mark.parametrize(
    ("trials", "pairs"),
    [
        ([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 1], [1, 0, 0, 0], [0, 0, 0, 1]], 20),
        ([[1, 1, 1, 1]] * 5, 5),
        ([[0, 0, 0, 0]] * 5, 5),
    ],
)
def test_a_paired_difference_is_no_surer_than_agresti_and_mins(trials, pairs):
    mean = mean_of_differences([np.array(group, float) for group in trials])
    more, less = ((np.array(trials) == sign).sum() * pairs / 20 for sign in (1, -1))
    variance = (more + less + 1 - (more - less) ** 2 / (pairs + 2)) / (pairs + 2) ** 2
    assert mean.se**2 == pytest.approx(variance)
    assert (mean.df, mean.value) == (pairs - 1, np.mean(trials))


def test_a_paired_difference_whose_runs_differ_is_students_over_runs():
    groups = [np.full(4, value) for value in (1.0, -1, 1, 0, 1)]
    mean, expected = mean_of_differences(groups), mean_of_rows(np.array([1.0, -1, 1, 0, 1]))
    assert (mean.value, mean.se_rows, mean.df) == pytest.approx((expected.value, expected.se_rows, 4))
    assert mean.ends() == pytest.approx(np.clip(expected.ends(), -1, 1))


def test_one_trial_that_ends_otherwise_changes_an_interval_little():
    """Of five runs of four trials, all of which end alike but perhaps one."""
    alike, other = ([np.ones(4)] * 4 + [np.array([1.0, 1, 1, last])] for last in (1, 0))
    for mean_of in (mean_of_shares, mean_of_differences):
        low, lower = (mean_of(groups).ends(0.9).low for groups in (alike, other))
        assert low - 0.04 < lower < low + 0.11


@pytest.mark.parametrize("threshold", [0.1, 0.39, 0.41, 0.62])
@pytest.mark.parametrize("scale", MEANS)
def test_a_p_value_is_at_what_confidence_the_bound_is_the_threshold(scale, threshold):
    mean = MEANS[scale]
    direction, end = (AT_LEAST, "low") if threshold < mean.value else (AT_MOST, "high")
    p = mean.p_value(threshold, direction)
    assert 0 < p < 0.5
    assert getattr(mean.ends(1 - 2 * p), end) == pytest.approx(threshold)
    other = AT_MOST if direction == AT_LEAST else AT_LEAST
    assert mean.p_value(threshold, other) == pytest.approx(1 - p)
    assert mean.beyond(threshold, direction) == pytest.approx(-mean.beyond(threshold, other))


def test_a_bound_is_beyond_its_threshold_where_the_p_value_is_small():
    for mean in MEANS.values():
        low, high = mean.ends(0.9)
        for threshold in np.linspace(0.02, 0.98, 49):
            assert (mean.p_value(threshold, AT_LEAST) <= 0.05) == (low >= threshold)
            assert (mean.p_value(threshold, AT_MOST) <= 0.05) == (high <= threshold)


@pytest.mark.parametrize("value", [-1.0, -0.98, 0.0, 0.98, 1.0])
@pytest.mark.parametrize("spread", [0.0, 0.3, 5.0])
def test_ends_are_possible_values(value, spread):
    values = value + spread * RANDOM.normal(size=(5, 64))
    correlation = correlation_scaled(mean_of_crossed(fisher(values)))
    share = mean_of_shares([np.full(4, float(value > 0))] * 4 + [np.full(4, float(spread > 1))])
    difference = mean_of_differences([np.full(4, np.sign(value))] * 4 + [np.full(4, float(spread > 1))])
    for mean, least in ((correlation, -1), (share, 0), (difference, -1)):
        low, high = mean.ends()
        assert least <= low <= high <= 1
        assert low - 1e-12 <= mean.value <= high + 1e-12


def test_without_any_spread_a_mean_is_on_one_side_for_certain():
    for values in (np.full((5, 64), 0.5), np.ones((5, 64))):
        for mean in (mean_of_crossed(values), correlation_scaled(mean_of_crossed(fisher(values)))):
            assert mean.se == 0
            assert mean.ends() == (mean.value, mean.value)
            assert mean.p_value(mean.value, AT_LEAST) == mean.p_value(mean.value, AT_MOST) == 0
            assert (mean.p_value(0.4, AT_LEAST), mean.p_value(0.4, AT_MOST)) == (0, 1)


def test_what_is_not_a_number_has_no_interval():
    values = np.ones((5, 64))
    values[2] = np.nan
    for mean in (mean_of_crossed(values), correlation_scaled(mean_of_crossed(fisher(values)))):
        assert np.isnan(mean.value)
        assert np.isnan(mean.ends()).all()
        assert np.isnan(mean.p_value(0.5, AT_LEAST))
