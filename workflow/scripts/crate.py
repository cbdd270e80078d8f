"""Describe the study as an RO-Crate."""

from pathlib import Path

from fading.crate import crate
from fading.job import Job

with Job(snakemake) as job:
    folder = Path(snakemake.output.crate).parent
    files = snakemake.input
    described = crate(Path(), folder.name, list(files.results), list(files.configuration), list(files.workflow))
    described.metadata.write(folder)
