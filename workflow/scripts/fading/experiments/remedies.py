"""What remedies of the first assumption buy: damping, and the Gauss-Newton matrix in place of the Hessian."""

import numpy as np
import pandas as pd

from fading.evidence.correlations import spearman_pseudo_values
from fading.evidence.tables import by_test_example
from fading.experiments import Experiment
from fading.experiments.effects import summed_scores
from fading.training.counterfactuals import NO_EXAMPLE

EXPERIMENT = Experiment(
    stage="assumptions",
    of="run",
    reads={
        "solutions": "solutions",
        "changes": "changes_left_out",
        "proximal": "changes_proximal",
        "stand_ins": "scores_of_stand_ins",
    },
    settings=("stand_ins", "seed"),
    cases="assumptions.cases",
    first_seed=True,
    tables={
        "remedies": {
            "output": "remedies",
            "mean": "spearman",
            "by": ("case", "curvature", "damping", "truth", "residual"),
            "scale": "correlation",
        },
    },
)


def remedies(
    solutions: dict[str, np.ndarray],
    truths: dict[str, dict[str, np.ndarray]],
    stand_ins: dict[str, dict[str, np.ndarray]],
) -> pd.DataFrame:
    """How each matrix and damping fares against each truth, a row per left-out and test example.

    Columns curvature, damping, truth, residual (the median over examples), train_index, test_index, spearman, which
    holds pseudo-values with the correlation for their mean. `solutions` holds, per "curvature/damping", scores (K, M)
    of the training examples (K,) named `examples`, and may hold more; `truths`, per ground truth, loss_change, members
    and epsilon. `stand_ins` have scores (r, M) of `examples` (r,) that know no curvature; they take its place at every
    damping, with a residual of 0.
    """
    examples = solutions["examples"]
    scored = {}
    for name, scores in solutions.items():
        curvature, _, damping = name.partition("/")
        if damping and not curvature.startswith("residual."):
            scored[curvature, float(damping)] = scores, float(np.median(solutions[f"residual.{name}"]))
    dampings = list(dict.fromkeys(damping for _, damping in scored))
    for name, scores in stand_ins.items():
        alone = summed_scores(scores, examples[:, None])
        scored |= {(name, damping): (alone, 0.0) for damping in dampings}
    frames = []
    for truth, changes in truths.items():
        actual = _left_out(changes, examples)
        for (curvature, damping), (scores, residual) in scored.items():
            keys = {"curvature": curvature, "damping": damping, "truth": truth, "residual": residual}
            spearman = {"spearman": spearman_pseudo_values(-scores, actual)}
            frames.append(by_test_example(spearman, **keys, train_index=examples))
    return pd.concat(frames, ignore_index=True)


def _left_out(changes, examples):
    """The changes of loss (K, M) of leaving each of the examples out alone."""
    members = changes["members"]
    single = (changes["epsilon"] == -1) & (members[:, 1:] == NO_EXAMPLE).all(1)
    row = dict(zip(members[single, 0].tolist(), changes["loss_change"][single], strict=True))
    return np.stack([row[example] for example in examples.tolist()])
