"""Describe the study as an RO-Crate."""

from pathlib import Path

from fading.artefacts.job import Job
from fading.provenance.crate import crate, write

with Job(snakemake) as job:
    folder = Path(snakemake.output.crate).parent
    files = snakemake.input
    described = crate(Path(), folder.name, list(files.results), list(files.configuration), list(files.workflow))
    write(described, folder)
