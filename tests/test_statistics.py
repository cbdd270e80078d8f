import numpy as np
import pytest
from fading.errors import FadingError
from fading.statistics import mean_interval, spearman_by_example
from fading.tables import divergence_curve, fading_curve, leave_one_out_pairs, leave_one_out_summary, stack
from scipy import stats

RANDOM = np.random.default_rng(0)


def test_spearman_by_example_is_scipys_row_by_row():
    predicted, actual = RANDOM.normal(size=(5, 30)).round(1), RANDOM.normal(size=(5, 30)).round(1)  # with ties
    expected = [stats.spearmanr(*rows).statistic for rows in zip(predicted, actual, strict=True)]
    np.testing.assert_allclose(spearman_by_example(predicted, actual), expected, atol=1e-12)


def test_a_constant_prediction_has_correlation_zero():
    assert spearman_by_example(np.ones((1, 9)), RANDOM.normal(size=(1, 9))).tolist() == [0.0]


def test_the_interval_covers_the_mean_as_often_as_it_says():
    covered = 0
    for seed in range(200):
        _, low, high = mean_interval(np.random.default_rng(seed).normal(1.0, 2.0, size=40))
        covered += low <= 1.0 <= high
    assert 0.88 <= covered / 200 <= 0.99
    assert mean_interval(np.arange(5.0)) == mean_interval(np.arange(5.0))


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
    with pytest.raises(FadingError, match="not deterministic"):
        divergence_curve(one, np.zeros((2, 2)), [1, 5])
    with pytest.raises(FadingError, match="missing"):
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
    np.testing.assert_allclose(pairs.predicted, 2 * pairs.actual)
    assert pairs[pairs.epsilon == -1].train_index.tolist() == [3] * 5 + [1] * 5
    assert pairs.test_index.tolist() == list(range(5)) * 4
    summary = leave_one_out_summary(changes, {"twice": scores}).set_index("estimator")
    assert summary.spearman["twice"] == pytest.approx(1)
    assert summary.spearman["mirror"] == pytest.approx(1)
    assert summary.examples["twice"] == 2
