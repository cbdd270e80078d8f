"""The linear response of a continuation to up-weighted examples, and how far it is from what retraining showed."""

import numpy as np
import torch
from fading.cases import open_case
from fading.job import Job
from fading.response import linear_response, predicted_effects
from fading.training import batches, unpack

with Job(snakemake) as job:
    settings, changes = job.settings, job.read("changes")
    case = open_case(settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), settings["from"])
    delta = torch.from_numpy(changes["delta"])
    examples, epsilon = (torch.from_numpy(changes[name][: len(delta)]) for name in ("example", "epsilon"))
    steps = job.progress(batches(job.read("order"), settings["from"], settings["from"] + settings["steps"][-1]))
    effects, errors = [], []
    for step, theta, psi in linear_response(case, theta, steps, settings["learning_rate"], examples):
        if step in settings["steps"]:
            effects.append(epsilon[:, None] * predicted_effects(case, theta, psi))
            actual = delta[:, len(errors)].double()
            errors.append((actual - epsilon[:, None] * psi.double()).norm(dim=1) / actual.norm(dim=1))
    job.write("response", {"effect": np.stack(effects, axis=1), "error": np.stack(errors, axis=1)})
