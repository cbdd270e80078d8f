"""What a case's computations cost, in training steps of its own."""

from functools import partial

import pandas as pd
import torch
from fading.cases import open_case
from fading.counterfactuals import Counterfactual, record
from fading.curvature import Curvature
from fading.gradients import gradient_products, per_example_gradients
from fading.job import Job
from fading.measure import matrix_product_rate, median_seconds, operations, peak_mebibytes
from fading.optimizers import optimizer
from fading.training import batch_loss, descend, unit_weights, unpack

REPEATS, STEPS, COUNTERFACTUALS = 5, 10, 4

with Job(snakemake) as job:
    settings = job.settings
    case = open_case(settings, job.read("examples"))
    state, rule = unpack(case, job.read("checkpoints"), settings["step"]), optimizer(settings)
    theta, weights, size = state[0], unit_weights(case), settings["batch_size"]
    batch = torch.arange(size)
    few = case.train[batch]
    retained = Curvature(case, theta, batch)
    retained(theta[None])

    def gradient():
        at = theta.clone().requires_grad_()
        return torch.autograd.grad(batch_loss(case, at, batch, weights), at)[0]

    def run(count):
        for example in range(count):
            one = Counterfactual((example,), 1.0)
            record(case, state, [batch] * STEPS, rule, one.weights(case), [STEPS])

    def scores(count):
        return gradient_products(case, theta, case.train[:count], case.tested)

    n, m = len(case.train), case.measured
    measured = {
        "training step": lambda: list(descend(case, state, [batch], rule, weights)),
        "gradient": gradient,
        "Hessian product": lambda: Curvature(case, theta, batch)(theta[None]),
        "Hessian product, same point": lambda: retained(theta[None]),
        "Gauss-Newton product": lambda: Curvature(case, theta, batch, kind="gauss-newton")(theta[None]),
        "per-example gradients": lambda: per_example_gradients(case, theta, few),
        f"{STEPS} training steps": lambda: list(descend(case, state, [batch] * STEPS, rule, weights)),
        f"{COUNTERFACTUALS} counterfactuals of {STEPS} steps": partial(run, COUNTERFACTUALS),
        f"gradient-dot scores, {n // 4} × {m}": partial(scores, n // 4),
        f"gradient-dot scores, {n} × {m}": partial(scores, n),
    }

    rate = matrix_product_rate(case.dtype)
    rows = []
    for name, function in job.progress(measured.items()):
        seconds, work = median_seconds(function, REPEATS), operations(function)
        step = rows[0]["seconds"] if rows else seconds
        rows.append(
            {
                "case": job.wildcards["case"],
                "what": name,
                "seconds": seconds,
                "steps": seconds / step,
                "gflop_per_second": work / seconds,
                "of_matrix_product": work / seconds / rate,
                "mebibytes": peak_mebibytes(function),
            }
        )
    job.write("rows", pd.DataFrame(rows))
