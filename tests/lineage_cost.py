"""Print what share of a study's time its lineage takes: python tests/lineage_cost.py results/smoke

Does again what the jobs did for it (hash inputs, code and lock; check what they read; seal what they wrote) and sets
that against the jobs' own times.
"""

import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from shutil import copy

from fading.artefacts import store
from fading.artefacts.job import LOCK
from fading.provenance.crate import times
from fading.provenance.folder import StudyFolder
from fading.provenance.history import jobs


def spent(work, *arguments) -> float:
    begin = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begin


def main(folder) -> None:
    study = StudyFolder(folder)
    seconds, total = 0.0, 0.0
    figures = [file for file in study.files() if "/figures/" in file]
    with tempfile.TemporaryDirectory() as scratch:
        for job in jobs(study.root, sorted(file for file in figures if Path(file).suffix in store.HEADERS)):
            for file in [*job.lineage["inputs"], *job.lineage["code"], LOCK]:
                seconds += spent(store.sha256, study.root / file)
            for file in job.lineage["inputs"]:
                seconds += spent(store.check, study.root / file)
            outputs = [file for file in job.outputs if Path(file).suffix in store.HEADERS]
            for file in outputs:  # to seal is to read, hash and write
                seconds += spent(store.check, study.root / file) + spent(copy, study.root / file, scratch)
            begin, end = map(datetime.fromisoformat, times(study.root, study.name, job))
            total += (end - begin).total_seconds()
    print(f"lineage: {seconds:.2f} s of the jobs' {total:.0f} s, {seconds / total:.2%}")


if __name__ == "__main__":
    main(*sys.argv[1:])
