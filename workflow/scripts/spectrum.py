"""Extreme eigenpairs of the training loss's Hessian at a checkpoint."""

import torch
from fading.cases import open_case
from fading.curvature import Curvature, lanczos
from fading.job import Job
from fading.training import unpack

with Job(snakemake) as job:
    settings = job.settings
    case = open_case(settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), int(job.wildcards["step"]))[0]
    hessian = Curvature(case, theta, torch.arange(settings["examples"]))
    start = torch.randn(len(theta), generator=torch.Generator().manual_seed(0), dtype=case.dtype)
    ritz = lanczos(hessian, start, settings["krylov"], job.progress)
    everything = {
        "all_values": ritz.values.numpy(),
        "all_residuals": ritz.coupling.abs().numpy(),
        "all_weights": ritz.weights.numpy(),
    }
    job.write("spectrum", {**ritz.largest(settings["keep"]).to_arrays(), **everything})
