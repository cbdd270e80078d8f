"""How few training examples hold a prediction up? Leave out the most helpful by a ranking, and retrain."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from fading.errors import FadingError
from fading.experiments import Experiment
from fading.experiments.correction.rankings import rankings
from fading.models.case import Case
from fading.training.segment import Segment, state_after, unit_weights

EXPERIMENT = Experiment(
    stage="effects",
    of="run",
    reads={
        "examples": "examples",
        "order": "order",
        "checkpoints": "checkpoints",
        "scores": "scores_of_ladder",
    },
    settings=(
        "case",
        "optimizer",
        "last_step",
        "ladder",
        "removal.targets",
        "removal.counts",
        "removal.rankings",
        "seed",
    ),
    cases="removal.flipped",
    first_seed=True,
    tables={
        "removal-flips": {
            "output": "flips",
            "mean": "flipped",
            "by": ("case", "ranking", "removed"),
            "scale": "share",
        },
        "removal-helpful": {"output": "flips"},
    },
)


def predicted_right(case: Case, end: Tensor, scores: dict[str, Tensor], targets: int) -> list[int]:
    """The first `targets` test examples that θ `end` predicts right, of those that every estimator scores.

    Raises FadingError if no prediction is right.
    """
    tests = min(array.shape[1] for array in scores.values())
    right = (case.outputs(end, case.tested).argmax(1) == case.tested.labels)[:tests]
    if not right.any():
        raise FadingError(f"None of the first {tests} measured test examples is predicted right: nothing can flip.")
    return right.nonzero()[:targets, 0].tolist()


def flips(
    whole: Segment, end: Tensor, scores: dict[str, Tensor], named: Sequence[str], target: int, counts: list[int]
) -> pd.DataFrame:
    """Leave out the `counts` most helpful examples of a target by each ranking `named`, from the start of training.

    A row per ranking and count (`removed`) for the target (`test_index`), which θ after training, `end`, predicts
    right: `flipped`, whether the prediction changes; `actual`, the change of the target's loss, and `predicted`, what
    the ranking's scores sum up to, nats, NaN for rankings that have no unit. Once a prediction has flipped, more are
    not left out any more: it counts as flipped.
    """
    case, before = whole.case, whole.case.measured_losses(end)
    by_name = rankings(case, target, {name: array[:, target] for name, array in scores.items()})
    rows = []
    for name in named:
        flipped = False
        for count in counts:
            row = {"ranking": name, "test_index": target, "removed": count}
            helpful = by_name[name].helpful(count)
            predicted = -by_name[name].scores[helpful].sum().item()
            actual = np.nan
            if not flipped:
                theta = state_after(whole, unit_weights(case).index_fill(0, helpful, 0.0))[0]
                logits = case.outputs(theta, case.tested)
                actual = (case.output_losses(logits, case.tested.labels) - before)[target].item()
                flipped = bool(logits[target].argmax() != case.tested.labels[target])
            rows.append({**row, "predicted": predicted, "actual": actual, "flipped": float(flipped)})
    return pd.DataFrame(rows)
