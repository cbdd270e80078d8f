"""Copy the study's public results to be committed, and say what they cost on which machine."""

import json
import shutil
from itertools import chain
from pathlib import Path

from fading.artefacts.job import Job
from fading.artefacts.store import HEADERS
from fading.provenance.costs import costs, machine, seconds

with Job(snakemake) as job:
    on_request = snakemake.params.on_request
    reference = Path("results/reference", snakemake.config["study"])
    study = Path("results", reference.name)
    stages = costs(study, snakemake.params.stages).round(2).to_dict("records")
    told = {"machine": machine(), "stages": stages, "jobs": seconds(study)}
    written = set()
    for file in map(Path, chain(snakemake.input.results, *on_request.values())):
        committed = Path("results/reference", *file.parts[1:])
        committed.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, committed)
        written.add(committed)
    for folder in {file.parent for file in written}:
        for file in {*folder.glob("*.*")} - written:
            stays = file.name.startswith(tuple(on_request))  # as it was when it was last asked for
            if (file.suffix in HEADERS or file.name.endswith(".csv.json")) and not stays:
                print(f"{file} is of an earlier study: removed")
                file.unlink()
    (reference / "costs.json").write_text(json.dumps(told, indent=1) + "\n")
