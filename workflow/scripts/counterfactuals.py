"""Continue training from a checkpoint with single examples up-weighted, and with nothing but noise changed."""

import numpy as np
import torch
from fading.cases import open_case
from fading.counterfactuals import chunk, described, forked, record
from fading.job import Job
from fading.optimizers import optimizer
from fading.training import batches, unpack

with Job(snakemake) as job:
    settings, baseline = job.settings, job.read("baseline")
    case = open_case(settings, job.read("examples"))
    start, drawn = settings["from"], batches(job.read("order"))
    state, rule = unpack(case, job.read("checkpoints"), start), optimizer(settings)
    everything = forked(drawn[0], settings["examples"], settings["epsilon"])
    counterfactuals = chunk(everything, int(job.wildcards["chunk"]), settings["chunk"])
    with_response = chunk(everything[: settings["responses"]], int(job.wildcards["chunk"]), settings["chunk"])
    loss_change, norms, deltas = [], [], []
    for one in job.progress(counterfactuals):
        thetas, losses = record(case, one.start(state), drawn, rule, one.weights(case), settings["steps"], start)
        delta = thetas - torch.from_numpy(baseline["theta"])
        loss_change.append((losses - torch.from_numpy(baseline["losses"])).numpy())
        norms.append(delta.double().norm(dim=1).numpy())
        if one in with_response:
            deltas.append(delta.numpy())
    arrays = {"loss_change": np.stack(loss_change), "norm": np.stack(norms), **described(counterfactuals)}
    job.write("changes", arrays | ({"delta": np.stack(deltas)} if deltas else {}))
