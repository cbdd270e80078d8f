"""Spectra of the Hessian along training, and their statistics."""

import pandas as pd
from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.convexity import density, explicit_statistics, spectrum_statistics

with Job(snakemake) as job:
    where = {"case": job.wildcards["case"], "seed": job.settings["seed"]}
    spectra = dict(zip(job.settings["checkpoints"], job.read("spectra"), strict=True))
    masses = [located(density(spectrum), **where, step=step) for step, spectrum in spectra.items()]
    statistics = [located(spectrum_statistics(spectrum), **where, step=step) for step, spectrum in spectra.items()]
    solutions = job.read("solutions", optional=True) or {}
    if "eigenvalues.hessian" in solutions:
        explicit = explicit_statistics(solutions["eigenvalues.hessian"])
        statistics.append(located(explicit, **where, step=max(spectra)))
    job.write("spectra", pd.concat(masses, ignore_index=True))
    job.write("statistics", pd.concat(statistics, ignore_index=True))
