"""Describe the study as an RO-Crate."""

from pathlib import Path

from fading.artefacts.job import Job, project_path
from fading.provenance.crate import crate, write

with Job(snakemake) as job:
    folder = Path(snakemake.output.crate).parent
    files = snakemake.input
    configuration, workflow = (list(map(project_path, named)) for named in (files.configuration, files.workflow))
    described = crate(Path(), folder.name, list(files.results), configuration, workflow)
    write(described, folder)
