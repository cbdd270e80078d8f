"""The study's tables: predictions beside what retraining showed, with correlations and intervals."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from fading.errors import FadingError
from fading.order import NO_EXAMPLE
from fading.statistics import mean_interval, spearman_by_example

RESPONSE = "linear-response"
MIRROR = "mirror"


def stack(chunks: list[dict[str, np.ndarray]], names: Iterable[str]) -> dict[str, np.ndarray]:
    """Join chunks of counterfactuals: the named arrays, each along its first axis."""
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in names}


def located(frame: pd.DataFrame, **where) -> pd.DataFrame:
    """The frame with leading columns that say which case, regime or seed it is of."""
    return frame.assign(**where)[[*where, *frame.columns]]


def leave_one_out_pairs(changes: dict[str, np.ndarray], scores: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row per estimator, left-out example and test example: predicted and actual change of loss, nats.

    `changes` holds loss_change (K, M), example and epsilon (K,); `scores` an (n_train, n_test) array per estimator.
    """
    out = changes["epsilon"] == -1
    actual, examples = changes["loss_change"][out], changes["example"][out]
    test = np.arange(actual.shape[1])
    frames = [
        pd.DataFrame(
            {
                "estimator": estimator,
                "train_index": np.repeat(examples, len(test)),
                "test_index": np.tile(test, len(examples)),
                "predicted": -array[examples].ravel(),
                "actual": actual.ravel(),
            }
        )
        for estimator, array in scores.items()
    ]
    return pd.concat(frames, ignore_index=True)


def leave_one_out_correlations(changes: dict[str, np.ndarray], scores: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row per estimator and left-out example: Spearman correlation over test examples, predicted with actual.

    The rows named mirror correlate the effects of leaving out with the negated effects of counting twice: where that
    is low, effects are not first-order, and no first-order estimator can do well.
    """
    out, twice = (changes["epsilon"] == epsilon for epsilon in (-1, 1))
    actual, examples = changes["loss_change"][out], changes["example"][out]
    predictions = {MIRROR: -changes["loss_change"][twice]}
    predictions |= {estimator: -array[examples] for estimator, array in scores.items()}
    frames = [
        pd.DataFrame({"estimator": name, "train_index": examples, "spearman": spearman_by_example(predicted, actual)})
        for name, predicted in predictions.items()
    ]
    return pd.concat(frames, ignore_index=True)


def leave_one_out_summary(correlations: pd.DataFrame) -> pd.DataFrame:
    """A row per case and estimator: the mean over the left-out examples of all seeds, with its interval."""
    groups = correlations.groupby(["case", "estimator"], sort=False).spearman
    rows = [{"case": case, "estimator": name, **_mean(values.to_numpy())} for (case, name), values in groups]
    return pd.DataFrame(rows)


def fading_curve(
    changes: dict[str, np.ndarray],
    scores: dict[str, np.ndarray],
    response: np.ndarray,
    steps: list[int],
) -> pd.DataFrame:
    """A row per estimator and recorded step: mean Spearman correlation of predicted and actual change of loss.

    `changes` holds loss_change (K, R, M), example and epsilon (K,), up-weighted examples first; `response` (K', R, M)
    is the linear response's prediction for the first K' of them.
    """
    changed = (changes["epsilon"] != 0).sum()
    actual, examples, epsilon = (changes[name][:changed] for name in ("loss_change", "example", "epsilon"))
    rows = []
    for r, step in enumerate(steps):
        rows.append({"estimator": RESPONSE, "step": step, **_agreement(response[:, r], actual[: len(response), r])})
        for estimator, array in scores.items():
            predicted = epsilon[:, None] * array[examples]
            rows.append({"estimator": estimator, "step": step, **_agreement(predicted, actual[:, r])})
    return pd.DataFrame(rows)


def divergence_curve(changes: dict[str, np.ndarray], response_error: np.ndarray, steps: list[int]) -> pd.DataFrame:
    """A row per counterfactual and recorded step: ‖δ_t‖ and the linear response's relative error, where computed.

    `changes` holds norm (K, R), example and epsilon (K,); `response_error` (K', R) is of the first K'. Raises
    FadingError if the A/A null moved at all: then training isn't deterministic and no difference means anything.
    """
    kinds = np.select(
        [changes["example"] == NO_EXAMPLE, changes["epsilon"] == 0], ["noise floor", "A/A null"], "up-weighted"
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
            "train_index": np.repeat(changes["example"], shape[1]),
            "epsilon": np.repeat(changes["epsilon"], shape[1]),
            "step": np.tile(steps, shape[0]),
            "norm": changes["norm"].ravel(),
            "response_error": error.ravel(),
        }
    )


def _agreement(predicted, actual):
    return _mean(spearman_by_example(predicted, actual))


def _mean(correlations):
    mean, low, high = np.clip(mean_interval(correlations), -1, 1)
    return {"spearman": mean, "ci_low": low, "ci_high": high, "examples": len(correlations)}
