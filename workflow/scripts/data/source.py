"""Read a case's data from the user's own files, checked."""

from fading.artefacts.job import Job
from fading.data import files

with Job(snakemake) as job:
    job.write("source", files.read(job.settings["dataset"]))
