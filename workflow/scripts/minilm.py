"""Take the pre-trained BERT from its package, verified."""

from fading.datasets import MINILM, minilm
from fading.job import Job

with Job(snakemake) as job:
    job.write("weights", minilm(), downloads=dict(MINILM))
