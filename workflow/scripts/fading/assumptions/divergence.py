"""Fifth assumption: perturbed and unperturbed parameters stay close."""

import numpy as np
import pandas as pd

from fading.errors import FadingError
from fading.order import NO_EXAMPLE


def gronwall_bound(
    sharpness: float, slope: np.ndarray, epsilon: np.ndarray, learning_rate: float, drawn: np.ndarray, sizes: list[int]
) -> np.ndarray:
    """A bound on ‖δ_t‖ after each of T steps of SGD, for each of K up-weighted examples: (K, T).

    With ‖H‖ ≤ Λ (sharpness) and ‖∇ℓ(x_k)‖ ≤ G (slope, (K,)) along both paths, ‖δ_{t+1}‖ ≤ (1 + ηΛ) ‖δ_t‖ + (η/|B_t|)
    |ε| G 1[k∈B_t]: Gronwall's lemma in discrete time. `drawn` (T, K) and the batches' sizes (T,) say when x_k acts.
    """
    bound, bounds = np.zeros(len(slope)), []
    for here, size in zip(drawn, sizes, strict=True):
        bound = (1 + learning_rate * sharpness) * bound + learning_rate / size * np.abs(epsilon) * slope * here
        bounds.append(bound)
    return np.stack(bounds, 1)


def curve(changes: dict[str, np.ndarray], response: dict[str, np.ndarray], steps: list[int]) -> pd.DataFrame:
    """A row per counterfactual and recorded step: ‖δ_t‖, its bound (for SGD) and the linear response's relative error.

    `changes` holds norm (K', R), members (K', 1) and epsilon (K',); `response` error and bound (K, R), of the first K.
    Raises FadingError if the A/A null moved at all: then training isn't deterministic and no difference means anything.
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
    shape = changes["norm"].shape
    theory = {name: np.full(shape, np.nan) for name in ("error", "bound")}
    for name, array in theory.items():
        if name in response:
            array[: len(response[name])] = response[name]
    return pd.DataFrame(
        {
            "counterfactual": np.repeat(kinds, shape[1]),
            "train_index": np.repeat(changes["members"][:, 0], shape[1]),
            "epsilon": np.repeat(changes["epsilon"], shape[1]),
            "step": np.tile(steps, shape[0]),
            "norm": changes["norm"].ravel(),
            "bound": theory["bound"].ravel(),
            "response_error": theory["error"].ravel(),
        }
    )


def statistics(frame: pd.DataFrame) -> pd.DataFrame:
    """One run's statistics of divergence: statistic, train_index, estimate; train_index −1 where it is of no example.

    `growth rate` is the least-squares slope of ln ‖δ_t‖ against t over the recorded steps, per step. At the last of
    them: `response error`, the linear response's relative error; `noise floor`, its distance relative to the median
    ‖δ_t‖. `norm to bound` is the largest ‖δ_t‖ relative to the bound after the first of them, where both may be the
    same, and `A/A null` the distance of that run at each.
    """
    moved = frame[frame.counterfactual == "up-weighted"]
    last = frame.step.max()
    noise = frame[(frame.counterfactual == "noise floor") & (frame.step == last)].norm.iloc[0]
    rows = [
        *(("A/A null", NO_EXAMPLE, norm) for norm in frame[frame.counterfactual == "A/A null"].norm),
        ("noise floor", NO_EXAMPLE, noise / moved[moved.step == last].norm.median()),
    ]
    for example, path in moved.groupby("train_index", sort=False):
        rows.append(("growth rate", example, np.polyfit(path.step, np.log(path.norm), 1)[0]))
        if path.bound.notna().all():
            rows.append(("norm to bound", example, (path.norm / path.bound).iloc[1:].max()))
        rows.append(("response error", example, path.response_error.iloc[-1]))
    return pd.DataFrame(rows, columns=["statistic", "train_index", "estimate"])
