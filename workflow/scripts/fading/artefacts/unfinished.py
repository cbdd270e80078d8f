"""What a job has done so far, kept so that after a kill it goes on from there."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from fading.artefacts import store
from fading.errors import FadingError

KEPT = Path(".snakemake/unfinished")


def once(job: str, lineage: dict, piece: str, make: Callable[..., dict], *given) -> dict:
    """What make(*given) returns, data frames and dicts of arrays by name; read where an earlier try of a job made it.

    Pieces of a job are kept by the lineage that determines what it makes: those of another are not taken.
    """
    of = hashlib.sha256(json.dumps(lineage, sort_keys=True).encode()).hexdigest()
    folder = KEPT / job / of / piece
    try:
        if found := _read(folder):
            print(f"{piece}: done by an earlier try of this job")
            return found
    except FadingError:
        pass  # damaged by what interrupted it
    made = make(*given)
    part = folder.with_name(f".part-{piece}")
    for old in (folder, part):
        shutil.rmtree(old, ignore_errors=True)
    for name, content in made.items():
        path = part / f"{name}{'.safetensors' if isinstance(content, dict) else '.parquet'}"
        store.write(path, content, {**lineage, "path": str(path), "of": sorted(made)})
    os.replace(part, folder)
    return _read(folder)  # so that it makes no difference where it was made


def _read(folder):
    """What is in a piece's folder; nothing, if there is none or a part of it is missing."""
    paths = sorted(folder.glob("*.*"))
    whole = all(store.lineage(path)["of"] == [path.stem for path in paths] for path in paths)
    return {path.stem: store.read(path) for path in paths} if whole else {}


def forget(job: str) -> None:
    """Remove the pieces of a job, of whatever lineage."""
    shutil.rmtree(KEPT / job, ignore_errors=True)
