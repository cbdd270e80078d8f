"""What a study's crate lists, read back from its file."""

import json
import posixpath
from pathlib import Path
from urllib.parse import unquote

from fading.artefacts.seal import is_sealed
from fading.errors import FadingError

ELSEWHERE = "#given/"


def base(study: str) -> str:
    """The folder that a study's crate describes, from the study's root."""
    return posixpath.join("results", study)


def hashes(path: Path) -> dict[str, str]:
    """The sha256 of every file that a study's crate lists, by its path from the study's root.

    Raises FadingError if the crate is not as it was written.
    """
    try:
        graph = json.loads(path.read_text())["@graph"]
        (digest,) = (entity["identifier"] for entity in graph if entity["@id"] == path.name)
        whole = is_sealed(path, digest)
    except (ValueError, KeyError, TypeError) as error:
        raise FadingError(f"{path} is not a readable crate: {error!r}.") from error
    if not whole:
        raise FadingError(f"{path} is not as it was written: its content does not match its seal.")
    return {unquote(from_root(path, entity)): entity["sha256"] for entity in graph if "File" in entity["@type"]}


def described_jobs(path: Path) -> dict[str, str]:
    """Of each file that a study's crate says was made by a job, the job's name."""
    graph = json.loads(path.read_text())["@graph"]
    files = {entity["@id"]: unquote(from_root(path, entity)) for entity in graph if "File" in entity["@type"]}
    actions = (entity for entity in graph if entity["@id"].startswith("#job/") and "result" in entity)
    return {files[made["@id"]]: action["name"] for action in actions for made in _listed(action["result"])}


def elsewhere(path: Path) -> dict[str, str]:
    """The sha256 of the user's files that a study's crate names and does not hold: they are not in the project."""
    entities = json.loads(path.read_text())["@graph"]
    return {entity["name"]: entity["sha256"] for entity in entities if entity["@id"].startswith(ELSEWHERE)}


def _listed(value):
    return value if isinstance(value, list) else [value]


def from_root(path: Path, file: dict) -> str:
    """The identifier of a file that a study's crate lists, made relative to the study's root."""
    return posixpath.normpath(posixpath.join(base(path.parent.name), file["@id"]))
