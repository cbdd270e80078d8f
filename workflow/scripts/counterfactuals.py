"""Continue training with single examples up-weighted, and with nothing but noise changed; what theory says of it."""

import numpy as np
import torch
from fading.cases import open_case
from fading.counterfactuals import chunk, described, forked, record
from fading.curvature import Ritz
from fading.job import Job
from fading.optimizers import optimizer
from fading.theory import predictions
from fading.training import batches, unit_weights, unpack

with Job(snakemake) as job:
    settings, drawn = job.settings, batches(job.read("order"))
    case = open_case(settings, job.read("examples"))
    start, steps, rule = settings["from"], settings["steps"], optimizer(settings)
    state = unpack(case, job.read("checkpoints"), start)
    everything = forked(drawn[0], settings["examples"], settings["epsilon"])
    counterfactuals = chunk(everything, int(job.wildcards["chunk"]), settings["chunk"])
    unchanged, unchanged_losses = record(case, state, drawn, rule, unit_weights(case), steps, start)
    loss_change, norms, deltas = [], [], []
    for one in job.progress(counterfactuals):
        thetas, losses = record(case, one.start(state), drawn, rule, one.weights(case), steps, start)
        loss_change.append((losses - unchanged_losses).numpy())
        norms.append((thetas - unchanged).double().norm(dim=1).numpy())
        if one.epsilon:
            deltas.append(thetas - unchanged)
    arrays = {"loss_change": np.stack(loss_change), "norm": np.stack(norms), **described(counterfactuals)}
    up_weighted = [one for one in counterfactuals if one.epsilon]
    if up_weighted:
        ritz = Ritz.from_arrays(job.read("spectrum"))
        beside = (up_weighted, torch.stack(deltas), ritz, steps, start, job.progress)
        theory = predictions(case, state, drawn, rule, *beside)
        arrays |= {f"theory.{name}": array for name, array in theory.items()}
    job.write("changes", arrays)
