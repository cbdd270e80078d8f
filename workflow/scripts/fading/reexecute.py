"""Make some of a study's artefacts again, from the inputs that they record, and compare the bytes."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fading import artifacts
from fading.audit import BROKEN, HOLDS, OUTDATED, Finding
from fading.errors import FadingError
from fading.study import PROJECT, Study, reason, run

SAME = "recomputed, the same bytes"


def candidates(study: Study) -> list[str]:
    """The artefacts that can be recomputed: `rule all` makes them, and they and their inputs are here."""
    return sorted(
        file
        for job in study.jobs
        for file in job["outputs"]
        if job["expected"]
        and (study.root / file).is_relative_to(study.folder)
        and Path(file).suffix in artifacts.HEADERS
        and all((study.root / needed).is_file() for needed in [file, *job["inputs"]])
    )


def reexecute(study: Study, count: int, seed: int) -> Iterator[Finding]:
    """A finding for each of `count` candidates, chosen at random by the seed, recomputed one by one in scratch folders.

    Raises FadingError if there are fewer than `count`.
    """
    files = candidates(study)
    if count > len(files):
        raise FadingError(f"--reexecute: found {count}; accepted is at most {len(files)}, what can be recomputed.")
    for file in random.Random(seed).sample(files, count):
        yield _compared(study, file)


def _compared(study, file):
    lineage = artifacts.lineage(study.root / file)
    for needed, recorded in lineage["inputs"].items():
        if not (study.root / needed).is_file() or artifacts.sha256(study.root / needed) != recorded:
            return Finding(file, OUTDATED, (f"can't be recomputed: input {needed} is not the one recorded",))
    with tempfile.TemporaryDirectory(prefix="fading-") as folder:
        scratch = Path(folder)
        for part in PROJECT:
            whole = study.root / part
            (shutil.copytree if whole.is_dir() else shutil.copy)(whole, scratch / part)
        for needed in map(Path, lineage["inputs"]):
            (scratch / needed).parent.mkdir(parents=True, exist_ok=True)
            for part in (needed, artifacts.sidecar(needed)) if needed.suffix == ".csv" else (needed,):
                shutil.copy(study.root / part, scratch / part)
        chosen = ["--configfile", study.configfile, "--cores", "1", "--allowed-rules", lineage["rule"]]
        done = run(scratch, "-m", "snakemake", file, *chosen)
        if done.returncode:
            return Finding(file, BROKEN, (f"can't be recomputed: {reason(done)}",))
        written = [file, f"{file}.json"] if file.endswith(".csv") else [file]
        differing = [one for one in written if (scratch / one).read_bytes() != (study.root / one).read_bytes()]
    if differing:
        return Finding(file, BROKEN, ("recomputed from its inputs, it has other bytes",))
    return Finding(file, HOLDS, (SAME,))
