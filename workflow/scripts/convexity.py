"""Spectra of the Hessian along training, and what remedies for its negative eigenvalues buy."""

import pandas as pd
from fading.assumptions.convexity import density, explicit_statistics, remedies, statistics
from fading.job import Job
from fading.tables import PROXIMAL, RETRAINING, located, stack

with Job(snakemake) as job:
    where = {"case": job.wildcards["case"], "seed": job.seed}
    spectra = dict(zip(job.settings["checkpoints"], job.read("spectra"), strict=True))
    masses = [located(density(one), **where, step=step) for step, one in spectra.items()]
    solutions = job.read("scores")
    known = [located(statistics(one), **where, step=step) for step, one in spectra.items()]
    if "eigenvalues.hessian" in solutions:
        known[-1] = located(explicit_statistics(solutions["eigenvalues.hessian"]), **where, step=max(spectra))
    truths = {
        RETRAINING: stack(job.read("changes"), ["loss_change", "members", "epsilon"]),
        PROXIMAL: job.read("proximal"),
    }
    job.write("spectra", pd.concat(masses, ignore_index=True))
    job.write("statistics", pd.concat(known, ignore_index=True))
    job.write("remedies", located(remedies(solutions, truths), **where))
