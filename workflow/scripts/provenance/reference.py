"""Copy the study's public results to be committed, and say what they cost on which machine."""

import json
import shutil
from pathlib import Path

from fading.artefacts.job import Job
from fading.provenance.costs import costs, machine, seconds

ON_REQUEST = ("peers", "benchmark")  # stay as they were when they were last asked for

with Job(snakemake) as job:
    reference = Path("results/reference", snakemake.config["study"])
    study = Path("results", reference.name)
    stages = costs(study, snakemake.params.stages).round(2).to_dict("records")
    told = {"machine": machine(), "stages": stages, "jobs": seconds(study)}
    written = {reference / "costs.json"}
    for file in map(Path, [*snakemake.input.results, *snakemake.input.on_request]):
        committed = Path("results/reference", *file.parts[1:])
        committed.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, committed)
        written.add(committed)
    for file in reference.rglob("*.*"):
        if file not in written and not file.name.startswith(ON_REQUEST):  # of an earlier study
            file.unlink()
    (reference / "costs.json").write_text(json.dumps(told, indent=1) + "\n")
