"""The study's tables: predictions beside what retraining showed, with correlations and intervals."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from fading.errors import FadingError
from fading.order import NO_EXAMPLE
from fading.statistics import mean_interval, nested_interval, spearman_by_example

MIRROR = "mirror"
HEALTH = ["residual", "diverged", "negative_curvature"]
RETRAINING, PROXIMAL, UNROLLED = "retraining", "proximal response", "linear response"


def stack(chunks: list[dict[str, np.ndarray]], names: Iterable[str]) -> dict[str, np.ndarray]:
    """Join chunks of counterfactuals: the named arrays, each along its first axis, groups filled up to the largest."""
    return {name: np.concatenate(_padded([chunk[name] for chunk in chunks], name)) for name in names}


def predicted(chunks: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Join what theory says of chunks of counterfactuals, by example; some chunks have no up-weighted example."""
    said = [{name.partition(".")[2]: array for name, array in chunk.items() if "." in name} for chunk in chunks]
    said = [one for one in said if one]
    return stack(said, said[0].keys() - {"sharpness"})


def by_estimator(files: list[dict[str, np.ndarray]]) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of each estimator (scores, examples, health), from files that each hold those of some."""
    found = {}
    for file in files:
        for key, array in file.items():
            estimator, _, name = key.partition("/")
            found.setdefault(estimator, {})[name] = array
    return found


def _padded(arrays, name):
    if name != "members":
        return arrays
    width = max(array.shape[1] for array in arrays)
    pads = (((0, 0), (0, width - array.shape[1])) for array in arrays)
    return [np.pad(array, pad, constant_values=NO_EXAMPLE) for array, pad in zip(arrays, pads, strict=True)]


def located(frame: pd.DataFrame, **where) -> pd.DataFrame:
    """The frame with leading columns that say which case, regime or seed it is of."""
    return frame.assign(**where)[[*where, *frame.columns]]


def unrolled_truth(scored: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The linear response along the whole run, as what leaving out each of its examples would do to first order."""
    examples = scored["examples"]
    return {"members": examples[:, None], "epsilon": -np.ones(len(examples)), "loss_change": -scored["scores"]}


def leave_one_out_pairs(truths: dict[str, dict], scores: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """A row per truth, estimator, left-out group and test example: predicted and actual change of loss, nats.

    `truths` holds, per ground truth, loss_change (K, M), members (K, G) and epsilon (K,); `scores`, per estimator,
    scores (r, M) and the training examples (r,) that they are of. A group's prediction is the sum over its members;
    size counts them and train_index is the first.
    """
    frames = []
    for truth, changes in truths.items():
        out = changes["epsilon"] == -1
        actual, members = changes["loss_change"][out], changes["members"][out]
        count, test = actual.shape
        for estimator, scored in scores.items():
            columns = {
                "truth": truth,
                "estimator": estimator,
                "size": np.repeat(_sizes(members), test),
                "train_index": np.repeat(members[:, 0], test),
                "test_index": np.tile(np.arange(test), count),
                "predicted": -predicted_effects(scored, members).ravel(),
                "actual": actual.ravel(),
            }
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def leave_one_out_correlations(truths: dict[str, dict], scores: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """A row per truth, estimator and left-out group: Spearman correlation over test examples, predicted with actual.

    The rows named mirror correlate the effects of leaving out with the negated effects of counting twice: where that
    is low, effects are not first-order, and no first-order estimator can do well. Beside stands how well these were
    solved for: truth_residual where the truth solves for something, and of the estimator's solver the median residual,
    the share of right-hand sides that diverged and of those where negative curvature was met.
    """
    frames = []
    for truth, changes in truths.items():
        out = changes["epsilon"] == -1
        actual, members = changes["loss_change"][out], changes["members"][out]
        solved = changes.get("residual", np.full(len(out), np.nan))[out]
        compared = {name: (members, actual, -predicted_effects(scored, members)) for name, scored in scores.items()}
        twice = changes["epsilon"] == 1
        if twice.any():
            single = _sizes(members) == 1
            compared[MIRROR] = (members[single], actual[single], -changes["loss_change"][twice])
        for name, (group, one, other) in compared.items():
            columns = {
                "truth": truth,
                "estimator": name,
                "size": _sizes(group),
                "train_index": group[:, 0],
                "spearman": spearman_by_example(other, one),
                "truth_residual": solved[: len(group)],
                **_health(scores.get(name, {})),
            }
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def leave_one_out_summary(correlations: pd.DataFrame) -> pd.DataFrame:
    """A row per case, truth, estimator and group size: the mean over groups and seeds, and its interval."""
    keys = ["case", "truth", "estimator", "size"]
    groups = correlations.groupby(keys, sort=False).spearman
    rows = [dict(zip(keys, key, strict=True)) | mean_columns(values.to_numpy()) for key, values in groups]
    health = correlations.groupby(keys, sort=False)[["truth_residual", *HEALTH]].median()
    return pd.DataFrame(rows).merge(health.reset_index(), on=keys)


def interval_over_seeds(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """The mean of a column, with its 95 % interval, per value of all other columns.

    Over seeds and the examples (train_index or index) of each.
    """
    keys = [name for name in frame.columns if name not in ("seed", "train_index", "index", value)]
    rows = []
    for key, group in frame.groupby(keys, sort=False, dropna=False):
        mean, low, high = nested_interval([one.to_numpy() for _, one in group.groupby("seed")[value]])
        rows.append(dict(zip(keys, key, strict=True)) | {value: mean, "ci_low": low, "ci_high": high})
    return pd.DataFrame(rows)


def most_products(frame: pd.DataFrame) -> pd.DataFrame:
    """Of a table of solutions, each solver's row with the most products at each problem."""
    problem = ["case", "seed", "train_index", "curvature", "damping", "solver", "setting"]
    return frame[frame.products == frame.groupby(problem).products.transform("max")]


def _health(scored):
    """The solver's health in a few numbers; NaN where none was used."""
    if "health.residual" not in scored:
        return dict.fromkeys(HEALTH, np.nan)
    residual, diverged, negative = (scored[f"health.{name}"] for name in ("residual", "diverged", "negative_curvature"))
    return dict(zip(HEALTH, (float(np.median(residual)), diverged.mean(), negative.mean()), strict=True))


def _sizes(members):
    return (members != NO_EXAMPLE).sum(1)


def predicted_effects(scored: dict[str, np.ndarray], members: np.ndarray) -> np.ndarray:
    """The sum of the members' scores, (K, M). Raises FadingError for a member that was not scored."""
    row = {example: i for i, example in enumerate(scored["examples"].tolist())}
    missing = sorted(set(members[members != NO_EXAMPLE].tolist()) - row.keys())
    if missing:
        raise FadingError(f"There are no scores of the training examples {', '.join(map(str, missing))}.")
    return np.stack(
        [sum(scored["scores"][row[one]] for one in group if one != NO_EXAMPLE) for group in members.tolist()]
    )


def mean_columns(correlations: np.ndarray) -> dict[str, float]:
    """The mean of correlations (K,), its interval, and K, as columns."""
    mean, low, high = np.clip(mean_interval(correlations), -1, 1)
    return {"spearman": mean, "ci_low": low, "ci_high": high, "examples": len(correlations)}
