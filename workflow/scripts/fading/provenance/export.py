"""Pack a study into an archive to publish: a crate of its own, in which the study can be audited."""

import json
import os
import zipfile
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from fading.artefacts import store
from fading.errors import FadingError
from fading.plan.plan import workflow_of
from fading.provenance.contents import contents, from_root
from fading.provenance.folder import ABOUT, CRATE, LEFT_OUT, PROJECT, StudyFolder, located
from fading.provenance.signatures import sign, signature

PICTURES = "results/reference/default/figures"  # the README's
HEAVY = {".safetensors", ".parquet"}  # checkpoints, effects, scores: what tables are made from
THEN = (1980, 1, 1, 0, 0, 0)  # the same study gives the same archive, but for the times in its crate


def export(study: StudyFolder, destination: Path, checkpoints: bool, key: Path | None = None) -> None:
    """Write a zip of the crate, figures, tables, claims, logs, workflow, configuration and lock; signed, with a key.

    With `checkpoints` also of every tensor and intermediate table, and what was downloaded; without, left-out.json
    keeps their sha256, and the archive's crate leaves them out. The user's files are packed with them where they are in
    the project; where they are not, their sha256 alone is kept. Raises FadingError if the study has no crate, or lists
    a file that is not here or is another.
    """
    if not destination.parent.is_dir():
        raise FadingError(f"{destination.parent} is no folder; accepted is a file to write in one that is there.")
    metadata = study.folder / CRATE
    if not metadata.is_file():
        raise FadingError(f"{study.folder} has no {CRATE}; `snakemake --configfile {study.configfile}` writes it.")
    listed, here = contents(metadata), partial(located, study.root)
    for file, recorded in listed.hashes.items():
        if not here(file).is_file() or store.sha256(here(file)) != recorded:
            raise FadingError(f"{metadata} lists another {file} than is here; `fading audit` says more.")
    files = _around(study) | study.files() | listed.hashes.keys()
    heavy = set() if checkpoints else {file for file in files if Path(file).suffix in HEAVY}
    left_out = {file: listed.hashes.get(file) or store.sha256(here(file)) for file in heavy} | listed.elsewhere
    part = destination.with_name(f".part-{destination.name}")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(files - heavy):
                _add(archive, file, here(file).read_bytes())
            _add(archive, LEFT_OUT, json.dumps(left_out, indent=1, sort_keys=True).encode())
            _add(archive, CRATE, json.dumps(_rebased(metadata, left_out), indent=1, sort_keys=True).encode())
        if key:
            sign(part, key)
            os.replace(signature(part), signature(destination))
        os.replace(part, destination)
    finally:
        for file in (part, signature(part)):
            file.unlink(missing_ok=True)


def _around(study):
    """The project's files, of a module the workflow's and its own, without what Python left among them."""
    names = set()
    for root in (study.root, workflow_of(study.root)):
        parts = [root / part for part in (*ABOUT, *PROJECT, PICTURES)]
        names |= {str(path.relative_to(root)) for part in parts for path in (part, *part.rglob("*"))}
    return {name for name in names if "__pycache__" not in name and located(study.root, name).is_file()}


def _add(archive, file, content):
    entry = zipfile.ZipInfo(file, THEN)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def _rebased(metadata, left_out):
    """The study's crate with the archive's top for its folder; what is left out is no file, but keeps its sha256."""
    described, names = json.loads(metadata.read_text()), {}
    for entity in described["@graph"]:
        if "File" in entity["@type"]:
            name = from_root(metadata, entity["@id"])
            names[entity["@id"]] = f"#left-out/{name}" if unquote(name) in left_out else name
            if unquote(name) in left_out:
                entity["@type"] = "CreativeWork"

    def renamed(value):
        if isinstance(value, list):
            return [renamed(each) for each in value]
        if isinstance(value, dict):
            return {key: names.get(part, part) if key == "@id" else renamed(part) for key, part in value.items()}
        return value

    graph = renamed(described["@graph"])
    entities = {entity["@id"]: entity for entity in graph}
    top = entities["./"]
    top["hasPart"] = [part for part in top["hasPart"] if not part["@id"].startswith("#")]
    del entities[CRATE]["identifier"]  # the seal of the study's own crate
    return {**described, "@graph": graph}
