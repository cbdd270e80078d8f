"""Score every training example's influence on every measured test example, by one estimator at one checkpoint."""

import torch
from fading.cases import open_case
from fading.curvature import Ritz
from fading.influence import USES_SPECTRUM, load
from fading.job import Job
from fading.training import unpack

with Job(snakemake) as job:
    case = open_case(job.settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), int(job.wildcards["step"]))
    estimator, spectrum = job.wildcards["estimator"], None
    if estimator in USES_SPECTRUM:
        arrays = job.read("spectrum")
        spectrum = Ritz(*(torch.from_numpy(arrays[name]) for name in ("values", "vectors", "residuals")))
    scores = load(estimator)(case, theta, job.settings, spectrum=spectrum, progress=job.progress)
    job.write("scores", {"scores": scores.numpy()})
