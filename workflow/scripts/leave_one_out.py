"""Retrain from the start with single examples left out, or counted twice."""

import numpy as np
from fading.cases import open_case
from fading.counterfactuals import chunk, fork, left_out, record
from fading.job import Job
from fading.training import batches, unpack

with Job(snakemake) as job:
    settings, order, checkpoints = job.settings, job.read("order"), job.read("checkpoints")
    case = open_case(settings, job.read("examples"))
    everything = left_out(order, len(case.train), settings["examples"])
    counterfactuals = chunk(everything, int(job.wildcards["chunk"]), settings["chunk"])
    actual = case.measured_losses(unpack(case, checkpoints, settings["steps"]))
    changes = []
    for one in job.progress(counterfactuals):
        start = fork(order, one.example, settings["checkpoints"])
        theta, last = unpack(case, checkpoints, start), settings["steps"] - start
        rate, weights = settings["learning_rate"], one.weights(case)
        _, losses = record(case, theta, batches(order, start), rate, weights, [last], start)
        changes.append((losses[0] - actual).numpy())
    job.write(
        "changes",
        {
            "loss_change": np.stack(changes),
            "example": np.array([one.example for one in counterfactuals]),
            "epsilon": np.array([one.epsilon for one in counterfactuals]),
        },
    )
