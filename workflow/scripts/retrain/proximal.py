"""The proximal Bregman response of the trained model to leaving out examples."""

import numpy as np
import torch
from fading.artefacts.job import Job
from fading.experiments.proximal import ProximalObjective
from fading.models.case import open_case
from fading.training.counterfactuals import left_out
from fading.training.retraining import described, first_epoch
from fading.training.segment import unpack

TOLERANCE = 1e-2  # of the gradient; in float32 it can't vanish

with Job(snakemake) as job:
    settings = job.settings
    case = open_case(settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), settings["step"])[0]
    everything = left_out(first_epoch(job.read("order"), len(case.train)), **settings["left_out"])
    counterfactuals = [candidate for candidate in everything if candidate.epsilon == -1][: settings["proximal"]]
    objective = ProximalObjective(case, theta, torch.arange(settings["curvature_examples"]), settings["damping"])
    before = case.measured_losses(theta)
    changes, residuals = [], []
    for counterfactual in job.progress(counterfactuals):
        moved, residual = objective.response(counterfactual, TOLERANCE)
        residuals.append(residual)
        changes.append((case.measured_losses(moved) - before).numpy(force=True))
    arrays = {"loss_change": np.stack(changes), "residual": np.array(residuals), **described(counterfactuals)}
    job.write("changes", arrays)
