"""Extreme eigenpairs of the training loss's Hessian at a checkpoint."""

import torch
from fading.cases import open_case
from fading.curvature import Curvature, lanczos, random_vector
from fading.job import Job
from fading.training import unpack

with Job(snakemake) as job:
    settings = job.settings
    case = open_case(settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), int(job.wildcards["step"]))[0]
    hessian = Curvature(case, theta, torch.arange(settings["examples"]))
    ritz = lanczos(hessian, random_vector(theta, 0), settings["krylov"], job.progress)
    everything = {
        "all_values": ritz.values.numpy(),
        "all_residuals": ritz.coupling.abs().numpy(),
        "all_weights": ritz.weights.numpy(),
    }
    job.write("spectrum", {**ritz.largest(settings["keep"]).to_arrays(), **everything})
