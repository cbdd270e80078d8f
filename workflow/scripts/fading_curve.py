"""Correlate predicted with actual change of loss, step by step after the fork."""

from fading.job import Job
from fading.tables import fading_curve, located, stack

with Job(snakemake) as job:
    settings, wildcards = job.settings, job.wildcards
    changes = stack(job.read("changes"), ["loss_change", "members", "epsilon"])
    response = stack(job.read("responses"), ["effect"])["effect"]
    scores = dict(zip(settings["estimators"], job.read("scores"), strict=True))
    frame = fading_curve(changes, scores, response, settings["steps"])
    where = {
        "case": wildcards["case"],
        "regime": wildcards["regime"],
        "seed": int(wildcards["seed"]),
        "learning_rate": settings["learning_rate"],
        "eta_lambda_max": settings["learning_rate"] * job.read("spectrum")["all_values"].max(),
    }
    job.write("curve", located(frame, **where))
