"""Does influence fade? Effects of up-weighting as theory and estimators predict them, beside what retraining showed."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pandas as pd

from fading.evidence.correlations import spearman_pseudo_values
from fading.evidence.intervals import CORRELATION
from fading.evidence.tables import averaged, by_test_example, own
from fading.experiments import Experiment
from fading.experiments.effects import summed_scores

EXPERIMENT = Experiment(
    stage="effects",
    of="regime",
    reads={
        "changes": "changes_up_weighted",
        "scores": "scores_at_fork",
        "spectrum": "spectrum_at_fork",
        "path": "path_of_regime",
    },
    settings=("forward_estimators", "recorded", "seed"),
    tables={
        "fading": {"output": "fading"},
        "fading-summary": {
            "output": "correlations",
            "mean": "spearman",
            "by": ("case", "regime", "estimator", "step"),
            "scale": "correlation",
        },
        "fading-drop": {"output": "correlations", "function": "experiments.fading.drop"},
        "decomposition": {
            "output": "decomposition",
            "mean": "share",
            "by": ("case", "regime", "part", "step"),
            "scale": "linear",
        },
    },
    figures={"fading": ("fading", "fading-summary"), "decomposition": ("decomposition",)},
)

NOT_HALVED = "not all runs fall through it"
FORECASTS = {"effect": "linear-response", "horizon": "horizon", "once": "horizon-once"}  # by their names in theory
CURVATURE, REUSE, PATH = "curvature", "re-use", "path"  # what mends the static prediction
MENDED = {  # the names in theory of what predicts with these mends
    (): "static",
    (CURVATURE,): "once",
    (REUSE,): "repeated",
    (PATH,): "path",
    (CURVATURE, REUSE): "horizon",
    (CURVATURE, PATH): "effect-once",
    (REUSE, PATH): "tracin",
    (CURVATURE, REUSE, PATH): "effect",
}
KEPT, TOGETHER, REST = "kept", "first order", "beyond first order"
MENDED_AT_ONCE = {(): "static", (TOGETHER,): "effect"}  # of optimisers for which theory has no more
PARTS = (KEPT, CURVATURE, REUSE, PATH, TOGETHER, REST)


def fading_correlations(
    changes: dict[str, np.ndarray],
    scores: dict[str, dict[str, np.ndarray]],
    response: dict[str, np.ndarray],
    steps: list[int],
) -> pd.DataFrame:
    """A row per estimator, recorded step, up-weighted and test example: Spearman of predicted with actual changes.

    `spearman` holds pseudo-values, whose mean over test examples is the correlation of the changes of loss. `changes`
    holds loss_change (K', R, M), members (K', 1) and epsilon (K',), the K up-weighted examples first; `response`, what
    theory says of these, (K, R, M) each; `scores`, per estimator, scores (r, M) and the training examples (r,) that
    they are of.
    """
    actual, members, epsilon = _up_weighted(changes)
    predicted = {name: response[key] for key, name in FORECASTS.items() if key in response}
    for estimator, scored in scores.items():
        static = epsilon[:, None] * summed_scores(scored, members)
        predicted[estimator] = np.broadcast_to(static[:, None], actual.shape)
    correlations = {name: spearman_pseudo_values(effects, actual) for name, effects in predicted.items()}
    return _by_example(correlations, "estimator", "spearman", members, steps)


def fading_curve(correlations: pd.DataFrame) -> pd.DataFrame:
    """A row per case, regime, seed, estimator and step: the mean correlation of one run, and its interval."""
    return averaged(correlations, "spearman", ["case", "regime", "seed", "estimator", "step"], CORRELATION)


def drop(correlations: pd.DataFrame) -> pd.DataFrame:
    """A row per case, regime and estimator: what its correlation loses from the first recorded step to the last.

    `drop` is the mean difference on the same examples. `halved` is the mean over runs of the step, interpolated, at
    which a run's correlation first falls below one half, with an interval of its own; NaN unless it does in all of
    them, since those that do are no sample of all. `runs_halved` counts them.
    """
    kinds, pair = ["case", "regime", "estimator"], ["seed", "train_index", "test_index"]
    steps = correlations.groupby(["case", "regime"]).step
    ends = [correlations[correlations.step == steps.transform(end)] for end in ("min", "max")]
    both = ends[0].merge(ends[1], on=[*kinds, *pair], suffixes=("_first", "_last"))
    both = both.assign(drop=both.spearman_first - both.spearman_last)
    of_runs = correlations.groupby([*kinds, "seed", "step"], sort=False).spearman.mean().reset_index()
    crossings = of_runs.groupby([*kinds, "seed"], sort=False)[["step", "spearman"]].apply(_halved)
    crossings = crossings.rename("halved").reset_index()
    halved = averaged(crossings, "halved", kinds).rename(columns=own("halved"))
    halved["halved_over"] = halved.halved_over.where(halved.halved.notna(), NOT_HALVED)
    halved["runs_halved"] = crossings.groupby(kinds, sort=False).halved.count().to_numpy()
    return averaged(both, "drop", kinds).merge(halved, on=kinds)


def _halved(curve):
    """The step at which a curve first falls to one half, linear in between; NaN if it begins there or never does."""
    steps, above = curve.step.to_numpy(float), curve.spearman.to_numpy() - 0.5
    below = np.flatnonzero(above < 0)
    if not len(below) or below[0] == 0:
        return np.nan
    before, after = below[0] - 1, below[0]
    return steps[before] + (steps[after] - steps[before]) * above[before] / (above[before] - above[after])


def decomposition(changes: dict[str, np.ndarray], response: dict[str, np.ndarray], steps: list[int]) -> pd.DataFrame:
    """A row per part, recorded step, up-weighted and test example: what the static prediction lost, and to what.

    From the gradient dot product at the fork to the linear response a prediction mends three things: curvature lets
    what was done decay; re-use adds the later steps that draw the example; path follows the trajectory instead of its
    beginning. A part is the correlation that its mend gains, on average over the orders of mending (Shapley value);
    what is kept is the static prediction's, and the rest, up to 1, is what no first order explains. They sum to 1.
    `share` holds pseudo-values, whose mean over test examples is the part.
    """
    actual, members, _ = _up_weighted(changes)
    mended = MENDED if response.keys() >= set(MENDED.values()) else MENDED_AT_ONCE
    reached = {frozenset(mends): spearman_pseudo_values(response[name], actual) for mends, name in mended.items()}
    nothing, *_, everything = mended
    parts = {
        KEPT: reached[frozenset(nothing)],
        **shapley_values(reached, everything),
        REST: 1 - reached[frozenset(everything)],
    }
    return _by_example(parts, "part", "share", members, steps)


def shapley_values(worth: dict[frozenset[str], np.ndarray], players: Sequence[str]) -> dict[str, np.ndarray]:
    """What each player adds to what those before it are worth, on average over all orders of players (Shapley 1953).

    `worth` has an array per subset of the players. Together they add what all are worth more than none.
    """
    values = {}
    for player in players:
        before = [frozenset(order[: order.index(player)]) for order in permutations(players)]
        values[player] = np.mean([worth[others | {player}] - worth[others] for others in before], axis=0)
    return values


def _up_weighted(changes):
    changed = (changes["epsilon"] != 0).sum()
    return (changes[name][:changed] for name in ("loss_change", "members", "epsilon"))


def _by_example(arrays, name, value, members, steps):
    """Arrays (K, R, M) by `name` as rows."""
    frames = []
    for which, array in arrays.items():
        keys = {"step": np.tile(steps, len(members)), "train_index": np.repeat(members[:, 0], len(steps))}
        frames.append(by_test_example({value: array.reshape(-1, array.shape[2])}, **{name: which}, **keys))
    return pd.concat(frames, ignore_index=True)
