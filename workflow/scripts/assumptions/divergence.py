"""Measure how far counterfactual parameters move away, beside the bound on it and what first-order theory says."""

from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.divergence import curve, divergence_statistics, eta_lambda, growth_bound
from fading.experiments.effects import stack, theory

with Job(snakemake) as job:
    settings, chunks, path = job.settings, job.read("changes"), job.read("path")
    response, steps, rate = theory(chunks), settings["steps"], settings["learning_rate"]
    if "forcing" in response:
        response["bound"] = growth_bound(path, response["forcing"], rate)[:, [step - 1 for step in steps]]
    moved = curve(stack(chunks, ["norm", "members", "epsilon"]), response, steps)
    products = eta_lambda(path, job.read("spectrum")["all_values"].max(), rate)
    where = {"case": job.wildcards["case"], "regime": job.wildcards["regime"], "seed": settings["seed"]}
    job.write("divergence", located(moved, **where))
    job.write("statistics", located(divergence_statistics(moved, response["reused"], products), **where))
