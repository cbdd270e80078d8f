"""Lineages of files that somebody else may have written: read with their shape checked."""

import hashlib
import json
from pathlib import Path

from fading.artefacts import pages, store  # noqa: F401, HTML
from fading.errors import FadingError
from fading.plan.schema import check_shape

TEXT, TEXTS = {"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}
SHAPE = {
    "type": "object",
    "required": sorted(store.LINEAGE),
    "properties": {
        **dict.fromkeys(("path", "rule", "output", "lock", "device", "budget"), TEXT),
        **dict.fromkeys(("wildcards", "inputs", "code", "versions", "downloads"), TEXTS),
        "settings": {"type": "object"},
        "threads": {"type": "integer"},
    },
}
DETERMINES = {*store.LINEAGE, "budget"} - {"path"}


def recorded(path: Path) -> dict:
    """The lineage in an artefact's header. Raises FadingError if there is none of the shape that jobs write."""
    lineage = store.lineage(path)
    try:
        check_shape(lineage, SHAPE, "lineage")
    except FadingError as error:
        raise FadingError(f"{path} carries no lineage of this study's: {error}") from error
    return lineage


def fingerprint(lineage: dict) -> str:
    """A sha256 of all that determines what a job makes: the same, of whatever output, if nothing is other."""
    parts = {key: value for key, value in lineage.items() if key in DETERMINES}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
