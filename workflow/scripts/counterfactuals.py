"""Continue training from a checkpoint with single examples up-weighted, and with nothing but noise changed."""

import numpy as np
import torch
from fading.cases import open_case
from fading.counterfactuals import chunk, forked, record
from fading.job import Job
from fading.training import batches, unpack

with Job(snakemake) as job:
    settings, baseline = job.settings, job.read("baseline")
    case = open_case(settings, job.read("examples"))
    start, drawn = settings["from"], batches(job.read("order"))
    theta = unpack(case, job.read("checkpoints"), start)
    everything = forked(drawn[0], settings["examples"], settings["epsilon"])
    counterfactuals = chunk(everything, int(job.wildcards["chunk"]), settings["chunk"])
    with_response = chunk(everything[: settings["responses"]], int(job.wildcards["chunk"]), settings["chunk"])
    loss_change, norms, deltas = [], [], []
    for one in job.progress(counterfactuals):
        rate, weights = settings["learning_rate"], one.weights(case)
        thetas, losses = record(case, one.start(theta), drawn, rate, weights, settings["steps"], start)
        delta = thetas - torch.from_numpy(baseline["theta"])
        loss_change.append((losses - torch.from_numpy(baseline["losses"])).numpy())
        norms.append(delta.double().norm(dim=1).numpy())
        if one in with_response:
            deltas.append(delta.numpy())
    arrays = {
        "loss_change": np.stack(loss_change),
        "norm": np.stack(norms),
        "example": np.array([one.example for one in counterfactuals]),
        "epsilon": np.array([one.epsilon for one in counterfactuals]),
    }
    job.write("changes", arrays | ({"delta": np.stack(deltas)} if deltas else {}))
