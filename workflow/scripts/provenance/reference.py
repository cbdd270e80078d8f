"""Copy the study's public results to be committed, and say what they cost on which machine."""

import json
import shutil
from pathlib import Path

from fading.artefacts.job import Job
from fading.provenance.costs import costs, machine

with Job(snakemake) as job:
    reference = Path("results/reference", snakemake.config["study"])
    for file in map(Path, snakemake.input.results):
        committed = Path("results/reference", *file.parts[1:])
        committed.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, committed)
    stages = costs(Path("results", reference.name), snakemake.params.stages).round(2).to_dict("records")
    (reference / "costs.json").write_text(json.dumps({"machine": machine(), "stages": stages}, indent=2) + "\n")
