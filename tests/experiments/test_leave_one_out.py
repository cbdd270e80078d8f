"""Predictions of planted effects of leaving out, one by one and in groups, and their mirror."""

import numpy as np
import pandas as pd
import pytest
from fading.errors import FadingError
from fading.experiments.effects import PROXIMAL, RETRAINING, UNROLLED, stack
from fading.experiments.leave_one_out import MIRROR, correlations, pairs, summary, unrolled_truth


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
    seed = correlations(truths, scores)
    seeds = pd.concat([seed.assign(case="a", seed=number) for number in (0, 1)])
    table = summary(seeds).set_index(["truth", "estimator", "size"])
    assert table.spearman.round(12).to_dict() == {
        (RETRAINING, "twice", 1): 1,
        (RETRAINING, "twice", 2): 1,
        (RETRAINING, "opposite", 1): -1,
        (RETRAINING, "opposite", 2): -1,
        (RETRAINING, MIRROR, 1): 1,
        (PROXIMAL, "twice", 1): 1,
        (PROXIMAL, "opposite", 1): -1,
    }
    assert table.examples[RETRAINING, "twice", 1] == 4, "two examples in two seeds"
    solver = table.loc[(RETRAINING, "twice", 1), ["residual", "diverged", "negative_curvature"]]
    np.testing.assert_allclose(solver.astype(float), [0.2, 0.5, 0])
    assert table.truth_residual[PROXIMAL, "twice", 1] == 0.01
    assert table.loc[(RETRAINING, MIRROR, 1), ["truth_residual", "residual"]].isna().all()
    with pytest.raises(FadingError, match="no scores of the training examples 3"):
        pairs(truths, {"some": {"scores": effect[:1], "examples": np.array([1])}})


def test_the_linear_response_along_the_whole_run_is_a_truth_of_its_own():
    scored = {"scores": np.random.default_rng(0).normal(size=(2, 5)), "examples": np.array([1, 3])}
    scores = {"itself": scored, "opposite": scored | {"scores": -scored["scores"]}}
    against = correlations({UNROLLED: unrolled_truth(scored)}, scores).set_index(["estimator", "train_index"]).spearman
    expected = {(name, example): sign for name, sign in (("itself", 1), ("opposite", -1)) for example in (1, 3)}
    assert against.to_dict() == pytest.approx(expected)
    assert (unrolled_truth(scored)["epsilon"] == -1).all()
    np.testing.assert_array_equal(unrolled_truth(scored)["loss_change"], -scored["scores"])
