"""Make some of a study's artefacts again, from the inputs that they record, and compare the bytes."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fading.artefacts import store
from fading.errors import FadingError
from fading.plan.jobs import STUDY, jobs
from fading.plan.naming import job_name
from fading.plan.plan import workflow_of
from fading.provenance.audit import BROKEN, HOLDS, OUTDATED, Finding
from fading.provenance.folder import PROJECT, StudyFolder, inside, located

SAME = "recomputed, the same bytes"


def candidates(study: StudyFolder) -> list[str]:
    """The artefacts that can be recomputed: a job of the study makes them, and they and their inputs are here."""
    planned = {job.name for job in jobs(study.plan, STUDY)}
    return sorted(file for file in study.files() if _recomputable(study, file, planned))


def _recomputable(study, file, planned):
    try:
        lineage = store.lineage(study.root / file)
    except FadingError:  # no artefact, or a damaged one: the audit says so
        return False
    if lineage.get("downloads"):  # which may not be reached from here
        return False
    here = all((study.root / needed).is_file() and _findable(needed) for needed in lineage["inputs"])
    return here and lineage["path"] == file and job_name(lineage["rule"], lineage["wildcards"]) in planned


def _findable(needed):
    """In a scratch folder, an input that is not in the project is found by an absolute path alone."""
    return inside(needed) or Path(needed).is_absolute()


def reexecute(study: StudyFolder, count: int, seed: int) -> Iterator[Finding]:
    """A finding for each of `count` candidates, chosen at random by the seed, recomputed one by one in scratch folders.

    Raises FadingError if there are fewer than `count`.
    """
    files = candidates(study)
    if count > len(files):
        raise FadingError(f"--reexecute: found {count}; accepted is at most {len(files)}, what can be recomputed.")
    for file in random.Random(seed).sample(files, count):
        yield _compared(study, file)


def _compared(study, file):
    lineage = store.lineage(study.root / file)
    for needed, recorded in lineage["inputs"].items():
        if not (study.root / needed).is_file() or store.sha256(study.root / needed) != recorded:
            return Finding(file, OUTDATED, (f"can't be recomputed: input {needed} is not the one recorded",))
    with tempfile.TemporaryDirectory(prefix="fading-") as folder:
        scratch = Path(folder)
        for part in PROJECT:
            whole = workflow_of(study.root) / part
            (shutil.copytree if whole.is_dir() else shutil.copy)(whole, scratch / part)
        for file in study.root.glob("config/*.yaml"):
            shutil.copy(located(study.root, str(file.relative_to(study.root))), scratch / "config" / file.name)
        for needed in map(Path, filter(inside, lineage["inputs"])):
            (scratch / needed).parent.mkdir(parents=True, exist_ok=True)
            for part in (needed, store.sidecar(needed)) if needed.suffix == ".csv" else (needed,):
                shutil.copy(study.root / part, scratch / part)
        device, bounded = lineage["device"].split()[0], lineage.get("budget")
        running = [f"device={device}", *([f"budget={bounded}"] if bounded else [])]
        options = ["--configfile", study.configfile, "--cores", "1", "--allowed-rules", lineage["rule"]]
        done = _snakemake(scratch, file, *options, "--config", *running)
        if done.returncode and device != "cpu":
            return Finding(file, OUTDATED, (f"can't be recomputed, it was made on {lineage['device']}",))
        if done.returncode:
            return Finding(file, BROKEN, (f"can't be recomputed: {_reason(done)}",))
        written = [file, f"{file}.json"] if file.endswith(".csv") else [file]
        differing = [part for part in written if (scratch / part).read_bytes() != (study.root / part).read_bytes()]
    if differing:
        return Finding(file, BROKEN, ("recomputed from its inputs, it has other bytes",))
    return Finding(file, HOLDS, (SAME,))


def _snakemake(root, *arguments):
    """Run Snakemake in a folder; the library is that of the folder's own workflow."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "snakemake", *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def _reason(done):
    """The last line that a failed command printed."""
    *_, last = ["no reason given", *(done.stdout + done.stderr).strip().splitlines()]
    return last
