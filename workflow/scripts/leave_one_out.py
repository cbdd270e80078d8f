"""Retrain from the start with single examples left out, or counted twice, and with groups left out."""

import numpy as np
from fading.cases import open_case
from fading.counterfactuals import chunk, described, fork, left_out, record
from fading.job import Job
from fading.optimizers import optimizer
from fading.training import batches, unpack

with Job(snakemake) as job:
    settings, order, checkpoints = job.settings, job.read("order"), job.read("checkpoints")
    case = open_case(settings, job.read("examples"))
    everything = left_out(order, len(case.train), settings["count"], settings["size"])
    counterfactuals = chunk(everything, int(job.wildcards["chunk"]), settings["chunk"])
    actual = case.measured_losses(unpack(case, checkpoints, settings["steps"])[0])
    changes = []
    for one in job.progress(counterfactuals):
        start = fork(order, one.members, settings["checkpoints"])
        state, last = unpack(case, checkpoints, start), settings["steps"] - start
        weights = one.weights(case)
        _, losses = record(case, state, batches(order, start), optimizer(settings), weights, [last], start)
        changes.append((losses[0] - actual).numpy())
    job.write("changes", {"loss_change": np.stack(changes), **described(counterfactuals)})
