"""Describe the study as an RO-Crate."""

import os
from pathlib import Path

from fading.artefacts.job import ROOT, Job
from fading.provenance.crate import crate, write

with Job(snakemake) as job:
    folder = Path(snakemake.output.crate).parent
    files = snakemake.input
    configuration, workflow = (
        [os.path.relpath(file, ROOT) if os.path.isabs(file) else file for file in named]
        for named in (files.configuration, files.workflow)
    )
    described = crate(Path(), folder.name, list(files.results), configuration, workflow)
    write(described, folder)
