"""Make a study's artefacts again, some from the inputs that they record or all from the downloads: the same bytes?

This runs the code of the study's own folder.
"""

import fcntl
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
from fading.provenance.folder import CLAIMS, CRATE, PROJECT, StudyFolder, inside, located
from fading.provenance.lineages import recorded
from fading.provenance.trace import brief

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
    planned = {job.name: job for job in jobs(study.plan, STUDY)}
    for file in random.Random(seed).sample(files, count):
        yield _compared(study, file, planned)


def _compared(study, file, planned):
    lineage = recorded(study.root / file)
    for needed, sha in lineage["inputs"].items():
        if not (study.root / needed).is_file() or store.sha256(study.root / needed) != sha:
            return Finding(file, OUTDATED, (f"can't be recomputed: input {needed} is not the one recorded",))
    with tempfile.TemporaryDirectory(prefix="fading-") as folder:
        scratch = Path(folder)
        _copy_project(study, scratch)
        _copy(study, scratch, lineage["inputs"], planned[job_name(lineage["rule"], lineage["wildcards"])].given)
        options = ["--configfile", study.configfile, "--cores", "1", "--allowed-rules", lineage["rule"]]
        done = _snakemake(scratch, file, *options, *_running([lineage]), capture_output=True)
        if done.returncode and _device(lineage) != "cpu":
            return Finding(file, OUTDATED, (f"can't be recomputed, it was made on {lineage['device']}",))
        if done.returncode:
            return Finding(file, BROKEN, (f"can't be recomputed: {_reason(done)}",))
        return _judged(study, scratch, file, lineage)


def reexecute_all(study: StudyFolder) -> Iterator[Finding]:
    """A finding for each artefact of the study's jobs, all made again from the downloads and the user's own files.

    Snakemake does it on all cores and prints its progress to standard error, in a folder of the user's cache that stays
    until it is done: interrupted, it goes on where it was. Raises FadingError if it can't be made again, or another
    process is at it.
    """
    import pooch

    scratch = Path(pooch.os_cache("fading")) / store.sha256(study.folder / CRATE)
    planned = {job.name: job for job in jobs(study.plan, STUDY)}
    made = {file: lineage for file in sorted(study.files()) if (lineage := _planned(study, file, planned))}
    scratch.mkdir(parents=True, exist_ok=True)
    with (scratch / "audited").open("w") as mine:
        try:
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FadingError(f"{study.folder} is being made again in {scratch} by another process.") from error
        yield from _made_again(study, scratch, made, {file for job in planned.values() for file in job.given})
    shutil.rmtree(scratch)


def _made_again(study, scratch, made, given):
    _copy_project(study, scratch)
    downloads = {file for lineage in made.values() for file in lineage["inputs"] if file.startswith("resources/")}
    _copy(study, scratch, {file for file in downloads | given if (study.root / file).is_file()}, given)
    print(f"fading: making {len(made)} artefacts again in {scratch}", file=sys.stderr, flush=True)
    options = ["--configfile", study.configfile, "--cores", "all", "--nolock", "--rerun-incomplete", "figures"]
    if _snakemake(scratch, *options, *_running(made.values()), stdout=sys.stderr).returncode:
        raise FadingError(f"{study.folder} can't be made again; what there is of it is in {scratch}.")
    for file, lineage in made.items():
        if not (scratch / file).is_file():
            yield Finding(file, BROKEN, ("making the study again does not make it",))
        else:
            yield _judged(study, scratch, file, lineage)


def _judged(study, scratch, file, lineage):
    """Are the bytes the same, or if not, was it made on another machine or otherwise in parts?"""
    written = [file, f"{file}.json"] if file.endswith(".csv") else [file]
    if all((scratch / part).read_bytes() == (study.root / part).read_bytes() for part in written):
        return Finding(file, HOLDS, (SAME,))
    again = recorded(scratch / file)
    for key in ("device", "budget", "versions", "lock"):
        if again.get(key) != lineage.get(key):
            return Finding(file, OUTDATED, (f"can't be compared: its {key} was {brief(lineage.get(key))}",))
    return Finding(file, BROKEN, (OTHER,))


def _planned(study, file, planned):
    """The lineage of what a job of the study made; else None."""
    try:
        lineage = recorded(study.root / file)
    except (FadingError, OSError):
        return None
    return lineage if job_name(lineage["rule"], lineage["wildcards"]) in planned else None


def _copy_project(study, scratch):
    for part in PROJECT:
        whole = (study.root if part == "config" else workflow_of(study.root)) / part
        if whole.is_dir():
            shutil.copytree(whole, scratch / part, dirs_exist_ok=True)
        else:
            shutil.copy(whole, scratch / part)
    shutil.copy(located(study.root, CLAIMS), scratch / CLAIMS)


def _copy(study, scratch, files, given):
    """What jobs read of the study, and nothing that could run: lineages can name what they like.

    What is there already, the same, stays: its date tells Snakemake what came of it.
    """
    for file in map(Path, files):
        if not inside(file) or os.path.normpath(file) != str(file) or file.parts[0] in PROJECT:
            continue
        if file.parts[0] not in ("results", "resources") and str(file) not in given:
            continue
        (scratch / file).parent.mkdir(parents=True, exist_ok=True)
        for part in (file, store.sidecar(file)) if file.suffix == ".csv" else (file,):
            there = scratch / part
            if not there.is_file() or store.sha256(there) != store.sha256(study.root / part):
                shutil.copy(study.root / part, there)


def _running(lineages):
    """How the jobs ran that left these lineages: where torch computed, if it did."""
    torch = next((lineage for lineage in lineages if "budget" in lineage), None)
    if torch is None:
        return []
    return ["--config", f"device={_device(torch)}", f"budget={torch['budget']}"]


def _device(lineage):
    return lineage["device"].partition(" ")[0]


def _snakemake(root, *arguments, **streams):
    """Run Snakemake in a folder; the library is that of its workflow, and nothing else there is a module."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PYTHONSAFEPATH"] = "1"
    command = [sys.executable, "-m", "snakemake", *arguments]
    return subprocess.run(command, cwd=root, env=environment, text=True, check=False, **streams)


def _reason(done):
    """The last line that a failed command printed."""
    *_, last = ["no reason given", *(done.stdout + done.stderr).strip().splitlines()]
    return last
