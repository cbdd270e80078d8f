"""Copy the study's public results to be committed, and say what they cost on which machine."""

import json
import shutil
from pathlib import Path

from fading.artefacts.job import Job
from fading.provenance.costs import costs, machine, seconds

with Job(snakemake) as job:
    reference = Path("results/reference", snakemake.config["study"])
    for file in map(Path, [*snakemake.input.results, *snakemake.input.on_request]):
        committed = Path("results/reference", *file.parts[1:])
        committed.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, committed)
    study = Path("results", reference.name)
    stages = costs(study, snakemake.params.stages).round(2).to_dict("records")
    told = {"machine": machine(), "stages": stages, "jobs": seconds(study)}
    (reference / "costs.json").write_text(json.dumps(told, indent=1) + "\n")
