"""Train from the start with random parts of the training set left out, and once with nothing but noise changed."""

from dataclasses import replace

import numpy as np
import torch
from fading.artefacts.job import Job
from fading.models.case import open_case
from fading.training.counterfactuals import Counterfactual, share
from fading.training.optimizers import make_optimizer
from fading.training.retraining import start
from fading.training.segment import Segment, batches, state_after, unpack_all
from fading.training.subsets import removed

NOISE = Counterfactual((), 0.0)

with Job(snakemake) as job:
    settings = job.settings
    case, checkpoints = open_case(settings, job.read("examples")), job.read("checkpoints")
    states = unpack_all(case, checkpoints)
    whole = Segment(case, states[0], batches(job.read("order")), make_optimizer(settings))
    masks, shares = removed(len(case.train), settings["shares"], settings["subsets"])
    unchanged = case.measured_losses(states[settings["steps"]][0])
    changes, right = [], []
    places = share(range(1 + len(masks)), int(job.wildcards["chunk"]), settings["chunk"])  # the first is the noise
    for place in job.progress(places):
        if place:
            state = state_after(whole, torch.from_numpy(~masks[place - 1]).to(case.dtype))
        else:
            state = state_after(replace(whole, state=start(whole.state, NOISE)))
        with torch.no_grad():
            logits = case.logits(state[0], case.tested.inputs)
        changes.append((case.output_losses(logits, case.tested.labels) - unchanged).numpy())
        right.append((logits.argmax(1) == case.tested.labels).numpy())
    part = np.array(places)
    kept = {"share": np.append(0, shares)[part], "removed": np.concatenate([np.zeros_like(masks[:1]), masks])[part]}
    job.write("changes", {"loss_change": np.stack(changes), "right": np.stack(right), **kept})
