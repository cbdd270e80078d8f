"""Fix which examples each training step draws, to the end of the longest continuation."""

from fading.job import Job
from fading.order import batch_order

with Job(snakemake) as job:
    job.write("order", batch_order(**job.settings, seed=int(job.wildcards["seed"])))
