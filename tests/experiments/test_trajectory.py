"""Planted dependence of rankings on the checkpoint, the order of the data and the seed."""

import numpy as np
import pytest
from fading.errors import FadingError
from fading.experiments.trajectory import HALFWAY, ORDERS, SEEDS, agreement, by_estimator, rank_agreement


def scores(values, examples=None):
    return {"scores": values, "examples": np.arange(len(values)) if examples is None else np.array(examples)}


def test_planted_dependence_on_the_trajectory_is_found():
    random = np.random.default_rng(0)
    end, unlike = random.normal(size=(50, 6)), random.normal(size=(50, 6))
    frame = agreement(
        checkpoints={3: scores(np.exp(end)), 9: scores(end)},
        orders=[scores(-end)],
        seeds=[scores(end), scores(unlike), scores(end)],
    )
    means = frame.groupby("between").spearman.mean()
    assert means[HALFWAY] == pytest.approx(1), "ranks, not values"
    assert means[ORDERS] == pytest.approx(-1)
    seeds = frame[frame.between == SEEDS].groupby("seed").spearman.mean()
    assert abs(seeds[0]) < 0.2
    assert seeds[1] == pytest.approx(1)
    with pytest.raises(FadingError, match="at least 3 training examples; 1 were scored in both"):
        rank_agreement(scores(end), scores(end[:1], [4]))


def test_files_go_to_the_estimator_that_wrote_them():
    files = ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert by_estimator(["b", "a"], ["b0", "b1", "a0", "a1"]) == {"b": ["b0", "b1"], "a": ["a0", "a1"]}
    assert by_estimator(["a", "b"], files) == {"a": files[:3], "b": files[3:]}
    assert by_estimator(["a", "b"], []) == {"a": [], "b": []}
