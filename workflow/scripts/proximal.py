"""The proximal Bregman response of the trained model to leaving out examples."""

import numpy as np
import torch
from fading.cases import open_case
from fading.counterfactuals import described, left_out
from fading.job import Job
from fading.proximal import ProximalObjective
from fading.training import unpack

TOLERANCE = 1e-2  # of the gradient; in float32 it can't vanish

with Job(snakemake) as job:
    settings = job.settings
    case = open_case(settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), settings["steps"])[0]
    chosen = left_out(job.read("order"), len(case.train), settings["count"], settings["size"])
    counterfactuals = [one for one in chosen if one.epsilon == -1][: settings["proximal"]]
    objective = ProximalObjective(case, theta, torch.arange(settings["hessian_examples"]), settings["damping"])
    with torch.no_grad():
        before = case.measured_losses(theta)
    changes, residuals = [], []
    for one in job.progress(counterfactuals):
        moved, residual = objective.response(one, TOLERANCE)
        residuals.append(residual)
        with torch.no_grad():
            changes.append((case.measured_losses(moved) - before).numpy())
    arrays = {"loss_change": np.stack(changes), "residual": np.array(residuals), **described(counterfactuals)}
    job.write("changes", arrays)
