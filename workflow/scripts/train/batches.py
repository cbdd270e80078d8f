"""Fix which examples the steps of training, or of a continuation, draw."""

from fading.artefacts.job import Job
from fading.training.order import batch_order

with Job(snakemake) as job:
    job.write("order", batch_order(**job.settings))
