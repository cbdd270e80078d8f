"""Score every training example's influence on every measured test example, by one estimator at one checkpoint."""

import torch
from fading.cases import open_case
from fading.curvature import Ritz
from fading.influence import load
from fading.job import Job
from fading.training import unpack

with Job(snakemake) as job:
    case = open_case(job.settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), int(job.wildcards["step"]))
    spectrum = job.read("spectrum", optional=True)
    if spectrum is not None:
        spectrum = Ritz(*(torch.from_numpy(spectrum[name]) for name in ("values", "vectors", "residuals")))
    scores = load(job.wildcards["estimator"])(case, theta, job.settings, spectrum=spectrum, progress=job.progress)
    job.write("scores", {"scores": scores.numpy()})
