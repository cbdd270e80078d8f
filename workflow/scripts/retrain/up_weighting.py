"""Continue training with single examples up-weighted, and with nothing but noise changed; what theory says of it."""

import numpy as np
import torch
from fading.artefacts import budget
from fading.artefacts.job import Job
from fading.derivatives.lanczos import Ritz
from fading.experiments.theory import predictions
from fading.models.case import open_case
from fading.training.counterfactuals import share, up_weighted
from fading.training.optimizers import make_optimizer
from fading.training.replicas import record_each, replica, together, unchanged
from fading.training.retraining import described
from fading.training.segment import Segment, batches, unpack

FOLLOWED = 6  # vectors beside, for each row of the state: the linear response, twice, before and after a step

with Job(snakemake) as job:
    settings, steps = job.settings, job.settings["steps"]
    case = open_case(settings, job.read("examples"))
    state, fork = unpack(case, job.read("checkpoints"), settings["from"]), settings["from"]
    segment = Segment(case, state, batches(job.read("order")), make_optimizer(settings), fork)
    everything = up_weighted(segment.batches[0].tolist(), settings["examples"], settings["epsilon"])
    counterfactuals = share(everything, int(job.wildcards["chunk"]), settings["chunk"])
    vectors = len(counterfactuals) * (len(steps) + FOLLOWED * len(state))
    budget.require(vectors * state[0].nbytes, f"{len(counterfactuals)} counterfactuals, recorded {len(steps)} times,")
    loss_change, norms, deltas = [], [], []
    replicas = [replica(case, state, counterfactual) for counterfactual in counterfactuals]
    runs = record_each(segment, [unchanged(case, state), *replicas], steps, at_once := together(segment))
    before, losses_before = next(runs)
    for counterfactual, (thetas, losses) in zip(job.progress(counterfactuals), runs, strict=True):
        loss_change.append((losses - losses_before).numpy(force=True))
        norms.append((thetas - before).double().norm(dim=1).numpy(force=True))
        if counterfactual.epsilon:
            deltas.append(thetas - before)
    arrays = {"loss_change": np.stack(loss_change), "norm": np.stack(norms), **described(counterfactuals)}
    changed = [counterfactual for counterfactual in counterfactuals if counterfactual.epsilon]
    if changed:
        ritz = Ritz.from_arrays(job.read("spectrum"))
        theory = predictions(segment, changed, torch.stack(deltas), ritz, steps, job.progress)
        arrays |= {f"theory.{name}": array for name, array in theory.items()}
    job.write("changes", arrays, together=at_once)
