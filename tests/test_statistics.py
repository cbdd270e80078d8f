import numpy as np
import pandas as pd
import pytest
from fading.errors import FadingError
from fading.evidence.intervals import bootstrap_interval, mean_interval, spearman_by_example
from fading.evidence.tables import (
    interval_over_seeds,
    leave_one_out_correlations,
    leave_one_out_pairs,
    leave_one_out_summary,
    stack,
    unrolled_truth,
)
from fading.experiments import divergence
from fading.experiments.fading import fading_correlations, fading_curve
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
        "members": np.array([4, 0, 2, 4, -1])[:, None],
        "epsilon": np.array([1.0, 1, 1, 0, 0]),
    }
    return whole | arrays


def test_the_fading_curve_compares_each_example_with_its_own_score():
    one = changes()
    examples, right = np.array([0, 2, 4]), one["loss_change"][[1, 2, 0], 1]  # at the second step
    scores = {name: {"scores": sign * right, "examples": examples} for name, sign in (("good", 1), ("bad", -1))}
    response = {"effect": one["loss_change"][:3], "once": -one["loss_change"][:3]}
    correlations = fading_correlations(one, scores, response, [1, 5])
    at = fading_curve(correlations).set_index(["estimator", "step"]).spearman
    assert at["good", 5] == pytest.approx(1)
    assert at["bad", 5] == pytest.approx(-1)
    assert at["linear-response", 1] == pytest.approx(1)
    assert at["horizon-once", 1] == pytest.approx(-1)
    assert len(correlations) == 4 * 2 * 3
    seeds = pd.concat([correlations.assign(seed=seed) for seed in (0, 1, 2)])
    pooled = interval_over_seeds(seeds, "spearman").set_index(["estimator", "step"])
    assert pooled.spearman.to_dict() == pytest.approx(at.to_dict())
    assert (pooled.ci_low <= pooled.spearman + 1e-12).all()


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


def test_the_divergence_curve_refuses_a_null_that_moved():
    one, theory = changes(), {"error": np.full((2, 2), 0.25), "bound": np.full((2, 2), 3.0)}
    frame = divergence.curve(one, theory, [1, 5])
    assert frame.counterfactual.value_counts().to_dict() == {"up-weighted": 6, "A/A null": 2, "noise floor": 2}
    assert frame.response_error.notna().sum() == frame.bound.notna().sum() == 4
    one["norm"][3, 1] = 1e-30
    with pytest.raises(FadingError, match="moved by 1e-30: training is not deterministic"):
        divergence.curve(one, theory, [1, 5])
    with pytest.raises(FadingError, match="There is no A/A null"):
        divergence.curve(changes(epsilon=np.ones(5)), theory, [1, 5])


def test_leave_one_out_tables():
    effect = RANDOM.normal(size=(2, 5))
    chunks = [
        {
            "loss_change": np.stack([effect[0], -effect[0], effect[1]]),
            "members": np.array([[3], [3], [1]]),
            "epsilon": np.array([-1.0, 1, -1]),
        },
        {
            "loss_change": np.stack([-effect[1], effect[0] + effect[1]]),
            "members": np.array([[1, -1], [3, 1]]),
            "epsilon": np.array([1.0, -1]),
        },
    ]
    truths = {
        "retraining": stack(chunks, ["loss_change", "members", "epsilon"]),
        "proximal response": {name: array[:1] for name, array in chunks[0].items()} | {"residual": np.array([0.01])},
    }
    health = {"residual": np.array([0.1, 0.3]), "diverged": np.array([False, True])}
    health = {f"health.{name}": array for name, array in (health | {"negative_curvature": np.zeros(2)}).items()}
    scored = {"scores": -2 * effect[::-1], "examples": np.array([1, 3]), **health}
    scores = {"twice": scored, "opposite": scored | {"scores": 2 * effect[::-1]}}
    pairs = leave_one_out_pairs(truths, scores)
    twice = pairs[(pairs.estimator == "twice") & (pairs.truth == "retraining")]
    np.testing.assert_allclose(twice.actual, np.concatenate([*effect, effect.sum(0)]))
    np.testing.assert_allclose(twice.predicted, 2 * twice.actual, err_msg="a group's prediction is its members' sum")
    assert twice.train_index.tolist() == [3] * 5 + [1] * 5 + [3] * 5
    assert twice["size"].tolist() == [1] * 10 + [2] * 5
    assert twice.test_index.tolist() == list(range(5)) * 3
    assert (pairs.truth == "proximal response").sum() == 2 * 5
    correlations = leave_one_out_correlations(truths, scores)
    seeds = pd.concat([correlations.assign(case="a", seed=seed) for seed in (0, 1)])
    summary = leave_one_out_summary(seeds).set_index(["truth", "estimator", "size"])
    assert summary.spearman.round(12).to_dict() == {
        ("retraining", "twice", 1): 1,
        ("retraining", "twice", 2): 1,
        ("retraining", "opposite", 1): -1,
        ("retraining", "opposite", 2): -1,
        ("retraining", "mirror", 1): 1,
        ("proximal response", "twice", 1): 1,
        ("proximal response", "opposite", 1): -1,
    }
    assert summary.examples["retraining", "twice", 1] == 4, "two examples in two seeds"
    solver = summary.loc[("retraining", "twice", 1), ["residual", "diverged", "negative_curvature"]]
    np.testing.assert_allclose(solver.astype(float), [0.2, 0.5, 0])
    assert summary.truth_residual["proximal response", "twice", 1] == 0.01
    assert summary.loc[("retraining", "mirror", 1), ["truth_residual", "residual"]].isna().all()
    truth = {"linear response": unrolled_truth(scored)}
    against = leave_one_out_correlations(truth, scores).set_index(["estimator", "train_index"]).spearman
    assert against.to_dict() == pytest.approx(
        {(name, k): 1 - 2 * (name == "opposite") for name in scores for k in (1, 3)}
    )
    with pytest.raises(FadingError, match="no scores of the training examples 3"):
        leave_one_out_pairs(truths, {"some": {"scores": effect[:1], "examples": np.array([1])}})
