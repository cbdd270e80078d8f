"""Compare leave-one-out retraining with what each estimator predicted of it."""

from fading.job import Job
from fading.tables import leave_one_out_correlations, leave_one_out_pairs, located, stack

with Job(snakemake) as job:
    changes = stack(job.read("changes"), ["loss_change", "example", "epsilon"])
    arrays = job.read("scores")
    scores = {name: array["scores"] for name, array in zip(job.settings["estimators"], arrays, strict=True)}
    where = {"case": job.wildcards["case"], "seed": int(job.wildcards["seed"])}
    job.write("pairs", located(leave_one_out_pairs(changes, scores), **where))
    job.write("correlations", located(leave_one_out_correlations(changes, scores), **where))
