"""Everything that is tried on the mis-predictions of one training run."""

from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from torch import Tensor

from fading.experiments import Experiment
from fading.experiments.correction.interventions import Trained, correct, outcomes, practice, retrained, treatment
from fading.experiments.correction.names import ASCEND, DESCEND, DROP, ITSELF, MISLEAD, RELABEL, RETRAIN
from fading.experiments.correction.rankings import rankings
from fading.training.optimizers import make_optimizer

EXPERIMENT = Experiment(
    stage="correction",
    of="run",
    reads={
        "examples": "examples",
        "order": "order",
        "checkpoints": "checkpoints",
        "scores": "scores_of_rankers",
        "earlier": "gradient_dots_half_way",
    },
    settings=(
        "case",
        "optimizer",
        "onwards",
        "candidates",
        "correction.targets",
        "correction.examples",
        "correction.steps",
        "correction.others",
        "correction.harmful",
        "correction.retrained",
        "correction_rates",
        "rankers",
        "seed",
    ),
    cases="correction.cases",
    tables={
        "correction": {"output": "trials", "function": "experiments.correction.success.summary"},
        "correction-paired": {"output": "trials", "function": "experiments.correction.success.paired"},
    },
    figures={"correction": ("correction",)},
)


class Attempt(NamedTuple):
    """An intervention on a target with the first k of a method's ranking."""

    test_index: int
    intervention: str
    method: str
    k: int
    learning_rate: float


def attempts(wrong: list[int], right: list[int], methods: list[str], settings: dict) -> list[Attempt]:
    """What is tried on targets predicted wrong, and on some predicted right.

    Descending by every method with the largest k at every rate and with every k at the middle one, and on the target
    itself at every rate. All else with the largest k: by the methods named `harmful` at the middle rate, and training
    anew, at its own learning_rate, by those named `retrained`.
    """
    counts, rates, harmful = settings["examples"], settings["learning_rates"], settings["harmful"]
    middle = rates[len(rates) // 2 :][:1]
    settled = dict.fromkeys([*product(counts, middle), *product(counts[-1:], rates)])
    grids = [
        [(*tried, *setting) for tried in product(wrong, [DESCEND], methods) for setting in settled],
        product(wrong, [DESCEND], [ITSELF], [1], rates),
        product(wrong, [ASCEND, RELABEL, DROP], harmful, counts[-1:], middle),
        product(right, [MISLEAD], harmful, counts[-1:], middle),
        product(wrong, [RETRAIN], settings["retrained"], counts[-1:], [settings["learning_rate"]]),
    ]
    return [Attempt(*attempt) for grid in grids for attempt in grid]


def trials(
    trained: Trained,
    scores: dict[str, Tensor],
    checkpoints: dict[int, Tensor],
    order: dict[str, np.ndarray],
    settings: dict,
    progress,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row per attempt and number of `steps` that it may take, and a row per attempt and step taken, with the loss.

    Both have the columns of Attempt and relative_rate, the learning rate's share of training's; the first those of
    outcomes(). `scores` (n, measured) are those of each estimator; `checkpoints` {t: state} and `order` are of the run.
    Raises FadingError if the model predicts every measured test example right.
    """
    case, steps = trained.case, settings["steps"]
    wrong, right = trained.wrong(settings["targets"]), trained.right(settings["targets"])
    by_target = {
        target: rankings(case, target, {name: array[:, target] for name, array in scores.items()})
        for target in wrong + right
    }
    rows, paths = [], []
    for attempt in progress(attempts(wrong, right, list(by_target[wrong[0]]), settings)):
        target, intervention, method, k, rate = attempt
        optimizer = make_optimizer(settings, None if intervention == RETRAIN else rate)  # as it was trained
        tried = {**attempt._asdict(), "relative_rate": float(f"{rate / settings['learning_rate']:.6g}")}
        if intervention == RETRAIN:
            harmful = by_target[target][method].harmful(k)
            results = [retrained(trained, target, harmful, checkpoints, order, optimizer)]
        else:
            if method == ITSELF:
                treated = practice(trained, case.test[target : target + 1], optimizer, steps[-1])
            else:
                treated = treatment(trained, by_target[target][method], intervention, target, k, optimizer, steps[-1])
            wanted = {"right": intervention != MISLEAD, "go_on": intervention == DESCEND}
            correction = correct(trained, target, treated, steps, **wanted)
            results = outcomes(trained, target, correction, steps)
            paths += [{**tried, "step": step, "loss": loss} for step, loss in enumerate(correction.losses)]
        rows += [{**tried, **result} for result in results]
    return pd.DataFrame(rows), pd.DataFrame(paths)
