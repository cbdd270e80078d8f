"""How much would decide: with the counts named four studies of five do, with fewer it is not as many."""

import math
from dataclasses import replace

import numpy as np
import pytest
from fading.evidence.claims import INCONCLUSIVE, LEVEL, verdict
from fading.evidence.intervals import (
    CORRELATION,
    SHARE,
    Mean,
    correlation_scaled,
    fisher,
    mean_of_crossed,
    mean_of_differences,
    mean_of_nested,
    mean_of_rows,
    mean_of_shares,
)
from fading.evidence.power import MOST, decided_by
from scipy import stats

TESTS = 30
RANDOM = np.random.default_rng(0)
ROWS, SHARED = RANDOM.normal(size=(6, 1)), RANDOM.normal(size=TESTS)
NOISE = RANDOM.normal(size=(6, TESTS))
CROSSED, OF_TESTS = 0.5 * ROWS + 0.4 * SHARED + NOISE, 0.2 * ROWS + SHARED + NOISE  # rows matter more, or test examples
HITS = [np.array(hits, float) for hits in ([1, 1, 0, 1], [1, 0, 1, 1], [1, 1, 1, 0], [0, 1, 1, 1], [1, 0, 0, 1])]
APART = [np.array(hits, float) for hits in ([1, 1, 0, 1], [1, 0, 0, 1], [-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0])]
MEANS = {
    "linear": mean_of_rows(RANDOM.normal(1, 1, size=5)),
    "linear, crossed": mean_of_crossed(CROSSED),
    "correlation": correlation_scaled(mean_of_rows(RANDOM.normal(0.5, 0.3, size=5))),
    "correlation, crossed": correlation_scaled(mean_of_crossed(CROSSED)),
    "share": mean_of_shares(HITS),
    "share, all alike": mean_of_shares([np.ones(4)] * 5),
    "difference": mean_of_differences(APART),
}


def with_rows(mean, rows):
    """The mean of another number of rows, at what their variance is and that of as many test examples."""
    of_rows, of_columns = mean.se_rows**2 * mean.rows / rows, mean.se_columns**2
    df = (of_rows + of_columns) ** 2 / (of_rows**2 / (rows - 1) + of_columns**2 / (TESTS - 1))
    return replace(mean, se_rows=math.sqrt(of_rows), rows=rows, df=df if math.isfinite(mean.df) else math.inf)


def power(mean, threshold):
    """In which share of studies, nearly, the bound leaves the threshold, were the mean the truth."""
    away = abs(mean.beyond(threshold, "at least")) / mean.se - stats.t.ppf(1 - LEVEL, mean.df)
    if mean.scale == "share":  # scatters as it does where it is, its bound as at the threshold
        spread = mean.value * (1 - mean.value)
        away = away * math.sqrt(threshold * (1 - threshold) / spread) if spread else math.copysign(math.inf, away)
    return stats.t.cdf(away, mean.df)


def thresholds(mean, shares):
    """Thresholds as far from a mean as these multiples of its interval's reach, on both sides."""
    low, high = mean.ends(1 - 2 * LEVEL)
    beside = [mean.value - share * (mean.value - low) for share in shares]
    return beside + [mean.value + share * (high - mean.value) for share in shares if high > mean.value]


@pytest.mark.parametrize("name", MEANS)
def test_at_as_many_rows_a_mean_is_itself(name):
    mean = MEANS[name]
    same = with_rows(mean, mean.rows)
    assert (same.se_rows, same.df) == pytest.approx((mean.se_rows, mean.df))


@pytest.mark.parametrize("name", MEANS)
def test_so_many_runs_decide_in_four_studies_of_five_and_one_fewer_in_less(name):
    mean = MEANS[name]
    for threshold in thresholds(mean, (0.95, 1.2, 1.3, 1.6)):
        for direction in ("at least", "at most"):
            decided = decided_by(mean, threshold, direction, LEVEL)
            assert decided["replicates"] == mean.rows
            needed = decided["needed"]
            assert power(with_rows(mean, needed), threshold) >= 0.8
            assert needed == 3 or power(with_rows(mean, needed - 1), threshold) < 0.8
            if needed <= mean.rows:
                assert verdict(mean, threshold, direction) != INCONCLUSIVE, "what has them has decided"


@pytest.mark.parametrize(("threshold", "needed"), [(0.0, 5), (0.5, 13)])
def test_of_studies_with_as_many_runs_as_needed_about_four_in_five_decide(threshold, needed):
    pilot = np.array([-0.5, 0.5, 1.0, 1.5, 2.5]) * 0.6 + 0.4
    assert decided_by(mean_of_rows(pilot), threshold, "at least", LEVEL)["needed"] == needed
    studies = np.random.default_rng(0).normal(pilot.mean(), pilot.std(ddof=1), size=(2000, needed))
    decide = [verdict(mean_of_rows(study), threshold, "at least") != INCONCLUSIVE for study in studies]
    assert 0.75 < np.mean(decide) < 0.9


def test_more_runs_are_needed_the_nearer_the_threshold_is():
    mean = MEANS["linear"]
    near, nearer = (decided_by(mean, mean.value - distance, "at least", LEVEL)["needed"] for distance in (0.5, 0.05))
    assert nearer == pytest.approx(100 * near, rel=0.05)
    assert nearer <= MOST
    assert decided_by(mean, mean.value - 0.005, "at least", LEVEL)["needed"] == math.inf
    assert decided_by(mean, mean.value, "at least", LEVEL)["needed"] == math.inf


@pytest.mark.parametrize("scale", ["linear", CORRELATION])
def test_where_test_examples_are_too_few_no_number_of_runs_will_do(scale):
    mean = mean_of_crossed(OF_TESTS)
    mean = replace(mean, se_nested=mean.se_rows)
    mean = correlation_scaled(mean) if scale == CORRELATION else mean
    columns = replace(mean, se_rows=0.0, df=TESTS - 1)
    inside, outside = thresholds(columns, (1.4, 1.6))[:2]
    assert power(columns, inside) < 0.8 < power(columns, outside)
    assert decided_by(mean, inside, "at least", LEVEL)["needed"] == math.inf
    assert decided_by(mean, inside, "at least", LEVEL)["needed_each"] == math.inf
    assert decided_by(mean, outside, "at least", LEVEL)["needed"] < math.inf
    assert decided_by(mean, outside, "at least", LEVEL)["needed_each"] < math.inf


def test_more_examples_each_decide_where_runs_do_not_differ_too_much():
    values = RANDOM.normal(1, 1, size=(20, 1)) + 0.02 * np.repeat(RANDOM.normal(size=5), 4)[:, None]
    mean = mean_of_nested(values, np.repeat(range(5), 4))
    assert mean.se_nested > 0
    mean = replace(mean, se_rows=mean.se_nested * 1.05)
    between = mean.se_rows**2 - mean.se_nested**2
    for threshold in thresholds(mean, (0.5, 1.5)):
        each = decided_by(mean, threshold, "at least", LEVEL)["needed_each"]
        assert (each > 1) == (power(mean, threshold) < 0.8)
        multiplied = [replace(mean, se_rows=math.sqrt(between + mean.se_nested**2 / f)) for f in (each, each / 1.04)]
        assert [power(other, threshold) >= 0.8 for other in multiplied] == [True, False]
    never = mean.value - 0.9 * math.sqrt(between) * (2.1318 + 0.9410)  # t's quantiles at 4 degrees of freedom
    assert decided_by(mean, never, "at least", LEVEL)["needed_each"] == math.inf


@pytest.mark.parametrize("threshold", [0.3, 1.2])
def test_no_more_than_all_of_the_variance_is_from_having_few_examples(threshold):
    every, beyond = (replace(MEANS["linear"], se_nested=times * MEANS["linear"].se_rows) for times in (1, 3))
    each = decided_by(every, threshold, "at least", LEVEL)["needed_each"]
    assert each < math.inf
    assert decided_by(beyond, threshold, "at least", LEVEL)["needed_each"] == each
    assert power(replace(every, se_rows=every.se_rows / math.sqrt(each)), threshold) >= 0.8


@pytest.mark.parametrize("name", MEANS)
def test_a_replicate_without_examples_of_its_own_can_have_no_more(name):
    mean = replace(MEANS[name], se_nested=0.0)
    assert math.isnan(decided_by(mean, 0.4, "at least", LEVEL)["needed_each"])


def test_the_test_examples_of_one_run_decide_or_not():
    mean = correlation_scaled(mean_of_crossed(fisher(0.6 + 0.5 * RANDOM.normal(size=(1, TESTS)))))
    assert (mean.se_rows, mean.rows, mean.scale) == (0, 1, CORRELATION)
    away = (1.6991 + 0.8542) * mean.se_columns  # t's quantiles at 29 degrees of freedom
    below, above = np.tanh(np.arctanh(mean.value) - away * np.array([1.001, 0.999]))
    assert decided_by(mean, below, "at least", LEVEL)["needed"] == 1
    assert decided_by(mean, above, "at least", LEVEL)["needed"] == math.inf


def test_what_does_not_vary_is_decided_and_what_has_no_error_is_not_known():
    assert decided_by(Mean(0.0, 0.0), 0, "at most", LEVEL)["needed"] == 1
    for unknown in (Mean(0.2, math.nan, rows=2), Mean(math.nan, math.nan), Mean(math.nan, 0.1, scale=SHARE)):
        power = decided_by(unknown, 0.5, "at least", LEVEL)
        assert power["replicates"] == unknown.rows
        assert all(math.isnan(power[name]) for name in ("needed", "needed_each"))
