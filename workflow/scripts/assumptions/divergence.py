"""Measure how far counterfactual parameters move away, beside the bound on it and what first-order theory says."""

from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.divergence import curve, divergence_statistics
from fading.experiments.effects import stack, theory

with Job(snakemake) as job:
    settings, chunks = job.settings, job.read("changes")
    response = theory(chunks)
    moved = curve(stack(chunks, ["norm", "members", "epsilon"]), response, settings["steps"])
    eta_lambda_max = settings["learning_rate"] * job.read("spectrum")["all_values"].max()
    where = {"case": job.wildcards["case"], "regime": job.wildcards["regime"], "seed": settings["seed"]}
    job.write("divergence", located(moved, **where))
    job.write("statistics", located(divergence_statistics(moved, response["reused"], eta_lambda_max), **where))
