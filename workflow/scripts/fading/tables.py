"""The study's tables: predictions beside what retraining showed, with correlations and intervals."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from fading.errors import FadingError
from fading.statistics import mean_interval, spearman_by_example

RESPONSE = "linear-response"


def stack(chunks: list[dict[str, np.ndarray]], names: Iterable[str]) -> dict[str, np.ndarray]:
    """Join chunks of counterfactuals: the named arrays, each along its first axis, of the chunks that hold them."""
    return {name: np.concatenate([chunk[name] for chunk in chunks if name in chunk]) for name in names}


def leave_one_out_pairs(changes: dict[str, np.ndarray], scores: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row per estimator, left-out example and test example: predicted and actual change of loss, nats.

    `changes` holds loss_change (K, M), example and epsilon (K,); `scores` an (n_train, n_test) array per estimator.
    """
    frames = []
    test = np.arange(changes["loss_change"].shape[1])
    for estimator, array in scores.items():
        predicted = changes["epsilon"][:, None] * array[changes["example"]]
        frames.append(
            pd.DataFrame(
                {
                    "estimator": estimator,
                    "train_index": np.repeat(changes["example"], len(test)),
                    "test_index": np.tile(test, len(predicted)),
                    "epsilon": np.repeat(changes["epsilon"], len(test)),
                    "predicted": predicted.ravel(),
                    "actual": changes["loss_change"].ravel(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def leave_one_out_summary(changes: dict[str, np.ndarray], scores: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row per estimator: mean Spearman correlation of predicted and actual leave-one-out effects, over the examples.

    The row named mirror correlates the effects of leaving out with the negated effects of counting twice: where that
    is low, effects are not first-order, and no first-order estimator can do well.
    """
    out = changes["epsilon"] == -1
    actual = changes["loss_change"][out]
    rows = [("mirror", -changes["loss_change"][changes["epsilon"] == 1])]
    rows += [(estimator, -array[changes["example"][out]]) for estimator, array in scores.items()]
    return pd.DataFrame([{"estimator": name, **_agreement(predicted, actual)} for name, predicted in rows])


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
    kinds = np.select([changes["example"] < 0, changes["epsilon"] == 0], ["noise floor", "A/A null"], "up-weighted")
    nulls = changes["norm"][kinds == "A/A null"]
    if nulls.size == 0 or nulls.any():
        raise FadingError(
            f"The A/A null moved by {nulls.max(initial=0)}, or is missing: training is not deterministic."
        )
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
    values = spearman_by_example(predicted, actual)
    mean, low, high = mean_interval(values)
    return {"spearman": mean, "ci_low": low, "ci_high": high, "examples": len(values)}
