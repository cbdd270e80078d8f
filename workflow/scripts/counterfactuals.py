"""Continue training from a checkpoint with single examples up-weighted, and with nothing but noise changed."""

import numpy as np
from fading.cases import open_case
from fading.counterfactuals import chunk, described, forked, record
from fading.job import Job
from fading.optimizers import optimizer
from fading.training import batches, unit_weights, unpack

with Job(snakemake) as job:
    settings, drawn = job.settings, batches(job.read("order"))
    case = open_case(settings, job.read("examples"))
    start, steps = settings["from"], settings["steps"]
    state, rule = unpack(case, job.read("checkpoints"), start), optimizer(settings)
    everything = forked(drawn[0], settings["examples"], settings["epsilon"])
    counterfactuals = chunk(everything, int(job.wildcards["chunk"]), settings["chunk"])
    unchanged, unchanged_losses = record(case, state, drawn, rule, unit_weights(case), steps, start)
    loss_change, norms, deltas = [], [], []
    for one in job.progress(counterfactuals):
        thetas, losses = record(case, one.start(state), drawn, rule, one.weights(case), steps, start)
        delta = thetas - unchanged
        loss_change.append((losses - unchanged_losses).numpy())
        norms.append(delta.double().norm(dim=1).numpy())
        if one.epsilon:
            deltas.append(delta.numpy())
    arrays = {"loss_change": np.stack(loss_change), "norm": np.stack(norms), **described(counterfactuals)}
    job.write("changes", arrays | ({"delta": np.stack(deltas)} if deltas else {}))
