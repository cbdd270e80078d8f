"""Fifth assumption: perturbed and unperturbed parameters stay close."""

import numpy as np
import pandas as pd

from fading.errors import FadingError
from fading.experiments import Experiment
from fading.training.counterfactuals import NO_EXAMPLE

NO_BATCH = -1
EXPERIMENT = Experiment(
    stage="assumptions",
    of="regime",
    reads={
        "changes": "changes_up_weighted",
        "spectrum": "spectrum_at_fork",
        "path": "path_of_regime",
    },
    settings=("recorded", "seed"),
    tables={
        "divergence": {"output": "divergence"},
        "divergence-summary": {
            "output": "statistics",
            "mean": "estimate",
            "by": ("case", "regime", "statistic"),
            "scale": "linear",
        },
    },
    figures={"divergence": ("divergence", "expansion-summary")},
)


def growth_bound(path: dict[str, np.ndarray], forcing: np.ndarray, learning_rate: float) -> np.ndarray:
    """A bound on |ε| ‖ψ_t‖, the first-order change of the parameters, after each of T steps of plain SGD: (K, T).

    b_{t+1} = max(|1 − ηλ_min|, |1 − ηλ_max|) b_t + f_t with the extreme eigenvalues of H_t, the Hessian of the batch
    loss before step t (`path`, (T,) each), and the length f_t (`forcing`, (K, T)) of what up-weighting adds there. It
    holds since ψ_{t+1} = (I − ηH_t) ψ_t − (η/|B_t|) 1[k∈B_t] ∇ℓ(θ_t; x_k), and no vector grows by more than the
    spectral norm of I − ηH_t, which is that maximum: exactly, with exact eigenvalues. Ritz values lie within the
    spectrum, so they are moved outwards by their residuals. It bounds ‖δ_t‖ only as far as the first order describes
    δ_t.
    """
    ends = path["smallest"] - path["residual_smallest"], path["largest"] + path["residual_largest"]
    growth = np.abs(1 - learning_rate * np.stack(ends)).max(0)
    bound, bounds = np.zeros(len(forcing)), []
    for factor, added in zip(growth, forcing.T, strict=True):
        bound = factor * bound + added
        bounds.append(bound)
    return np.stack(bounds, 1)


def curve(changes: dict[str, np.ndarray], response: dict[str, np.ndarray], steps: list[int]) -> pd.DataFrame:
    """A row per counterfactual and recorded step: ‖δ_t‖, its bound (for SGD) and the linear response's relative error.

    `changes` holds norm (K', R), members (K', 1) and epsilon (K',); `response` error, and for SGD bound, of the first K
    of them: (K, R) each.
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


def eta_lambda(path: dict[str, np.ndarray], largest_at_fork: float, learning_rate: float) -> dict[str, np.ndarray]:
    """The learning rate times extreme eigenvalues of Hessians: the full sample's at the fork, batches' along the path.

    Each is one number, or one of each batch where a mean over them is meant. Above 2 a step of gradient descent
    overshoots, on a quadratic, by more than it was off before.
    """
    return {
        "eta lambda max, full sample": learning_rate * np.array([largest_at_fork]),
        "eta lambda max, batches, mean": learning_rate * path["largest"],
        "eta lambda max, batches, largest": learning_rate * path["largest"].max(keepdims=True),
        "eta lambda min, batches, mean": learning_rate * path["smallest"],
    }


def divergence_statistics(frame: pd.DataFrame, reused: np.ndarray, products: dict[str, np.ndarray]) -> pd.DataFrame:
    """One run's statistics of divergence: statistic, train_index, batch, estimate; −1 where it is of none.

    `growth rate` is the least-squares slope of ln ‖δ_t‖ against t, per step, over the recorded steps before the example
    is drawn again, which `reused` (K,) gives; none where fewer than three are. At the last recorded step: `response
    error`, the linear response's relative error; `noise floor`, its distance relative to the median ‖δ_t‖; `log10
    tightness`, by how many powers of ten the growth bound is above ‖δ_t‖. `beyond the bound` is the share of recorded
    steps after the first, where both are the same, with ‖δ_t‖ above it; `A/A null` the largest distance of that run.
    Beside them stand `products`, the run's ηλ (see eta_lambda).
    """
    moved = frame[frame.counterfactual == "up-weighted"]
    last = frame.step.max()
    noise = frame[(frame.counterfactual == "noise floor") & (frame.step == last)].norm.iloc[0]
    rows = [
        ("A/A null", NO_EXAMPLE, frame[frame.counterfactual == "A/A null"].norm.max()),
        ("noise floor", NO_EXAMPLE, noise / moved[moved.step == last].norm.median()),
    ]
    for (example, path), again in zip(moved.groupby("train_index", sort=False), reused, strict=True):
        once = path[path.step < again]
        if len(once) >= 3:
            rows.append(("growth rate", example, np.polyfit(once.step, np.log(once.norm), 1)[0]))
        later = path[path.bound.notna()].iloc[1:]
        if len(later):
            rows.append(("beyond the bound", example, (later.norm > later.bound).mean()))
            rows.append(("log10 tightness", example, np.log10(later.bound / later.norm).iloc[-1]))
        rows.append(("response error", example, path.response_error.iloc[-1]))
    of_examples = pd.DataFrame(rows, columns=["statistic", "train_index", "estimate"]).assign(batch=NO_BATCH)
    of_batches = [
        pd.DataFrame({"statistic": statistic, "estimate": values}).assign(
            train_index=NO_EXAMPLE, batch=range(len(values)) if len(values) > 1 else NO_BATCH
        )
        for statistic, values in products.items()
    ]
    return pd.concat([of_examples, *of_batches], ignore_index=True)
