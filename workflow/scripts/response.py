"""The linear response of a continuation to up-weighted examples, and how far it is from what retraining showed."""

import numpy as np
import torch
from fading.cases import open_case
from fading.job import Job
from fading.optimizers import optimizer
from fading.response import linear_response, predicted_effects, relative_error
from fading.training import batches, unpack

with Job(snakemake) as job:
    settings, changes = job.settings, job.read("changes")
    case = open_case(settings, job.read("examples"))
    start = settings["from"]
    state = unpack(case, job.read("checkpoints"), start)
    deltas = torch.from_numpy(changes["delta"])
    groups = [tuple(members) for members in changes["members"][: len(deltas)].tolist()]
    epsilon = torch.from_numpy(changes["epsilon"][: len(deltas)])
    drawn = job.progress(batches(job.read("order")))
    effects, errors = [], []
    for step, theta, psi in linear_response(case, state, drawn, optimizer(settings), groups, start):
        if step - start in settings["steps"]:
            recorded = settings["steps"].index(step - start)
            effects.append(epsilon[:, None] * predicted_effects(case, theta, psi))
            errors.append(relative_error(deltas[:, recorded], epsilon, psi))
    job.write("response", {"effect": np.stack(effects, axis=1), "error": np.stack(errors, axis=1)})
