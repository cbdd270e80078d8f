"""Planted dependence of rankings on the checkpoint, the order of the data and the seed."""

import numpy as np
import pytest
from fading.errors import FadingError
from fading.evidence.tables import averaged
from fading.experiments import EXPERIMENTS
from fading.experiments.trajectory import HALFWAY, ONE_RUN, ORDERS, SEEDS, agreement, by_estimator, rank_agreement


def scores(values, examples=None):
    return {"scores": values, "examples": np.arange(len(values)) if examples is None else np.array(examples)}


def test_planted_dependence_on_the_trajectory_is_found():
    random = np.random.default_rng(0)
    end, unlike = random.normal(size=(50, 6)), random.normal(size=(50, 6))
    frame = agreement(
        checkpoints={3: scores(np.exp(end)), 6: scores(-end), 9: scores(end)},
        orders=[scores(-end), scores(end)],
        seeds=[scores(end), scores(unlike), scores(end)],
    )
    means = frame.groupby(["between", "step", "seed", "other_seed"], sort=False).spearman.mean()
    assert means.to_dict() == {
        (HALFWAY, 3, 0, ONE_RUN): pytest.approx(1),  # ranks, not values
        (HALFWAY, 6, 0, ONE_RUN): pytest.approx(-1),
        (ORDERS, 9, 0, 1): pytest.approx(-1),
        (ORDERS, 9, 0, 2): pytest.approx(1),
        (SEEDS, 9, 0, 1): pytest.approx(0, abs=0.2),
        (SEEDS, 9, 0, 2): pytest.approx(1),
        (SEEDS, 9, 1, 2): means[SEEDS, 9, 0, 1],
    }
    assert (frame.test_index == np.tile(range(6), 7)).all()
    with pytest.raises(FadingError, match="at least 3 training examples; 1 were scored in both"):
        rank_agreement(scores(end), scores(end[:1], [4]))


def test_pairs_of_runs_share_runs_and_test_examples():
    random = np.random.default_rng(0)
    runs = [random.normal(size=(30, 8)) + random.normal(size=(30, 1)) for _ in range(4)]
    frame = agreement({3: scores(runs[1]), 9: scores(runs[0])}, [scores(runs[2])], [scores(run) for run in runs])
    described = EXPERIMENTS["trajectory"].tables["trajectory"]
    located = frame.assign(case="a", estimator="abif")
    table = averaged(located, described["mean"], described["by"], described["scale"]).set_index("between")
    assert table.over.to_dict() == {
        HALFWAY: "8 test examples of one run",
        ORDERS: "8 test examples of one pair of runs",
        SEEDS: "4 runs by pairs × 8 test examples",
    }
    assert (table.rows[SEEDS], table.se_rows[HALFWAY]) == (4, 0)
    z = np.arctanh(frame[frame.between == HALFWAY].spearman)
    assert table.se_columns[HALFWAY] == pytest.approx(z.std() / np.sqrt(8), rel=0.1)
    assert ((table.ci_low < table.spearman) & (table.spearman < table.ci_high)).all()


def test_files_go_to_the_estimator_that_wrote_them():
    files = ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert by_estimator(["b", "a"], ["b0", "b1", "a0", "a1"]) == {"b": ["b0", "b1"], "a": ["a0", "a1"]}
    assert by_estimator(["a", "b"], files) == {"a": files[:3], "b": files[3:]}
    assert by_estimator(["a", "b"], []) == {"a": [], "b": []}
