"""Curves of planted scores, each against its own example's effect; a planted decomposition; chunks joined."""

import numpy as np
import pandas as pd
import pytest
from fading.errors import FadingError
from fading.evidence.tables import interval_over_seeds
from fading.experiments.effects import summed_scores, theory
from fading.experiments.fading import REST, decomposition, fading_correlations, fading_curve


def test_the_fading_curve_compares_each_example_with_its_own_score():
    effect = np.random.default_rng(0).normal(size=(5, 2, 4))
    changes = {  # three up-weighted examples, the null and the noise floor, over two steps and four test examples
        "loss_change": effect,
        "members": np.array([4, 0, 2, 4, -1])[:, None],
        "epsilon": np.array([1.0, 1, 1, 0, 0]),
    }
    examples, right = np.array([0, 2, 4]), effect[[1, 2, 0], 1]  # at the second step
    scores = {name: {"scores": sign * right, "examples": examples} for name, sign in (("good", 1), ("bad", -1))}
    response = {"effect": effect[:3], "once": -effect[:3]}
    correlations = fading_correlations(changes, scores, response, [1, 5])
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


def test_a_planted_decomposition():
    actual = np.random.default_rng(0).normal(size=(2, 1, 9))
    changes = {"loss_change": actual, "members": np.array([[4], [6]]), "epsilon": np.ones(2)}
    response = {"static": -actual, "once": actual, "horizon": actual, "effect": actual}
    shares = decomposition(changes, response, [5]).groupby("part").share.mean()
    assert shares.to_dict() == pytest.approx({"kept": -1, "curvature": 2, "re-use": 0, "path": 0, REST: 0}, abs=1e-12)
    shares = decomposition(changes, {"static": -actual, "effect": -actual}, [5]).groupby("part").share.mean()
    assert shares.to_dict() == pytest.approx({"kept": -1, "path": 0, REST: 2})


def test_what_theory_says_is_joined_from_the_chunks_that_up_weight():
    effect = np.arange(12.0).reshape(3, 2, 2)
    chunks = [
        {"norm": np.ones((2, 2)), "theory.effect": effect[:2], "theory.sharpness": np.array(3.0)},
        {"norm": np.ones((2, 2)), "theory.effect": effect[2:], "theory.sharpness": np.array(4.0)},
        {"norm": np.zeros((1, 2))},  # the null alone
    ]
    (said,) = theory(chunks).items()
    assert said[0] == "effect"
    np.testing.assert_array_equal(said[1], effect)


def test_a_groups_score_is_the_sum_of_its_members():
    scored = {"scores": np.array([[1.0, 2], [10, 20]]), "examples": np.array([7, 3])}
    assert summed_scores(scored, np.array([[3, -1], [3, 7]])).tolist() == [[10, 20], [11, 22]]
    with pytest.raises(FadingError, match="no scores of the training examples 5, 9"):
        summed_scores(scored, np.array([[9, 5], [3, 7]]))
