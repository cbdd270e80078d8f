"""Retrain from the start with single examples left out, or counted twice, and with groups left out."""

from dataclasses import replace

import numpy as np
from fading.artefacts.job import Job
from fading.models.case import open_case
from fading.training.counterfactuals import left_out, share
from fading.training.optimizers import make_optimizer
from fading.training.replicas import changes, groups, replica, together
from fading.training.retraining import described, first_epoch, fork
from fading.training.segment import Segment, batches, unpack_all

with Job(snakemake) as job:
    settings, order = job.settings, job.read("order")
    case, optimizer = open_case(settings, job.read("examples")), make_optimizer(settings)
    checkpoints, steps = unpack_all(case, job.read("checkpoints")), settings["steps"]
    everything = left_out(first_epoch(order, len(case.train)), **settings["left_out"])
    counterfactuals = share(everything, int(job.wildcards["chunk"]), settings["chunk"])
    before = case.measured_losses(checkpoints[steps][0])[None]
    whole = Segment(case, checkpoints[0], batches(order), optimizer)
    at_once = together(whole)

    def trained(few):
        start = min(fork(order, counterfactual.members, checkpoints) for counterfactual in few)
        again = replace(whole, state=checkpoints[start], batches=whole.batches[start:], first_step=start)
        replicas = [replica(case, again.state, counterfactual) for counterfactual in few]
        runs = changes(again, replicas, [steps - start], at_once, before)
        return {"runs": {"loss_change": np.stack([change.numpy(force=True) for _, (change,) in runs])}}

    few = groups(counterfactuals, at_once)
    found = [job.once(f"group-{number}", trained, group)["runs"] for number, group in enumerate(job.progress(few))]
    loss_change = np.concatenate([run["loss_change"] for run in found])
    job.write("changes", {"loss_change": loss_change, **described(counterfactuals)}, together=at_once)
