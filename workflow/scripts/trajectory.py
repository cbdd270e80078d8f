"""Compare an estimator's scores between checkpoints, data orders and seeds."""

from fading.assumptions.trajectory import agreement
from fading.job import Job
from fading.tables import located

with Job(snakemake) as job:
    runs = {name: job.read(name) for name in ("orders", "seeds")}
    checkpoints = dict(zip(job.settings["checkpoints"], job.read("checkpoints"), strict=True))
    frame = agreement(checkpoints, **runs)
    job.write("agreement", located(frame, case=job.wildcards["case"], estimator=job.wildcards["estimator"]))
