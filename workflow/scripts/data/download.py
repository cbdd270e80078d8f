"""Fetch a dataset, or pre-trained weights, verified."""

from fading.artefacts.job import Job
from fading.data import load

with Job(snakemake) as job:
    source = load(job.settings["name"])
    job.write("content", source.fetch(job.progress), downloads=dict(source.PINS))
