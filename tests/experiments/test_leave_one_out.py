"""Predictions of planted effects of leaving out, one by one and in groups, and their mirror."""

import numpy as np
import pytest
from fading.errors import FadingError
from fading.experiments.effects import PROXIMAL, RETRAINING, UNROLLED, stack
from fading.experiments.leave_one_out import MIRROR, correlations, pairs, summary, unrolled_truth
from scipy import stats


def test_leave_one_out_tables():
    effect = np.random.default_rng(0).normal(size=(2, 5))
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
        RETRAINING: stack(chunks, ["loss_change", "members", "epsilon"]),
        PROXIMAL: {name: array[:1] for name, array in chunks[0].items()} | {"residual": np.array([0.01])},
    }
    health = {"residual": np.array([0.1, 0.3]), "diverged": np.array([False, True])}
    health = {f"health.{name}": array for name, array in (health | {"negative_curvature": np.zeros(2)}).items()}
    scored = {"scores": -2 * effect[::-1], "examples": np.array([1, 3]), **health}
    scores = {"twice": scored, "opposite": scored | {"scores": 2 * effect[::-1]}}
    frame = pairs(truths, scores)
    twice = frame[(frame.estimator == "twice") & (frame.truth == RETRAINING)]
    np.testing.assert_allclose(twice.actual, np.concatenate([*effect, effect.sum(0)]))
    np.testing.assert_allclose(twice.predicted, 2 * twice.actual, err_msg="a group's prediction is its members' sum")
    assert twice.train_index.tolist() == [3] * 5 + [1] * 5 + [3] * 5
    assert twice["size"].tolist() == [1] * 10 + [2] * 5
    assert twice.test_index.tolist() == list(range(5)) * 3
    assert (frame.truth == PROXIMAL).sum() == 2 * 5
    of_examples = correlations(truths, scores).assign(case="a", seed=0)
    assert len(of_examples) == (2 * 3 + 2 + 2 * 1) * 5, "a row for each test example"
    sizes = of_examples.groupby(["truth", "estimator", "size", "train_index"]).size()
    assert set(sizes) == {5}
    means = of_examples.groupby(["truth", "estimator", "size"]).spearman.mean()
    assert means.round(12).to_dict() == {
        (RETRAINING, "twice", 1): 1,
        (RETRAINING, "twice", 2): 1,
        (RETRAINING, "opposite", 1): -1,
        (RETRAINING, "opposite", 2): -1,
        (RETRAINING, MIRROR, 1): 1,
        (PROXIMAL, "twice", 1): 1,
        (PROXIMAL, "opposite", 1): -1,
    }
    table = summary(of_examples).set_index(["truth", "estimator", "size"])
    assert (table.spearman.abs() > 0.9).all(), "as near to one as five test examples can tell"
    assert np.sign(table.spearman).to_dict() == np.sign(means).to_dict()
    solver = table.loc[(RETRAINING, "twice", 1), ["residual", "diverged", "negative_curvature"]]
    np.testing.assert_allclose(solver.astype(float), [0.2, 0.5, 0])
    assert table.truth_residual[PROXIMAL, "twice", 1] == 0.01
    assert table.loc[(RETRAINING, MIRROR, 1), ["truth_residual", "residual"]].isna().all()
    with pytest.raises(FadingError, match="no scores of the training examples 3"):
        pairs(truths, {"some": {"scores": effect[:1], "examples": np.array([1])}})


def test_the_first_order_along_the_whole_run_is_a_truth_of_its_own():
    """Of what was retrained without, singles and a group, in their order; not of what was counted twice."""
    random = np.random.default_rng(0)
    scored = {"scores": random.normal(size=(4, 5)), "examples": np.array([1, 3, 6, 8])}
    scores = {"itself": scored, "opposite": scored | {"scores": -scored["scores"]}}
    members = np.array([[6, -1], [3, -1], [6, -1], [6, 3]])
    retrained = {"members": members, "epsilon": np.array([-1.0, -1, 1, -1]), "loss_change": random.normal(size=(4, 9))}
    truth = unrolled_truth(scored, retrained)
    of_3, of_6 = scored["scores"][1:3]
    np.testing.assert_array_equal(truth["members"], members[[0, 1, 3]])
    np.testing.assert_array_equal(truth["loss_change"], -np.stack([of_6, of_3, of_6 + of_3]))
    assert (truth["epsilon"] == -1).all()
    by_test = correlations({UNROLLED: truth}, scores)
    against = by_test.groupby(["estimator", "size", "train_index"]).spearman.mean()
    expected = {
        (name, *what): sign for name, sign in (("itself", 1), ("opposite", -1)) for what in ((1, 6), (1, 3), (2, 6))
    }
    assert against.to_dict() == pytest.approx(expected)


def test_an_estimator_of_fewer_test_examples_is_compared_on_these():
    effect = np.random.default_rng(0).normal(size=(3, 9))
    truth = {"loss_change": effect, "members": np.arange(3)[:, None], "epsilon": -np.ones(3)}
    scores = {
        "all": {"scores": -effect, "examples": np.arange(3)},
        "few": {"scores": -effect[:, :4], "examples": np.arange(3)},
    }
    for frame in (pairs({RETRAINING: truth}, scores), correlations({RETRAINING: truth}, scores)):
        counted = frame.groupby(["estimator", "train_index"]).test_index.nunique()
        assert counted.to_dict() == {(name, k): n for name, n in (("all", 9), ("few", 4)) for k in range(3)}
    np.testing.assert_allclose(correlations({RETRAINING: truth}, scores).groupby("estimator").spearman.mean(), 1)


def test_the_mirror_is_of_those_that_are_counted_twice_whatever_their_place():
    """More are left out than counted twice, by jobs of their own."""
    effect = np.random.default_rng(0).normal(size=(5, 9))
    members, epsilon = np.array([4, 0, 2, 1, 3, 2, 4]), np.array([-1.0] * 5 + [1.0] * 2)
    changes = np.stack([*effect[[4, 0, 2, 1, 3]], -effect[2], effect[4]])
    truth = {"loss_change": changes, "members": members[:, None], "epsilon": epsilon}
    mirror = correlations({RETRAINING: truth}, {}).groupby(["estimator", "train_index"]).spearman.mean()
    assert mirror.to_dict() == pytest.approx({(MIRROR, 2): 1, (MIRROR, 4): -1})


def test_the_interval_is_over_left_out_examples_and_test_examples():
    random = np.random.default_rng(0)
    effect = random.normal(size=(6, 20))
    truth = {"loss_change": effect, "members": np.arange(6)[:, None], "epsilon": -np.ones(6)}
    forecasts = {name: -effect + spread * random.normal(size=effect.shape) for name, spread in (("a", 0.5), ("b", 2))}
    scores = {name: {"scores": array, "examples": np.arange(6)} for name, array in forecasts.items()}
    scores["constant"] = {"scores": np.zeros((6, 20)), "examples": np.arange(6)}
    table = summary(correlations({RETRAINING: truth}, scores).assign(case="a", seed=0)).set_index("estimator")
    for name, array in forecasts.items():
        of_each = [stats.spearmanr(-array[k], effect[k]).statistic for k in range(6)]
        assert table.spearman[name] == pytest.approx(np.tanh(np.arctanh(of_each).mean())), "Fisher's z is averaged"
    assert ((table.ci_low < table.spearman) & (table.spearman < table.ci_high))[["a", "b"]].all()
    assert set(table.over[["a", "b"]]) == {"6 training examples of one run × 20 test examples"}
    assert table.rows["a"] == 6
    assert table.loc["constant", ["spearman", "ci_low", "ci_high"]].isna().all(), "what ranks nothing has no number"
