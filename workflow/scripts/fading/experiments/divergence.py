"""Fifth assumption: perturbed and unperturbed parameters stay close."""

import numpy as np
import pandas as pd

from fading.errors import FadingError
from fading.experiments import Experiment
from fading.training.counterfactuals import NO_EXAMPLE

EXPERIMENT = Experiment(
    stage="assumptions",
    of="regime",
    reads={
        "changes": "changes_up_weighted",
        "spectrum": "spectrum_at_fork",
    },
    settings=("recorded", "seed"),
    tables={
        "divergence": {"output": "divergence"},
        "divergence-summary": {"output": "statistics", "mean": "estimate"},
    },
    figures={"divergence": ("divergence", "expansion-summary")},
)


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


def divergence_statistics(frame: pd.DataFrame, reused: np.ndarray, eta_lambda_max: float) -> pd.DataFrame:
    """One run's statistics of divergence: statistic, train_index, estimate; train_index −1 where it is of no example.

    `growth rate` is the least-squares slope of ln ‖δ_t‖ against t, per step, over the recorded steps before the example
    is drawn again, which `reused` (K,) gives; none where fewer than three are. At the last recorded step: `response
    error`, the linear response's relative error; `noise floor`, its distance relative to the median ‖δ_t‖. `beyond the
    bound` is 1 for a step after the first with ‖δ_t‖ above the bound, else 0; `A/A null` the distance of that run at
    each step; `eta lambda max` the learning rate times the Hessian's largest eigenvalue at the fork.
    """
    moved = frame[frame.counterfactual == "up-weighted"]
    last = frame.step.max()
    noise = frame[(frame.counterfactual == "noise floor") & (frame.step == last)].norm.iloc[0]
    rows = [
        *(("A/A null", NO_EXAMPLE, norm) for norm in frame[frame.counterfactual == "A/A null"].norm),
        ("noise floor", NO_EXAMPLE, noise / moved[moved.step == last].norm.median()),
        ("eta lambda max", NO_EXAMPLE, eta_lambda_max),
    ]
    for (example, path), again in zip(moved.groupby("train_index", sort=False), reused, strict=True):
        once = path[path.step < again]
        if len(once) >= 3:
            rows.append(("growth rate", example, np.polyfit(once.step, np.log(once.norm), 1)[0]))
        later = path[path.bound.notna()].iloc[1:]
        rows += [
            ("beyond the bound", example, float(norm > bound)) for norm, bound in later[["norm", "bound"]].to_numpy()
        ]
        rows.append(("response error", example, path.response_error.iloc[-1]))
    return pd.DataFrame(rows, columns=["statistic", "train_index", "estimate"])
