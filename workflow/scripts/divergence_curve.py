"""How far counterfactual parameters move away from the unchanged run, step by step after the fork."""

from fading.job import Job
from fading.tables import divergence_curve, located, stack

with Job(snakemake) as job:
    changes = stack(job.read("changes"), ["norm", "members", "epsilon"])
    error = stack(job.read("responses"), ["error"])["error"]
    frame = divergence_curve(changes, error, job.settings["steps"])
    where = {name: job.wildcards[name] for name in ("case", "regime")} | {"seed": int(job.wildcards["seed"])}
    job.write("curve", located(frame, **where))
