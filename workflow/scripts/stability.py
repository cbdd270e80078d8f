"""Solve the same right-hand sides by every solver, and compare residuals and scores."""

import numpy as np
import torch
from fading.assumptions.stability import compared, solutions, statistics
from fading.cases import open_case
from fading.counterfactuals import left_out
from fading.job import Job
from fading.tables import located
from fading.training import unpack

with Job(snakemake) as job:
    settings, chosen = job.settings, {}
    case = open_case(settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), settings["steps"])[0]
    out = left_out(job.read("order"), len(case.train), settings["count"], settings["size"])
    examples = list(dict.fromkeys(one.members[0] for one in out))[: settings["proximal"]]
    index = torch.arange(settings["hessian_examples"])
    grid = {name: settings[name] for name in ("depth", "dampings", "scales")}
    rows, spectra = [], {}
    for kind in ("hessian", "gauss-newton"):
        found, eigenvalues = solutions(case, theta, index, kind, examples, **grid, progress=job.progress)
        rows += found
        if eigenvalues is not None:
            spectra[f"eigenvalues.{kind}"] = eigenvalues
    frame, references = compared(rows)
    where = {"case": job.wildcards["case"], "seed": job.seed}
    job.write("solutions", located(frame, **where))
    job.write("statistics", located(statistics(frame), **where))
    job.write("scores", {"examples": np.array(examples), **references, **spectra})
