"""Parts of the training set left out, with planted additive effects, noise, other runs and single examples."""

import numpy as np
import pandas as pd
import pytest
from fading.evidence.tables import averaged
from fading.experiments.removal import (
    ANOTHER_ORDER,
    ANOTHER_SEED,
    EXPERIMENT,
    MEAN_OF_RUNS,
    ONE_ULP,
    SUBSETS,
    THIS_RUN,
    gain,
    joined,
    lds,
    predicted,
    scores_of_removal,
    sizes,
)
from fading.training.counterfactuals import NO_EXAMPLE
from fading.training.subsets import removed
from scipy import stats

EXAMPLES, TESTS, SUBSETS_OF_EACH, SHARES = 60, 6, 24, [0.05, 0.5]
RANDOM = np.random.default_rng(0)
INFLUENCE = RANDOM.normal(size=(EXAMPLES, TESTS))
NOISE = 1e-7 * RANDOM.normal(size=(1, TESTS))
AGAIN = 9


def removals(influence, subsets=SUBSETS_OF_EACH):
    """The noise, and what additive influence makes of random subsets."""
    masks, shares = removed(EXAMPLES, SHARES, subsets)
    changes = np.concatenate([NOISE, -masks.astype(float) @ influence])
    masks = np.concatenate([np.zeros_like(masks[:1]), masks])
    return {"loss_change": changes, "right": changes < 0, "share": np.append(0, shares), "removed": masks}


def left_out(influence, count=12):
    """Single examples left out, then some of them counted twice, then a group left out."""
    singles = [(7 * k) % EXAMPLES for k in range(count)]
    members = [(k, NO_EXAMPLE) for k in [*singles, *singles[:4]]] + [tuple(singles[:2])]
    epsilon = np.array([-1.0] * count + [1.0] * 4 + [-1.0])
    summed = np.array([sum(influence[k] for k in group if k != NO_EXAMPLE) for group in members])
    return {"members": np.array(members), "epsilon": epsilon, "loss_change": epsilon[:, None] * summed}


def scored(influence):
    return {"examples": np.arange(EXAMPLES), "scores": influence}


def score_of_each(frame) -> pd.Series:
    """The linear datamodeling score of each test example, by what it is of."""
    return frame.groupby(["truth", "estimator", "removed", "test_index"]).lds.mean()


def test_the_score_is_spearmans_correlation_over_subsets_of_each_test_example():
    summed = np.array([[1.0, 4], [2, 3], [3, 2], [4, 1]])
    changed = np.array([[10.0, 1], [30, 2], [20, 3], [40, 4]])
    np.testing.assert_allclose(lds(summed, changed), [1 - 6 * 2 / (4 * 15), -1])
    left, right = RANDOM.normal(size=(2, 30, 5))
    np.testing.assert_allclose(lds(left, right), [stats.spearmanr(left[:, m], right[:, m]).statistic for m in range(5)])


def test_what_scores_say_of_a_subset_is_minus_their_sum():
    mask = np.zeros((2, EXAMPLES), dtype=bool)
    mask[0, [3, 8]] = mask[1, 5] = True
    said = predicted(scored(INFLUENCE), mask)
    np.testing.assert_allclose(said, [-INFLUENCE[3] - INFLUENCE[8], -INFLUENCE[5]])
    shuffled = RANDOM.permutation(EXAMPLES)
    np.testing.assert_allclose(predicted({"examples": shuffled, "scores": INFLUENCE[shuffled]}, mask), said)


def test_planted_additive_effects_are_found_at_every_share_and_one_by_one():
    noise = RANDOM.normal(size=INFLUENCE.shape)
    scores = {"true": scored(INFLUENCE), "opposite": scored(-3 * INFLUENCE), "random": scored(noise)}
    frame = scores_of_removal(removals(INFLUENCE), {}, left_out(INFLUENCE), scores)
    assert set(frame.truth) == {THIS_RUN}
    counts = frame.groupby(["estimator", "removed", "share"]).subset.nunique()
    expected = {(name, n, n / EXAMPLES): s for name in scores for n, s in ((1, 12), (3, 24), (30, 24))}
    assert counts.to_dict() == pytest.approx(expected), "groups and what is counted twice are not singles"
    of_each = score_of_each(frame)
    for name, value in (("true", 1), ("opposite", -1)):
        np.testing.assert_allclose(of_each.xs(name, level="estimator"), value)
    described = EXPERIMENT.tables["removal"]
    table = averaged(frame.assign(case="a", seed=0), "lds", described["by"], described["scale"])
    chance = table[table.estimator == "random"]
    assert ((chance.ci_low < 0) & (chance.ci_high > 0)).all()
    assert set(table[table.removed == 30].over) == {f"{TESTS} test examples × 24 subsets of one run"}
    masks, shares = removed(EXAMPLES, SHARES, SUBSETS_OF_EACH)
    for count, share in ((3, 0.05), (30, 0.5)):
        expected = lds(-1.0 * masks[shares == share] @ noise, -1.0 * masks[shares == share] @ INFLUENCE)
        np.testing.assert_allclose(of_each[THIS_RUN, "random", count], expected)


def test_other_runs_stand_among_estimators_and_with_this_one_are_a_truth():
    """The other orders' and seed's influence differs; the mean of three runs is what the mean influence says."""
    own = [INFLUENCE, *(INFLUENCE + RANDOM.normal(size=INFLUENCE.shape) for _ in range(2))]
    again = {ANOTHER_ORDER: removals(own[1], AGAIN), ANOTHER_SEED: removals(own[2], AGAIN)}
    scores = {"this": scored(own[0]), "mean": scored(np.mean(own, axis=0)), "order": scored(own[1])}
    frame = scores_of_removal(removals(own[0]), again, left_out(own[0]), scores)
    assert set(frame.truth) == {THIS_RUN, MEAN_OF_RUNS}
    of_mean = frame[frame.truth == MEAN_OF_RUNS]
    assert set(of_mean.removed) == {3, 30}, "single examples are left out of this run alone"
    assert set(of_mean.estimator) == set(scores)
    assert of_mean.groupby(["estimator", "removed"]).subset.nunique().unique().tolist() == [AGAIN]
    others = frame[frame.estimator.isin(again)]
    assert set(others.truth) == {THIS_RUN}
    assert set(others.removed) == {3, 30}
    assert others.groupby(["estimator", "removed"]).subset.nunique().unique().tolist() == [AGAIN]
    of_each = score_of_each(frame)
    np.testing.assert_allclose(of_each[THIS_RUN, "this"], 1)
    np.testing.assert_allclose(of_each[MEAN_OF_RUNS, "mean"], 1)
    assert of_each[MEAN_OF_RUNS, "this"].mean() < 0.9
    masks, shares = removed(EXAMPLES, SHARES, AGAIN)
    for count, share in ((3, 0.05), (30, 0.5)):
        first = masks[shares == share]
        expected = lds(predicted(scored(own[1]), first), predicted(scored(own[0]), first))
        np.testing.assert_allclose(of_each[THIS_RUN, ANOTHER_ORDER, count], expected, err_msg="of the same subsets")


def test_all_are_compared_on_the_test_examples_that_every_estimator_scores():
    scores = {"all": scored(INFLUENCE), "few": scored(INFLUENCE[:, :4])}
    again = {ANOTHER_ORDER: removals(INFLUENCE, AGAIN)}
    frame = scores_of_removal(removals(INFLUENCE), again, left_out(INFLUENCE), scores)
    assert set(frame.groupby(["truth", "estimator", "removed"]).test_index.nunique()) == {4}
    np.testing.assert_allclose(score_of_each(frame), 1)


def test_a_gain_is_over_the_gradient_dot_product_on_the_same_subsets_and_test_examples():
    worse = INFLUENCE + RANDOM.normal(size=INFLUENCE.shape)
    scores = {"gradient-dot": scored(worse), "true": scored(INFLUENCE)}
    frame = scores_of_removal(removals(INFLUENCE), {}, left_out(INFLUENCE), scores).assign(case="a", seed=0)
    table = gain(frame).set_index(["estimator", "removed"])
    np.testing.assert_allclose(table.gain["gradient-dot"], 0, atol=1e-12)
    means = frame.groupby(["estimator", "removed"]).lds.mean()
    for count in (1, 3, 30):
        assert table.gain["true", count] == pytest.approx(1 - means["gradient-dot", count])
        assert table.ci_low["true", count] > 0
    assert table.over["true", 30] == f"{TESTS} test examples × 24 subsets of one run"


def test_sizes_of_changes_stand_beside_one_unit_in_the_last_place():
    frame = sizes(removals(INFLUENCE), left_out(INFLUENCE))
    by_size = frame.groupby(["what", "removed"])["size"].apply(list)
    assert set(by_size.index) == {(ONE_ULP, 0), (SUBSETS, 1), (SUBSETS, 3), (SUBSETS, 30)}
    np.testing.assert_allclose(by_size[ONE_ULP, 0], np.abs(NOISE[0]))
    masks, shares = removed(EXAMPLES, SHARES, SUBSETS_OF_EACH)
    np.testing.assert_allclose(by_size[SUBSETS, 30], np.abs(masks[shares == 0.5] @ INFLUENCE).ravel())
    np.testing.assert_allclose(by_size[SUBSETS, 1], np.abs(INFLUENCE[[7 * k % EXAMPLES for k in range(12)]]).ravel())
    assert frame[frame.removed == 1].share.unique() == pytest.approx([1 / EXAMPLES])


def test_removals_of_several_jobs_are_one_after_the_other():
    whole = removals(INFLUENCE)
    chunks = [{name: array[part] for name, array in whole.items()} for part in (slice(0, 20), slice(20, None))]
    for name, array in joined(chunks).items():
        np.testing.assert_array_equal(array, whole[name])
