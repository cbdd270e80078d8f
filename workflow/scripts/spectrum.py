"""Extreme eigenpairs of the training loss's Hessian at a checkpoint."""

import torch
from fading.cases import open_case
from fading.curvature import lanczos, mean_hessian_products
from fading.job import Job
from fading.training import unpack

with Job(snakemake) as job:
    case = open_case(job.settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), int(job.wildcards["step"]))
    index = torch.arange(job.settings["examples"])
    start = torch.randn(len(theta), generator=torch.Generator().manual_seed(0), dtype=case.dtype)

    def product(vector):
        return mean_hessian_products(case, theta, index, vector[None])[0]

    ritz = lanczos(product, start, job.settings["krylov"], job.progress)
    kept = ritz.largest(job.settings["keep"])
    job.write(
        "spectrum",
        {
            "all_values": ritz.values.numpy(),
            "all_residuals": ritz.residuals.numpy(),
            "values": kept.values.numpy(),
            "residuals": kept.residuals.numpy(),
            "vectors": kept.vectors.numpy(),
        },
    )
