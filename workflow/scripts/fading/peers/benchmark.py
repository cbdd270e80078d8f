"""What a case's computations cost, in its own training steps and in this machine's matrix products."""

from collections.abc import Callable, Iterable
from functools import partial

import pandas as pd
import torch
from torch import Tensor

from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import gradient_products, per_example_gradients
from fading.experiments.correction.interventions import Trained, practice
from fading.influence import ekfac
from fading.models.case import Case
from fading.peers.measure import matrix_product_rate, median_seconds, operations, peak_mebibytes
from fading.training.counterfactuals import Counterfactual
from fading.training.optimizers import Optimizer
from fading.training.replicas import record_each, replica
from fading.training.retraining import record, weights
from fading.training.segment import Segment, batch_loss, descend, unit_weights

STEPS, COUNTERFACTUALS, EXAMPLES = 10, 4, 10
FEW, REPLICAS = 3, (4, 16, 64)


def computations(case: Case, state: Tensor, optimizer: Optimizer, batch_size: int) -> dict[str, Callable[[], object]]:
    """What is measured, by name, the training step first."""
    theta, batch, n, m = state[0], torch.arange(batch_size), len(case.train), case.measured
    retained = Curvature(case, theta, batch)

    def gradient():
        at = theta.clone().requires_grad_()
        return torch.autograd.grad(batch_loss(case, at, batch, unit_weights(case)), at)[0]

    def train(steps):
        return list(descend(Segment(case, state, [batch] * steps, optimizer)))

    def retrain():
        for example in range(COUNTERFACTUALS):
            twice = weights(case, Counterfactual((example,), 1.0))
            record(Segment(case, state, [batch] * STEPS, optimizer), twice, [STEPS])

    def scores(count, tested=case.tested):
        return gradient_products(case, theta, case.train[:count], tested)

    def correction():
        few = practice(Trained(case, state, 0, [], m, seed=0), case.train[:EXAMPLES], optimizer, STEPS)
        return list(descend(few.segment, few.weights))

    def replicas(count, at_once):
        segment = Segment(case, state, [batch] * FEW, optimizer)
        runs = [replica(case, state, Counterfactual((example % n,), 1.0)) for example in range(count)]
        return list(record_each(segment, runs, [FEW], at_once))

    ways = {"alone": lambda count: 1, "together": lambda count: count}
    return {
        "training step": partial(train, 1),
        f"{STEPS} training steps": partial(train, STEPS),
        f"{COUNTERFACTUALS} counterfactuals of {STEPS} steps": retrain,
        **{
            f"{count} replicas of {FEW} steps, {way}": partial(replicas, count, at_once(count))
            for count in REPLICAS
            for way, at_once in ways.items()
        },
        "gradient": gradient,
        "Hessian product": lambda: Curvature(case, theta, batch)(theta[None]),
        "Hessian product, same point": lambda: retained(theta[None]),
        "Gauss-Newton product": lambda: Curvature(case, theta, batch, kind="gauss-newton")(theta[None]),
        "per-example gradients": lambda: per_example_gradients(case, theta, case.train[batch]),
        f"gradient-dot scores, {n // 4} × {m}": partial(scores, n // 4),
        f"gradient-dot scores, {n} × {m}": partial(scores, n),
        f"gradient-dot scores, {n} × 1": partial(scores, n, case.test[:1]),
        f"correction, {STEPS} steps on {EXAMPLES} examples": correction,
        f"EK-FAC fit, {n}": lambda: ekfac.fit(case, theta, case.train),
    }


def measured(
    computations: Iterable[tuple[str, Callable[[], object]]], dtype: torch.dtype, repeats: int
) -> pd.DataFrame:
    """A row per computation: median seconds, training steps, GFLOP/s, its share of the matrix product's, peak MiB."""
    rate, rows = matrix_product_rate(dtype), []
    for name, function in computations:
        seconds, work = median_seconds(function, repeats), operations(function)
        rows.append(
            {
                "what": name,
                "seconds": seconds,
                "steps": seconds / (rows[0]["seconds"] if rows else seconds),
                "gflop_per_second": work / seconds,
                "of_matrix_product": work / seconds / rate,
                "mebibytes": peak_mebibytes(function),
            }
        )
    return pd.DataFrame(rows)
