"""Remedies of planted effects, each example against its own; noise in the place of curvature."""

import numpy as np
import pandas as pd
import pytest
from fading.evidence.tables import averaged
from fading.experiments import EXPERIMENTS
from fading.experiments.remedies import remedies

EFFECTS = np.random.default_rng(0).normal(size=(2, 8))  # of leaving out the examples 2 and 7
CHANGES = {
    "members": np.array([[7, -1], [2, -1], [2, -1], [7, 2]]),
    "epsilon": np.array([-1.0, -1, 1, -1]),
    "loss_change": np.stack([EFFECTS[1], EFFECTS[0], -EFFECTS[0], EFFECTS[0] + EFFECTS[1]]),
}
SOLUTIONS = {
    "examples": np.array([2, 7]),
    "eigenvalues.hessian": np.ones(3),
    "hessian/0.1": -EFFECTS,
    "residual.hessian/0.1": np.array([0.1, 0.3]),
    "hessian/1": EFFECTS,
    "residual.hessian/1": np.array([0.1, 0.3]),
}
AT = ["curvature", "damping", "truth", "residual"]


def test_remedies_are_compared_with_the_effects_of_their_own_examples():
    frame = remedies(SOLUTIONS, {"retraining": CHANGES}, {})
    assert len(frame) == 2 * 2 * 8
    means = frame.groupby([*AT, "train_index"]).spearman.mean()
    assert means.to_dict() == {
        ("hessian", damping, "retraining", 0.2, example): pytest.approx(correlation)
        for damping, correlation in ((0.1, 1), (1, -1))
        for example in (2, 7)
    }


def test_stand_ins_have_the_same_scores_at_every_damping_and_nothing_to_solve():
    scores = np.zeros((10, 8))
    scores[[2, 7]] = -EFFECTS[::-1]  # each of the other's
    stand_in = {"examples": np.arange(10), "scores": scores}
    frame = remedies(SOLUTIONS, {"retraining": CHANGES, "proximal response": CHANGES}, {"random": stand_in})
    noise = frame[frame.curvature == "random"]
    assert (noise.residual == 0).all()
    (crossed,) = {round(value, 9) for value in noise.groupby([*AT, "train_index"]).spearman.mean()}
    ranks = EFFECTS.argsort(axis=1).argsort(axis=1)
    assert crossed == pytest.approx(np.corrcoef(ranks)[0, 1])
    assert noise.groupby("truth").damping.unique().map(list).to_dict() == {
        "retraining": [0.1, 1],
        "proximal response": [0.1, 1],
    }


def test_the_table_has_a_row_per_remedy_and_truth():
    described = EXPERIMENTS["remedies"].tables["remedies"]
    frame = remedies(SOLUTIONS, {"retraining": CHANGES}, {}).assign(case="net", seed=0)
    table = averaged(frame, described["mean"], described["by"], described["scale"])
    assert table[AT].to_dict("list") == pd.DataFrame(
        {"curvature": "hessian", "damping": [0.1, 1], "truth": "retraining", "residual": 0.2}
    ).to_dict("list")
    assert table.spearman.tolist() == pytest.approx([1, -1], abs=0.02)
