"""The study's tables: predictions beside what retraining showed, with correlations and intervals."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from fading.errors import FadingError
from fading.order import NO_EXAMPLE
from fading.statistics import mean_interval, spearman_by_example

RESPONSE = "linear-response"
MIRROR = "mirror"
HEALTH = ["residual", "diverged", "negative_curvature"]
RETRAINING, PROXIMAL = "retraining", "proximal response"


def stack(chunks: list[dict[str, np.ndarray]], names: Iterable[str]) -> dict[str, np.ndarray]:
    """Join chunks of counterfactuals: the named arrays, each along its first axis, groups filled up to the largest."""
    return {name: np.concatenate(_padded([chunk[name] for chunk in chunks], name)) for name in names}


def _padded(arrays, name):
    if name != "members":
        return arrays
    width = max(array.shape[1] for array in arrays)
    pads = (((0, 0), (0, width - array.shape[1])) for array in arrays)
    return [np.pad(array, pad, constant_values=NO_EXAMPLE) for array, pad in zip(arrays, pads, strict=True)]


def located(frame: pd.DataFrame, **where) -> pd.DataFrame:
    """The frame with leading columns that say which case, regime or seed it is of."""
    return frame.assign(**where)[[*where, *frame.columns]]


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
                "predicted": -_predicted(scored, members).ravel(),
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
        compared = {name: (members, actual, -_predicted(scored, members)) for name, scored in scores.items()}
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
    rows = [dict(zip(keys, key, strict=True)) | _mean(values.to_numpy()) for key, values in groups]
    health = correlations.groupby(keys, sort=False)[["truth_residual", *HEALTH]].median()
    return pd.DataFrame(rows).merge(health.reset_index(), on=keys)


def fading_curve(
    changes: dict[str, np.ndarray],
    scores: dict[str, dict[str, np.ndarray]],
    response: np.ndarray,
    steps: list[int],
) -> pd.DataFrame:
    """A row per estimator and recorded step: mean Spearman correlation of predicted and actual change of loss.

    `changes` holds loss_change (K, R, M), members (K, 1) and epsilon (K,), up-weighted examples first; `response` (K',
    R, M) is the linear response's prediction for the first K' of them; `scores`, per estimator, scores (r, M) and the
    training examples (r,) that they are of.
    """
    changed = (changes["epsilon"] != 0).sum()
    actual, members, epsilon = (changes[name][:changed] for name in ("loss_change", "members", "epsilon"))
    rows = []
    for r, step in enumerate(steps):
        rows.append({"estimator": RESPONSE, "step": step, **_agreement(response[:, r], actual[: len(response), r])})
        for estimator, scored in scores.items():
            predicted = epsilon[:, None] * _predicted(scored, members)
            rows.append({"estimator": estimator, "step": step, **_agreement(predicted, actual[:, r])})
    return pd.DataFrame(rows)


def divergence_curve(changes: dict[str, np.ndarray], response_error: np.ndarray, steps: list[int]) -> pd.DataFrame:
    """A row per counterfactual and recorded step: ‖δ_t‖ and the linear response's relative error, where computed.

    `changes` holds norm (K, R), members (K, 1) and epsilon (K,); `response_error` (K', R) is of the first K'. Raises
    FadingError if the A/A null moved at all: then training isn't deterministic and no difference means anything.
    """
    kinds = np.select(
        [changes["members"][:, 0] == NO_EXAMPLE, changes["epsilon"] == 0], ["noise floor", "A/A null"], "up-weighted"
    )
    null = changes["norm"][kinds == "A/A null"]
    if not null.size:
        raise FadingError(
            "There is no A/A null among the counterfactuals: nothing shows that training is deterministic."
        )
    if null.any():
        raise FadingError(f"The A/A null moved by {null.max()}: training is not deterministic.")
    error = np.full(changes["norm"].shape, np.nan)
    error[: len(response_error)] = response_error
    shape = changes["norm"].shape
    return pd.DataFrame(
        {
            "counterfactual": np.repeat(kinds, shape[1]),
            "train_index": np.repeat(changes["members"][:, 0], shape[1]),
            "epsilon": np.repeat(changes["epsilon"], shape[1]),
            "step": np.tile(steps, shape[0]),
            "norm": changes["norm"].ravel(),
            "response_error": error.ravel(),
        }
    )


def _health(scored):
    """The solver's health in a few numbers; NaN where none was used."""
    if "health.residual" not in scored:
        return dict.fromkeys(HEALTH, np.nan)
    residual, diverged, negative = (scored[f"health.{name}"] for name in ("residual", "diverged", "negative_curvature"))
    return dict(zip(HEALTH, (float(np.median(residual)), diverged.mean(), negative.mean()), strict=True))


def _sizes(members):
    return (members != NO_EXAMPLE).sum(1)


def _predicted(scored, members):
    """The sum of the members' scores, (K, M). Raises FadingError for a member that was not scored."""
    row = {example: i for i, example in enumerate(scored["examples"].tolist())}
    missing = sorted(set(members[members != NO_EXAMPLE].tolist()) - row.keys())
    if missing:
        raise FadingError(f"There are no scores of the training examples {', '.join(map(str, missing))}.")
    return np.stack(
        [sum(scored["scores"][row[one]] for one in group if one != NO_EXAMPLE) for group in members.tolist()]
    )


def _agreement(predicted, actual):
    return _mean(spearman_by_example(predicted, actual))


def _mean(correlations):
    mean, low, high = np.clip(mean_interval(correlations), -1, 1)
    return {"spearman": mean, "ci_low": low, "ci_high": high, "examples": len(correlations)}
