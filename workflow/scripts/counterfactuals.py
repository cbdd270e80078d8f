"""Continue training from a checkpoint with single examples up-weighted, and with nothing but noise changed."""

import numpy as np
import torch
from fading.cases import open_case
from fading.counterfactuals import forked, record
from fading.job import Job
from fading.training import batches, unpack

with Job(snakemake) as job:
    settings, order, baseline = job.settings, job.read("order"), job.read("baseline")
    case = open_case(settings, job.read("examples"))
    start = unpack(case, job.read("checkpoints"), settings["from"])
    steps = batches(order, settings["from"], settings["from"] + settings["steps"][-1])
    first = settings["chunk"] * int(job.wildcards["chunk"])
    counterfactuals = forked(order, settings["from"], settings)[first : first + settings["chunk"]]
    kept = max(0, min(settings["responses"] - first, len(counterfactuals)))
    loss_change, norms, deltas = [], [], []
    for one in job.progress(counterfactuals):
        rate = settings["learning_rate"]
        thetas, losses = record(case, one.start(start), steps, rate, one.weights(case), settings["steps"])
        delta = thetas - torch.from_numpy(baseline["theta"])
        loss_change.append((losses - torch.from_numpy(baseline["losses"])).numpy())
        norms.append(delta.double().norm(dim=1).numpy())
        deltas += [delta.numpy()] if len(deltas) < kept else []
    job.write(
        "changes",
        {
            "loss_change": np.stack(loss_change),
            "norm": np.stack(norms),
            "example": np.array([one.example for one in counterfactuals]),
            "epsilon": np.array([one.epsilon for one in counterfactuals]),
            **({"delta": np.stack(deltas)} if kept else {}),
        },
    )
