"""Make a study's artefacts again, some from the inputs that they record or all from the downloads: the same bytes?

This runs the code of the study's own folder.
"""

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
from fading.provenance.folder import CRATE, PROJECT, StudyFolder, inside, located
from fading.provenance.lineages import recorded

SAME, OTHER = "recomputed, the same bytes", "recomputed, it has other bytes"


def candidates(study: StudyFolder) -> list[str]:
    """The artefacts that can be recomputed: a job of the study makes them, and they and their inputs are here."""
    planned = {job.name for job in jobs(study.plan, STUDY)}
    return sorted(file for file in study.files() if _recomputable(study, file, planned))


def _recomputable(study, file, planned):
    lineage = _planned(study, file, planned)
    if lineage is None or lineage.get("downloads"):  # which may not be reached from here
        return False
    here = all((study.root / needed).is_file() and _findable(needed) for needed in lineage["inputs"])
    return here and lineage["path"] == file


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
    lineage = recorded(study.root / file)
    for needed, sha in lineage["inputs"].items():
        if not (study.root / needed).is_file() or store.sha256(study.root / needed) != sha:
            return Finding(file, OUTDATED, (f"can't be recomputed: input {needed} is not the one recorded",))
    with tempfile.TemporaryDirectory(prefix="fading-") as folder:
        scratch = Path(folder)
        _copy_project(study, scratch)
        _copy(study, scratch, filter(inside, lineage["inputs"]))
        options = ["--configfile", study.configfile, "--cores", "1", "--allowed-rules", lineage["rule"]]
        done = _snakemake(scratch, file, *options, *_running([lineage]), capture_output=True)
        device = lineage["device"].split()[0]
        if done.returncode and device != "cpu":
            return Finding(file, OUTDATED, (f"can't be recomputed, it was made on {lineage['device']}",))
        if done.returncode:
            return Finding(file, BROKEN, (f"can't be recomputed: {_reason(done)}",))
        same = _same(study, scratch, file)
    return Finding(file, HOLDS, (SAME,)) if same else Finding(file, BROKEN, (OTHER,))


def reexecute_all(study: StudyFolder) -> Iterator[Finding]:
    """A finding for each artefact of the study's jobs, all made again from the downloads and the user's own files.

    Snakemake does it on all cores and prints its progress to standard error, in a folder of the user's cache that stays
    until it is done: interrupted, it goes on where it was. What another processor or GPU computed, which may round
    otherwise, can't be compared. Raises FadingError if it can't be made again.
    """
    import pooch

    scratch = Path(pooch.os_cache("fading")) / store.sha256(study.folder / CRATE)
    planned = {job.name: job for job in jobs(study.plan, STUDY)}
    made = {file: lineage for file in sorted(study.files()) if (lineage := _planned(study, file, planned))}
    _copy_project(study, scratch)
    downloads = {file for lineage in made.values() for file in lineage["inputs"] if file.startswith("resources/")}
    given = {file for job in planned.values() for file in job.given}
    here = {file for file in downloads | given if inside(file) and (study.root / file).is_file()}
    _copy(study, scratch, (file for file in here if not (scratch / file).is_file()))  # or all would be older
    print(f"fading: making {len(made)} artefacts again in {scratch}", file=sys.stderr, flush=True)
    options = ["--configfile", study.configfile, "--cores", "all", "--nolock", "--rerun-incomplete", STUDY]
    if _snakemake(scratch, *options, *_running(made.values()), stdout=sys.stderr).returncode:
        raise FadingError(f"{study.folder} can't be made again; what there is of it is in {scratch}.")
    for file, lineage in made.items():
        if not (scratch / file).is_file():
            yield Finding(file, BROKEN, ("making the study again does not make it",))
        elif _same(study, scratch, file):
            yield Finding(file, HOLDS, (SAME,))
        elif recorded(scratch / file)["device"] != lineage["device"]:
            yield Finding(file, OUTDATED, (f"can't be compared, it was made on {lineage['device']}",))
        else:
            yield Finding(file, BROKEN, (OTHER,))
    shutil.rmtree(scratch)


def _planned(study, file, planned):
    """The lineage of what a job of the study made; else None."""
    try:
        lineage = recorded(study.root / file)
    except FadingError:
        return None
    return lineage if job_name(lineage["rule"], lineage["wildcards"]) in planned else None


def _copy_project(study, scratch):
    for part in PROJECT:
        whole = workflow_of(study.root) / part
        if whole.is_dir():
            shutil.copytree(whole, scratch / part, dirs_exist_ok=True)
        else:
            shutil.copy(whole, scratch / part)
    for file in study.root.glob("config/*.yaml"):
        shutil.copy(located(study.root, str(file.relative_to(study.root))), scratch / "config" / file.name)


def _copy(study, scratch, files):
    for file in map(Path, files):
        (scratch / file).parent.mkdir(parents=True, exist_ok=True)
        for part in (file, store.sidecar(file)) if file.suffix == ".csv" else (file,):
            shutil.copy(study.root / part, scratch / part)


def _same(study, scratch, file):
    written = [file, f"{file}.json"] if file.endswith(".csv") else [file]
    return all((scratch / part).read_bytes() == (study.root / part).read_bytes() for part in written)


def _running(lineages):
    """How the jobs ran that left these lineages: where torch computed, if it did."""
    torch = next((lineage for lineage in lineages if "budget" in lineage), None)
    if torch is None:
        return []
    return ["--config", f"device={torch['device'].split()[0]}", f"budget={torch['budget']}"]


def _snakemake(root, *arguments, **streams):
    """Run Snakemake in a folder; the library is that of the folder's own workflow."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "snakemake", *arguments]
    return subprocess.run(command, cwd=root, env=environment, text=True, check=False, **streams)


def _reason(done):
    """The last line that a failed command printed."""
    *_, last = ["no reason given", *(done.stdout + done.stderr).strip().splitlines()]
    return last
