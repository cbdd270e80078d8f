"""How much would decide: with the counts named an interval leaves the threshold, with fewer it does not."""

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

TESTS = 30
RANDOM = np.random.default_rng(0)
ROWS, SHARED = RANDOM.normal(size=(6, 1)), RANDOM.normal(size=TESTS)
NOISE = RANDOM.normal(size=(6, TESTS))
CROSSED, OF_TESTS = 0.5 * ROWS + 0.4 * SHARED + NOISE, 0.2 * ROWS + SHARED + NOISE  # rows matter more, or test examples
HITS = [np.array(hits, float) for hits in ([1, 1, 0, 1], [1, 0, 1, 1], [1, 1, 1, 0], [0, 1, 1, 1], [1, 0, 0, 1])]
MEANS = {
    "linear": mean_of_rows(RANDOM.normal(1, 1, size=5)),
    "linear, crossed": mean_of_crossed(CROSSED),
    "correlation": correlation_scaled(mean_of_rows(RANDOM.normal(0.5, 0.3, size=5))),
    "correlation, crossed": correlation_scaled(mean_of_crossed(CROSSED)),
    "share": mean_of_shares(HITS),
    "share, all alike": mean_of_shares([np.ones(4)] * 5),
    "difference": mean_of_differences([1 - hits for hits in HITS]),
}


def with_rows(mean, rows):
    """The mean of another number of rows, at what their variance is and that of as many test examples."""
    of_rows, of_columns = mean.se_rows**2 * mean.rows / rows, mean.se_columns**2
    df = (of_rows + of_columns) ** 2 / (of_rows**2 / (rows - 1) + of_columns**2 / (TESTS - 1))
    return replace(mean, se_rows=math.sqrt(of_rows), rows=rows, df=df if math.isfinite(mean.df) else math.inf)


def leaves(mean, threshold):
    low, high = mean.ends(1 - 2 * LEVEL)
    return not low < threshold < high


def thresholds(mean, shares):
    """Thresholds as far from a mean as these shares of its interval's reach, on both sides."""
    low, high = mean.ends(1 - 2 * LEVEL)
    beside = [mean.value - share * (mean.value - low) for share in shares]
    return beside + [mean.value + share * (high - mean.value) for share in shares if high > mean.value]


@pytest.mark.parametrize("name", MEANS)
def test_at_as_many_rows_a_mean_is_itself(name):
    mean = MEANS[name]
    same = with_rows(mean, mean.rows)
    assert (same.se_rows, same.df) == pytest.approx((mean.se_rows, mean.df))


@pytest.mark.parametrize("name", MEANS)
def test_so_many_runs_decide_and_one_fewer_does_not(name):
    mean = MEANS[name]
    for threshold in thresholds(mean, (0.8, 0.95, 1.05, 1.6)):
        for direction in ("at least", "at most"):
            power = decided_by(mean, threshold, direction, LEVEL)
            assert power["replicates"] == mean.rows
            needed = power["needed"]
            assert leaves(with_rows(mean, needed), threshold)
            assert needed == 3 or not leaves(with_rows(mean, needed - 1), threshold)
            decided = verdict(mean, threshold, direction) != INCONCLUSIVE
            assert (needed <= mean.rows) == decided, "it agrees with the verdict"


def test_more_runs_are_needed_the_nearer_the_threshold_is():
    mean = MEANS["linear"]
    near, nearer = (decided_by(mean, mean.value - distance, "at least", LEVEL)["needed"] for distance in (0.3, 0.03))
    assert nearer == pytest.approx(100 * near, rel=0.05)
    assert nearer <= MOST
    assert decided_by(mean, mean.value - 0.003, "at least", LEVEL)["needed"] == math.inf
    assert decided_by(mean, mean.value, "at least", LEVEL)["needed"] == math.inf


@pytest.mark.parametrize("scale", ["linear", CORRELATION])
def test_where_test_examples_are_too_few_no_number_of_runs_will_do(scale):
    mean = mean_of_crossed(OF_TESTS)
    mean = replace(mean, se_nested=mean.se_rows)
    mean = correlation_scaled(mean) if scale == CORRELATION else mean
    columns = replace(mean, se_rows=0.0, df=TESTS - 1)
    inside, outside = thresholds(columns, (0.9, 1.1))[:2]
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
        assert (each > 1) == (verdict(mean, threshold, "at least") == INCONCLUSIVE)
        multiplied = [replace(mean, se_rows=math.sqrt(between + mean.se_nested**2 / f)) for f in (each, each / 1.04)]
        assert [leaves(other, threshold) for other in multiplied] == [True, False]
    never = mean.value - 0.9 * math.sqrt(between) * 2.1318  # t's quantile at 4 degrees of freedom
    assert decided_by(mean, never, "at least", LEVEL)["needed_each"] == math.inf


@pytest.mark.parametrize("name", MEANS)
def test_a_replicate_without_examples_of_its_own_can_have_no_more(name):
    mean = replace(MEANS[name], se_nested=0.0)
    assert math.isnan(decided_by(mean, 0.4, "at least", LEVEL)["needed_each"])


def test_the_test_examples_of_one_run_decide_or_not():
    mean = correlation_scaled(mean_of_crossed(fisher(0.6 + 0.5 * RANDOM.normal(size=(1, TESTS)))))
    assert (mean.se_rows, mean.rows, mean.scale) == (0, 1, CORRELATION)
    low, _ = mean.ends(1 - 2 * LEVEL)
    assert decided_by(mean, low - 1e-6, "at least", LEVEL)["needed"] == 1
    assert decided_by(mean, low + 1e-6, "at least", LEVEL)["needed"] == math.inf


def test_what_does_not_vary_is_decided_and_what_has_no_error_is_not_known():
    assert decided_by(Mean(0.0, 0.0), 0, "at most", LEVEL)["needed"] == 1
    for unknown in (Mean(0.2, math.nan, rows=2), Mean(math.nan, math.nan), Mean(math.nan, 0.1, scale=SHARE)):
        power = decided_by(unknown, 0.5, "at least", LEVEL)
        assert power["replicates"] == unknown.rows
        assert all(math.isnan(power[name]) for name in ("needed", "needed_each"))
