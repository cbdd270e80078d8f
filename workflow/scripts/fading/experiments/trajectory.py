"""Third assumption: the trajectory of training does not matter, only where it ends."""

from itertools import combinations

import numpy as np
import pandas as pd

from fading.errors import FadingError
from fading.evidence.correlations import spearman_by_example
from fading.evidence.tables import by_test_example
from fading.experiments import Experiment

EXPERIMENT = Experiment(
    stage="assumptions",
    of="run",
    reads={
        "checkpoints": "scores_along_training",
        "orders": "scores_of_another_order",
        "seeds": "scores_of_all_seeds",
    },
    settings=("later_checkpoints", "assumptions.estimators"),
    cases="assumptions.cases",
    first_seed=True,
    tables={
        "trajectory": {
            "output": "agreement",
            "mean": "spearman",
            "by": ("case", "estimator", "between", "step"),
            "scale": "correlation",
        }
    },
    figures={"trajectory": ("trajectory", "loo-summary")},
)

HALFWAY, ORDERS, SEEDS = "half-way and end", "two orders of data", "two seeds"
ONE_RUN = -1  # in place of a pair's second run


def by_estimator(estimators: list[str], files: list) -> dict[str, list]:
    """Files of several runs, as many of each estimator and one estimator's after the other's, by estimator."""
    count = len(files) // len(estimators)
    return {name: files[place * count : (place + 1) * count] for place, name in enumerate(estimators)}


def rank_agreement(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> np.ndarray:
    """Spearman's correlation of two rankings of the training examples, for each test example: (M,).

    Both hold scores (r, M) and the training examples (r,) that they are of; those in both count. Raises FadingError if
    fewer than three do.
    """
    both, in_first, in_second = np.intersect1d(first["examples"], second["examples"], return_indices=True)
    if len(both) < 3:
        raise FadingError(f"Rankings are compared over at least 3 training examples; {len(both)} were scored in both.")
    return spearman_by_example(first["scores"][in_first].T, second["scores"][in_second].T)


def agreement(checkpoints: dict[int, dict], orders: list[dict], seeds: list[dict]) -> pd.DataFrame:
    """How alike rankings of the training examples are, for each test example.

    Scores at the last of `checkpoints` are compared with those at each other one, with the runs of other `orders`, and
    those of the `seeds` with each other. Columns between, step, seed and other_seed (the runs by their places, ONE_RUN
    where there is no second), test_index, spearman.
    """
    steps = list(checkpoints)
    end = checkpoints[steps[-1]]
    rows = [(HALFWAY, step, 0, ONE_RUN, rank_agreement(checkpoints[step], end)) for step in steps[:-1]]
    rows += [(ORDERS, steps[-1], 0, place, rank_agreement(end, other)) for place, other in enumerate(orders, start=1)]
    for (first, scores), (second, others) in combinations(enumerate(seeds), 2):
        rows.append((SEEDS, steps[-1], first, second, rank_agreement(scores, others)))
    columns = ("between", "step", "seed", "other_seed")
    frames = [
        by_test_example({"spearman": spearman[None]}, **dict(zip(columns, keys, strict=True)))
        for *keys, spearman in rows
    ]
    return pd.concat(frames, ignore_index=True)
