"""Solve the same right-hand sides by every solver, and compare residuals and scores."""

import numpy as np
import torch
from fading.artefacts.job import Job
from fading.derivatives.lanczos import Ritz, lanczos, random_vector
from fading.evidence.tables import located
from fading.experiments.stability import compared, solver_statistics
from fading.experiments.systems import System
from fading.influence.exact import MOST_PARAMETERS
from fading.models.case import open_case
from fading.training.counterfactuals import left_out
from fading.training.retraining import first_epoch
from fading.training.segment import unpack

with Job(snakemake) as job:
    settings = job.settings
    case = open_case(settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), settings["step"])[0]
    everything = left_out(first_epoch(job.read("order"), len(case.train)), **settings["left_out"])
    examples = list(dict.fromkeys(counterfactual.members[0] for counterfactual in everything))[: settings["proximal"]]
    index = torch.arange(settings["curvature_examples"])
    rows, spectra = [], {}
    for kind in ("hessian", "gauss-newton"):
        system = System(case, theta, index, kind, examples, settings["dampings"])
        rows += system.iterative(settings["dimension"], settings["scales"], job.progress)
        if kind == "hessian":
            starts = [Ritz.from_arrays(job.read("spectrum"))]  # from random vector 0
            starts.append(lanczos(system.curvature, random_vector(theta, 1), settings["krylov"], job.progress))
            for start, ritz in enumerate(starts):
                for rank in (max(settings["keep"] // 4, 1), settings["keep"]):
                    rows += system.arnoldi(ritz.largest(rank), f"rank {rank}, start {start}")
        if len(theta) <= MOST_PARAMETERS:
            explicit, spectra[f"eigenvalues.{kind}"] = system.explicit(job.progress)
            rows += explicit
    compared_rows, references = compared(rows)
    frame = located(compared_rows, case=job.wildcards["case"], seed=settings["seed"])
    job.write("solutions", frame)
    job.write("statistics", solver_statistics(frame))
    job.write("scores", {"examples": np.array(examples), **references, **spectra})
