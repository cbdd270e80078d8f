"""Copy the study's public results to be committed."""

import shutil
from pathlib import Path

from fading.artefacts.job import Job

with Job(snakemake) as job:
    for file in map(Path, snakemake.input.results):
        committed = Path("results/reference", *file.parts[1:])
        committed.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, committed)
