"""Train from the start with random parts of the training set left out, and once with nothing but noise changed."""

import numpy as np
import torch
from fading.artefacts.job import Job
from fading.models.case import open_case
from fading.training.counterfactuals import Counterfactual, share
from fading.training.optimizers import make_optimizer
from fading.training.replicas import Replica, changes, groups, replica, together
from fading.training.segment import Segment, batches, unpack_all
from fading.training.subsets import removed

NOISE = Counterfactual((), 0.0)

with Job(snakemake) as job:
    settings = job.settings
    case, checkpoints = open_case(settings, job.read("examples")), job.read("checkpoints")
    states = unpack_all(case, checkpoints)
    whole = Segment(case, states[0], batches(job.read("order")), make_optimizer(settings))
    masks, shares = removed(len(case.train), settings["shares"], settings["subsets"])
    places = share(range(1 + len(masks)), int(job.wildcards["chunk"]), settings["chunk"])  # the first is the noise
    before, at_once = case.measured_losses(states[settings["steps"]][0])[None], together(whole)

    def trained(few):
        replicas = [
            Replica(whole.state, torch.as_tensor(~masks[place - 1]).to(case.dtype))
            if place
            else replica(case, whole.state, NOISE)
            for place in few
        ]
        loss_change, right = [], []
        for thetas, (change,) in changes(whole, replicas, [settings["steps"]], at_once, before):
            loss_change.append(change.numpy(force=True))
            right.append((case.outputs(thetas[0], case.tested).argmax(1) == case.tested.labels).numpy(force=True))
        return {"runs": {"loss_change": np.stack(loss_change), "right": np.stack(right)}}

    found = [job.once(f"from-{few[0]}", trained, few)["runs"] for few in job.progress(groups(places, at_once))]
    runs = {name: np.concatenate([run[name] for run in found]) for name in ("loss_change", "right")}
    part = np.array(places)
    kept = {"share": np.append(0, shares)[part], "removed": np.concatenate([np.zeros_like(masks[:1]), masks])[part]}
    job.write("changes", {**runs, **kept}, together=at_once)
