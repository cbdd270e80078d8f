import numpy as np
import pandas as pd
import pytest
from fading.errors import FadingError
from fading.statistics import mean_interval, spearman_by_example
from fading.tables import (
    divergence_curve,
    fading_curve,
    leave_one_out_correlations,
    leave_one_out_pairs,
    leave_one_out_summary,
    stack,
)
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


def changes(**arrays):
    """Three up-weighted examples, the null and the noise floor, over two steps and four test examples."""
    effect = RANDOM.normal(size=(5, 2, 4))
    norm = np.abs(RANDOM.normal(size=(5, 2)))
    norm[3] = 0
    whole = {
        "loss_change": effect,
        "norm": norm,
        "example": np.array([4, 0, 2, 4, -1]),
        "epsilon": np.array([1.0, 1, 1, 0, 0]),
    }
    return whole | arrays


def test_the_fading_curve_compares_each_example_with_its_own_score():
    one = changes()
    scores = np.zeros((6, 4))
    scores[[4, 0, 2]] = one["loss_change"][:3, 1]  # right at the second step
    frame = fading_curve(one, {"good": scores, "bad": -scores}, one["loss_change"][:2], [1, 5])
    at = frame.set_index(["estimator", "step"]).spearman
    assert at["good", 5] == pytest.approx(1)
    assert at["bad", 5] == pytest.approx(-1)
    assert at["linear-response", 1] == pytest.approx(1)
    assert frame.set_index(["estimator", "step"]).examples["linear-response", 1] == 2


def test_the_divergence_curve_refuses_a_null_that_moved():
    one = changes()
    frame = divergence_curve(one, np.full((2, 2), 0.25), [1, 5])
    assert frame.counterfactual.value_counts().to_dict() == {"up-weighted": 6, "A/A null": 2, "noise floor": 2}
    assert frame.response_error.notna().sum() == 4
    one["norm"][3, 1] = 1e-30
    with pytest.raises(FadingError, match="moved by 1e-30: training is not deterministic"):
        divergence_curve(one, np.zeros((2, 2)), [1, 5])
    with pytest.raises(FadingError, match="There is no A/A null"):
        divergence_curve(changes(epsilon=np.ones(5)), np.zeros((2, 2)), [1, 5])


def test_leave_one_out_tables():
    effect = RANDOM.normal(size=(2, 5))
    changes = stack(
        [
            {
                "loss_change": np.stack([effect[0], -effect[0]]),
                "example": np.array([3, 3]),
                "epsilon": np.array([-1.0, 1]),
            },
            {
                "loss_change": np.stack([effect[1], -effect[1]]),
                "example": np.array([1, 1]),
                "epsilon": np.array([-1.0, 1]),
            },
        ],
        ["loss_change", "example", "epsilon"],
    )
    scores = np.zeros((4, 5))
    scores[[3, 1]] = -2 * effect
    pairs = leave_one_out_pairs(changes, {"twice": scores})
    np.testing.assert_allclose(pairs.actual, effect.ravel())
    np.testing.assert_allclose(pairs.predicted, 2 * pairs.actual)
    assert pairs.train_index.tolist() == [3] * 5 + [1] * 5
    assert pairs.test_index.tolist() == list(range(5)) * 2
    correlations = leave_one_out_correlations(changes, {"twice": scores, "opposite": -scores})
    seeds = pd.concat([correlations.assign(case="a", seed=seed) for seed in (0, 1)])
    summary = leave_one_out_summary(seeds).set_index("estimator")
    assert summary.spearman.round(12).to_dict() == {"mirror": 1, "twice": 1, "opposite": -1}
    assert summary.examples["twice"] == 4, "two examples in two seeds"
