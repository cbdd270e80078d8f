"""Spectra of the Hessian along training, and what remedies for its negative eigenvalues buy."""

import pandas as pd
from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.convexity import density, explicit_statistics, remedies, spectrum_statistics
from fading.experiments.effects import PROXIMAL, RETRAINING, stack

with Job(snakemake) as job:
    where = {"case": job.wildcards["case"], "seed": job.settings["seed"]}
    spectra = dict(zip(job.settings["checkpoints"], job.read("spectra"), strict=True))
    masses = [located(density(spectrum), **where, step=step) for step, spectrum in spectra.items()]
    solutions = job.read("scores")
    statistics = [located(spectrum_statistics(spectrum), **where, step=step) for step, spectrum in spectra.items()]
    if "eigenvalues.hessian" in solutions:
        statistics[-1] = located(explicit_statistics(solutions["eigenvalues.hessian"]), **where, step=max(spectra))
    truths = {
        RETRAINING: stack(job.read("changes"), ["loss_change", "members", "epsilon"]),
        PROXIMAL: job.read("proximal"),
    }
    job.write("spectra", pd.concat(masses, ignore_index=True))
    job.write("statistics", pd.concat(statistics, ignore_index=True))
    job.write("remedies", located(remedies(solutions, truths), **where))
