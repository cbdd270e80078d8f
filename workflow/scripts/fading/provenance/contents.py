"""What a study's crate lists, read back from its file."""

import json
import posixpath
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from fading.artefacts.seal import is_sealed
from fading.errors import FadingError

ELSEWHERE = "#given/"


@dataclass(frozen=True)
class Contents:
    """What a crate lists: files by their paths from the study's root."""

    hashes: dict[str, str] = field(default_factory=dict)  # the sha256 of every file
    made_by: dict[str, str] = field(default_factory=dict)  # the name of the job that made a file, where one did
    fingerprints: dict[str, str] = field(default_factory=dict)  # of a job, by its name, all that determined it
    elsewhere: dict[str, str] = field(default_factory=dict)  # the user's files outside of the project, by sha256


def base(study: str) -> str:
    """The folder that a study's crate describes, from the study's root."""
    return posixpath.join("results", study)


def contents(path: Path) -> Contents:
    """What a study's crate lists. Raises FadingError if it is no crate, or not as it was written."""
    try:
        if not path.is_file():
            raise OSError("it is no regular file")
        graph = json.loads(path.read_text())["@graph"]
        (digest,) = (entity["identifier"] for entity in graph if entity["@id"] == path.name)
        listed = _contents(path, graph)
        whole = is_sealed(path, digest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FadingError(f"{path} is not a readable crate: {error!r}.") from error
    if not whole:
        raise FadingError(f"{path} is not as it was written: its content does not match its seal.")
    return listed


def _contents(path, graph):
    files = {entity["@id"]: entity for entity in graph if "File" in entity["@type"]}
    names = {identifier: unquote(from_root(path, identifier)) for identifier in files}
    actions = [entity for entity in graph if entity["@id"].startswith("#job/") and "result" in entity]
    return Contents(
        {names[identifier]: entity["sha256"] for identifier, entity in files.items()},
        {names[made["@id"]]: action["name"] for action in actions for made in _listed(action["result"])},
        {action["name"]: action["identifier"] for action in actions},
        {entity["name"]: entity["sha256"] for entity in graph if entity["@id"].startswith(ELSEWHERE)},
    )


def _listed(value):
    return value if isinstance(value, list) else [value]


def from_root(path: Path, identifier: str) -> str:
    """The identifier of a file that a study's crate lists, made relative to the study's root."""
    return posixpath.normpath(posixpath.join(base(path.parent.name), identifier))
