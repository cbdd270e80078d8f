"""Retrain from the start with single examples left out, or counted twice."""

import numpy as np
from fading.cases import open_case
from fading.counterfactuals import fork, left_out, record
from fading.job import Job
from fading.training import batches, unpack

with Job(snakemake) as job:
    settings, order, checkpoints = job.settings, job.read("order"), job.read("checkpoints")
    case = open_case(settings, job.read("examples"))
    chunk = slice(
        settings["chunk"] * int(job.wildcards["chunk"]), settings["chunk"] * (int(job.wildcards["chunk"]) + 1)
    )
    counterfactuals = left_out(order, len(case.train), settings["examples"])[chunk]
    end = settings["steps"]
    actual = case.measured_losses(unpack(case, checkpoints, end))
    changes = []
    for counterfactual in job.progress(counterfactuals):
        start = fork(order, counterfactual.example, settings["checkpoints"])
        weights = counterfactual.weights(case)
        steps = batches(order, start, end)
        rate = settings["learning_rate"]
        _, losses = record(case, unpack(case, checkpoints, start), steps, rate, weights, [end - start])
        changes.append((losses[0] - actual).numpy())
    job.write(
        "changes",
        {
            "loss_change": np.stack(changes),
            "example": np.array([one.example for one in counterfactuals]),
            "epsilon": np.array([one.epsilon for one in counterfactuals]),
        },
    )
