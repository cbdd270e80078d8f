"""Training labels that were flipped on purpose: do rankings find them, and does mending what they find help?"""

from dataclasses import replace

import torch
from torch import Tensor

from fading.cases import Case, Examples
from fading.gradients import chunks, gradient_norms
from fading.methods import RANDOM
from fading.optimizers import Optimizer
from fading.training import descend, unit_weights

REMOVE, RELABEL = REMEDIES = "remove", "relabel"
EVERYTHING = "all planted errors"  # the most that a remedy can find


def suspicions(case: Case, theta: Tensor, scores: dict[str, Tensor], seed: int) -> dict[str, Tensor]:
    """By method, how much each training example is suspected of a wrong label: (n,), larger is more.

    Of each estimator, whose scores (n, measured) are positive where harmful, the mean over the measured test examples;
    self-influence ‖∇ℓ(θ; x)‖² (Koh and Liang 2017, with the identity for the Hessian); and what costs next to nothing,
    the loss ℓ(θ; x); and random numbers from the seed, the control.
    """
    with torch.no_grad():
        loss = torch.cat([case.losses(theta, chunk) for chunk in chunks(case.train)])
    means = {name: array.mean(1) for name, array in scores.items()}
    drawn = torch.randn(len(case.train), generator=torch.Generator().manual_seed(seed))
    own = gradient_norms(case, theta, case.train).square()
    return {**means, "self-influence": own, "training loss": loss, RANDOM: drawn}


def suspects(suspicion: Tensor, count: int) -> Tensor:
    """The most suspected examples, ties by their place in the training set: (count,)."""
    return (-suspicion).argsort(stable=True)[:count]


def average_precision(suspicion: Tensor, planted: Tensor) -> float:
    """The area under the precision-recall curve, by steps: the mean, over planted errors, of the precision at each.

    `planted` (n,) marks them. A random order has the share of planted errors, on average.
    """
    hit = planted[suspects(suspicion, len(planted))].double()
    precision = hit.cumsum(0) / torch.arange(1, len(hit) + 1)
    return ((precision * hit).sum() / hit.sum()).item()


def recovered(
    case: Case, state: Tensor, step: int, batches: list[Tensor], optimizer: Optimizer, labels: Tensor, weights: Tensor
) -> float:
    """Test accuracy after training on with these training labels (n,) and weights (n,).

    Only on test examples that are not measured: no influence was computed with their labels.
    """
    mended = replace(case, train=Examples(case.train.inputs, labels), test=case.test[case.measured :])
    for _, moved, _ in descend(mended, state, batches, optimizer, weights, step):
        state = moved
    return mended.accuracy(state[0])


def remedied(case: Case, remedy: str, found: Tensor, true_labels: Tensor) -> tuple[Tensor, Tensor]:
    """Labels and weights (n,) of training after a remedy for the examples found.

    remove gives them weight 0; relabel, like a person who looks at them, their true labels.
    """
    labels, weights = case.train.labels.clone(), unit_weights(case)
    if remedy == REMOVE:
        weights[found] = 0
    else:
        labels[found] = true_labels[found]
    return labels, weights
