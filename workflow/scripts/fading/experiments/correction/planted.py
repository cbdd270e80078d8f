"""Training labels that were flipped on purpose: do rankings find them, and does mending what they find help?"""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fading.derivatives.gradients import gradient_norms
from fading.experiments import Experiment
from fading.experiments.correction.names import NOTHING, RANDOM, REMOVE
from fading.models.case import Case, Examples
from fading.training.counterfactuals import Counterfactual
from fading.training.retraining import weights
from fading.training.segment import Segment, descend, state_after, unit_weights

EXPERIMENT = Experiment(
    stage="correction",
    of="run",
    reads={
        "examples": "examples",
        "order": "order",
        "checkpoints": "checkpoints",
        "scores": "scores_of_rankers_along_training",
    },
    settings=(
        "case",
        "optimizer",
        "training_steps",
        "batch_size",
        "calm_rate",
        "rankers",
        "correction.recovery",
        "seed",
    ),
    cases="correction.planted",
    tables={
        "planted": {
            "output": "precision",
            "mean": "average_precision",
            "by": ("case", "step", "method"),
            "scale": "linear",
        },
        "planted-recovery": {
            "output": "recovery",
            "mean": "gain",
            "by": ("case", "step", "method", "remedy", "against"),
            "scale": "linear",
        },
    },
    figures={"planted": ("planted", "planted-recovery")},
)


FOLDS = 2


def folds(examples: int, seed: int) -> list[Tensor]:
    """A random half of the training examples, and the other."""
    order = torch.randperm(examples, generator=torch.Generator().manual_seed(seed), device="cpu")
    return [fold.sort().values for fold in order.tensor_split(FOLDS)]


def losses_without(whole: Segment, fold: Tensor, steps: list[int]) -> Tensor:
    """The losses of a fold's examples in training without them, after each of `steps`: (steps, fold).

    The others count so much more that batches weigh what they weigh with all of them.
    """
    case = whole.case
    share = 1 - len(fold) / len(case.train)
    weights = (unit_weights(case) / share).index_fill(0, fold, 0.0)
    found = [case.evaluated(state[0], case.train[fold]) for step, state, _ in descend(whole, weights) if step in steps]
    return torch.stack(found)


def suspicions(case: Case, theta: Tensor, scores: dict[str, Tensor], held_out: Tensor, seed: int) -> dict[str, Tensor]:
    """By method, how much each training example is suspected of a wrong label: (n,), larger is more.

    Of each estimator, whose scores (n, measured) are positive where harmful, the mean over the measured test examples;
    self-influence ‖∇ℓ(θ; x)‖² (Koh and Liang 2017, with the identity for the Hessian); what costs next to nothing, the
    loss ℓ(θ; x); `held_out` (n,), that in training without the example, which can't memorise its label; and random
    numbers from the seed, the control.
    """
    loss = case.evaluated(theta, case.train)
    means = {name: array.mean(1) for name, array in scores.items()}
    drawn = torch.randn(len(case.train), generator=torch.Generator().manual_seed(seed), device="cpu").to(loss.device)
    own = gradient_norms(case, theta, case.train).square()
    losses = {"training loss": loss, "cross-validated loss": held_out}
    return {**means, "self-influence": own, **losses, RANDOM: drawn}


def suspects(suspicion: Tensor, count: int) -> Tensor:
    """The most suspected examples, ties by their place in the training set: (count,)."""
    return (-suspicion).argsort(stable=True)[:count]


def average_precision(suspicion: Tensor, planted: Tensor) -> float:
    """The area under the precision-recall curve, by steps: the mean of the precisions down to each planted error.

    `planted` (n,) marks them; of a random order it is about the share of planted errors.
    """
    hit = planted[suspects(suspicion, len(planted))].double()
    precision = hit.cumsum(0) / torch.arange(1, len(hit) + 1)
    return ((precision * hit).sum() / hit.sum()).item()


def recovered(onwards: Segment, labels: Tensor, weights: Tensor) -> Tensor:
    """Which test examples are predicted right (0 or 1) after training on with these labels and weights (n,).

    Only those that are not measured, with whose labels no influence was computed: (n_test − measured,).
    """
    case = onwards.case
    mended, unseen = replace(case, train=Examples(case.train.inputs, labels)), case.test[case.measured :]
    theta = state_after(replace(onwards, case=mended), weights)[0]
    return (case.outputs(theta, unseen).argmax(1) == unseen.labels).double()


def gains(hits: dict[tuple[str, str], np.ndarray]) -> pd.DataFrame:
    """What each method's remedy gains over that of nothing, and of random suspects: a row per test example, −1 to 1.

    `hits`, by method and remedy, are which of the same test examples are predicted right afterwards.
    """
    frames = []
    for (method, remedy), against in product(hits, (NOTHING, RANDOM)):
        gain = hits[method, remedy] - hits[against, remedy]
        columns = {"method": method, "remedy": remedy, "against": against, "test_index": range(len(gain))}
        frames.append(pd.DataFrame({**columns, "gain": gain}))
    return pd.concat(frames, ignore_index=True)


def remedied(case: Case, remedy: str, suspected: Tensor, true_labels: Tensor) -> tuple[Tensor, Tensor]:
    """Labels and weights (n,) of training after a remedy for the examples suspected.

    remove gives them weight 0; relabel, like a person who looks at them, their true labels.
    """
    if remedy == REMOVE:
        return case.train.labels, weights(case, Counterfactual(tuple(suspected.tolist()), -1.0))
    labels = case.train.labels.clone()
    labels[suspected] = true_labels[suspected]
    return labels, unit_weights(case)
