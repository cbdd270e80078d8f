"""Draw a case's training and test examples and compute what its frozen part makes of them."""

from fading.examples import draw_examples
from fading.job import Job

with Job(snakemake) as job:
    weights = job.read("weights", optional=True)
    job.write("examples", draw_examples(job.settings, job.read("source"), weights, job.progress))
