"""Extreme eigenpairs of the training loss's Hessian at a checkpoint."""

import torch
from fading.artefacts.job import Job
from fading.derivatives.curvature import Curvature
from fading.derivatives.lanczos import lanczos, random_vector
from fading.models.case import open_case
from fading.training.segment import unpack

with Job(snakemake) as job:
    settings = job.settings
    case = open_case(settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), settings["step"])[0]
    hessian = Curvature(case, theta, torch.arange(settings["curvature_examples"]))
    ritz = lanczos(hessian, random_vector(theta, 0), settings["krylov"], job.progress)
    everything = {
        "all_values": ritz.values.numpy(force=True),
        "all_residuals": ritz.coupling.abs().numpy(force=True),
        "all_weights": ritz.weights.numpy(force=True),
    }
    job.write("spectrum", {**ritz.largest(settings["keep"]).to_arrays(), **everything})
