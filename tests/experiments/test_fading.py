"""Curves of planted scores, each against its own example's effect; a planted decomposition; chunks joined."""

import numpy as np
import pandas as pd
import pytest
from fading.errors import FadingError
from fading.evidence.tables import located
from fading.experiments.effects import summed_scores, theory
from fading.experiments.fading import (
    CURVATURE,
    KEPT,
    MENDED,
    NOT_HALVED,
    PATH,
    REST,
    REUSE,
    TOGETHER,
    decomposition,
    drop,
    fading_correlations,
    fading_curve,
)
from scipy import stats


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
    at = correlations.groupby(["estimator", "step"]).spearman.mean()
    assert at["good", 5] == pytest.approx(1)
    assert at["bad", 5] == pytest.approx(-1)
    assert at["linear-response", 1] == pytest.approx(1)
    assert at["horizon-once", 1] == pytest.approx(-1)
    assert len(correlations) == 4 * 2 * 3 * 4
    curve = fading_curve(correlations.assign(case="net", regime="calm", seed=0))
    assert len(curve) == 4 * 2
    of_run = curve.set_index(["estimator", "step"]).spearman
    assert of_run["good", 5] > 0.89, "as near to one as four test examples can tell"
    assert of_run["bad", 5] < -0.89


def curves(steps: list[int], *runs: tuple[float, ...], **where) -> pd.DataFrame:
    """Correlations whose mean over two examples and three test examples is a curve for each run."""
    rows = [
        {"seed": run, "step": step, "train_index": 10 * run + k, "test_index": test, "spearman": mean + k * test / 10}
        for run, curve in enumerate(runs)
        for step, mean in zip(steps, curve, strict=True)
        for k in (-1, 1)
        for test in range(3)
    ]
    return located(pd.DataFrame(rows), **({"case": "net", "regime": "calm", "estimator": "abif"} | where))


def test_a_drop_is_from_the_first_step_to_the_last_of_the_same_examples():
    frame = pd.concat(
        [
            curves([1, 5, 20], (0.9, 0.6, 0.2), (0.8, 0.5, 0.3), (1.0, 0.0, 0.7)),
            curves([2, 7], (0.5, 0.9), (0.5, 0.7), (0.6, 0.9), regime="edge"),
        ]
    ).sample(frac=1, random_state=0)
    table = drop(frame).set_index("regime")
    drops = np.array([0.7, 0.5, 0.3])
    low, high = stats.ttest_1samp(drops, 0).confidence_interval(0.95)
    assert table.loc["calm", ["drop", "ci_low", "ci_high"]].tolist() == pytest.approx([0.5, low, high])
    assert table.over["calm"] == "3 runs × 3 test examples"
    assert table["drop"]["edge"] == pytest.approx(-0.3), "each regime has recorded steps of its own"


@pytest.mark.parametrize(
    ("curve", "step"),
    [
        ((0.9, 0.6, 0.2), 5 + 15 * 0.1 / 0.4),
        ((0.9, 0.1, 0.9), 1 + 4 * 0.4 / 0.8),
        ((0.9, 0.5, 0.2), 5),
        ((0.5, 0.4, 0.2), 1),
        ((0.49, 0.4, 0.2), np.nan),  # begins below
        ((0.9, 0.8, 0.5), np.nan),  # never does
        ((np.nan, np.nan, np.nan), np.nan),
    ],
)
def test_a_correlation_is_halved_where_the_line_between_two_steps_crosses_one_half(curve, step):
    (row,) = drop(curves([1, 5, 20], curve)).itertuples()
    assert row.halved == pytest.approx(step, nan_ok=True)
    assert row.runs_halved == (0 if np.isnan(step) else 1)


HALVING = (0.9, 0.1, 0.9), (0.9, 0.6, 0.2), (0.9, 0.5, 0.2)  # at the steps 3, 8.75 and 5


def test_the_step_of_halving_is_the_mean_over_runs_with_its_interval():
    (row,) = drop(curves([1, 5, 20], *HALVING)).itertuples()
    steps = np.array([3, 8.75, 5])
    low, high = stats.ttest_1samp(steps, 0).confidence_interval(0.95)
    assert (row.halved, row.halved_low, row.halved_high) == pytest.approx((steps.mean(), low, high))
    assert (row.runs_halved, row.halved_over) == (3, "3 runs")


@pytest.mark.parametrize("other", [(0.9, 0.9, 0.9), (0.1, 0.1, 0.1)])
def test_unless_all_runs_fall_through_one_half_there_is_no_step_of_halving(other):
    falling = curves([1, 5, 20], *HALVING, estimator="cg")
    table = drop(pd.concat([falling, curves([1, 5, 20], other, *HALVING)])).set_index("estimator")
    assert table.loc["abif", ["halved", "halved_low", "halved_high"]].isna().all()
    assert (table.runs_halved["abif"], table.halved_over["abif"]) == (3, NOT_HALVED)
    assert table["drop"]["abif"] == pytest.approx((sum(run[0] - run[2] for run in (other, *HALVING))) / 4)
    assert (table.runs_halved["cg"], table.halved_over["cg"]) == (3, "3 runs")


def test_an_estimator_that_ranks_nothing_has_no_drop():
    frame = pd.concat([curves([1, 5], *[(0.9, 0.1)] * 3), curves([1, 5], *[(np.nan,) * 2] * 3, estimator="none")])
    table = drop(frame).set_index("estimator")
    assert table["drop"]["abif"] == pytest.approx(0.8)
    assert table.loc["none", ["drop", "ci_low", "halved"]].isna().all()


ALL = set(MENDED.values())


def planted(right: set[str], wrong: np.ndarray, actual: np.ndarray) -> pd.Series:
    """The parts where the predictions named are right and all others are `wrong`."""
    changes = {"loss_change": actual, "members": np.array([[4], [6]]), "epsilon": np.ones(2)}
    response = {name: actual if name in right else wrong for name in ALL}
    shares = decomposition(changes, response, [5])
    assert (shares.groupby(["part", "train_index"]).size() == actual.shape[2]).all()
    return shares.groupby("part").share.mean()


def test_a_mend_that_explains_everything_has_all_of_the_gain():
    actual = np.random.default_rng(0).normal(size=(2, 1, 9))
    with_curvature = {name for mends, name in MENDED.items() if CURVATURE in mends}
    shares = planted(with_curvature, -actual, actual)
    assert shares.to_dict() == pytest.approx({KEPT: -1, CURVATURE: 2, REUSE: 0, PATH: 0, REST: 0}, abs=1e-12)


def test_mends_that_help_together_alone_share_the_gain():
    actual = np.random.default_rng(0).normal(size=(2, 1, 9))
    shares = planted({"horizon", "effect"}, -actual, actual)
    assert shares.to_dict() == pytest.approx({KEPT: -1, CURVATURE: 1, REUSE: 1, PATH: 0, REST: 0}, abs=1e-12)


def test_parts_are_differences_of_correlations_over_all_orders_and_sum_to_one():
    generator = np.random.default_rng(1)
    actual = generator.normal(size=(3, 2, 9))
    changes = {"loss_change": actual, "members": np.array([[4], [6], [9]]), "epsilon": np.ones(3)}
    response = {name: actual + generator.normal(size=actual.shape) for name in sorted(ALL)}
    shares = decomposition(changes, response, [1, 5])
    assert len(shares) == 5 * actual.size
    assert shares.part.unique().tolist() == [KEPT, CURVATURE, REUSE, PATH, REST]
    together = shares.groupby(["step", "train_index", "test_index"]).share.sum()
    np.testing.assert_allclose(together, 1)
    at = {name: stats.spearmanr(effect[2, 1], actual[2, 1]).statistic for name, effect in response.items()}
    curvature = (
        2 * (at["once"] - at["static"] + at["effect"] - at["tracin"])  # two of the six orders each
        + (at["horizon"] - at["repeated"])
        + (at["effect-once"] - at["path"])
    ) / 6
    mine = shares[(shares.step == 5) & (shares.train_index == 9)].groupby("part").share.mean()
    assert mine[CURVATURE] == pytest.approx(curvature)
    assert mine[KEPT] == pytest.approx(at["static"])
    assert mine[REST] == pytest.approx(1 - at["effect"])


def test_where_theory_has_the_whole_first_order_alone_its_mends_are_one_part():
    actual = np.random.default_rng(0).normal(size=(2, 1, 9))
    changes = {"loss_change": actual, "members": np.array([[4], [6]]), "epsilon": np.ones(2)}
    shares = decomposition(changes, {"static": -actual, "effect": actual}, [5]).groupby("part").share.mean()
    assert shares.to_dict() == pytest.approx({KEPT: -1, TOGETHER: 2, REST: 0})


def test_what_theory_says_is_joined_from_the_chunks_that_up_weight():
    effect = np.arange(12.0).reshape(3, 2, 2)
    chunks = [
        {"norm": np.ones((2, 2)), "theory.effect": effect[:2]},
        {"norm": np.ones((2, 2)), "theory.effect": effect[2:]},
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
