"""Follow an artefact's recorded lineage down to the pinned downloads."""

from collections.abc import Iterator
from pathlib import Path

from fading import artifacts
from fading.errors import FadingError
from fading.job import LOCK

AS_RECORDED, ABSENT, CHANGED = "as recorded", "not here", "CHANGED since"


def trace(path) -> Iterator[str]:
    """The ancestry of an artefact as lines of an indented tree: each rule, its settings, code and inputs.

    Inputs are looked up from the current folder and compared with their recorded hash; each is followed once. Raises
    FadingError if the file itself has no lineage.
    """
    yield str(path)
    yield from _describe(artifacts.lineage(path), "", seen=set())


def _describe(lineage: dict, indent: str, seen: set) -> Iterator[str]:
    where = " ".join(f"{name}={value}" for name, value in lineage["wildcards"].items())
    yield f"{indent}  rule {lineage['rule']} {where}".rstrip()
    if lineage["settings"]:
        yield f"{indent}  settings {_compact(lineage['settings'])}"
    states = {file: _state(file, recorded) for file, recorded in lineage["code"].items()}
    differing = [f"{file} {state}" for file, state in states.items() if state != AS_RECORDED]
    yield f"{indent}  code of {len(states)} files, {', '.join(differing) or AS_RECORDED}"
    yield f"{indent}  environment {LOCK} sha256:{lineage['lock'][:12]} ({_state(LOCK, lineage['lock'])})"
    yield f"{indent}  run on {lineage['device']} with {_compact(lineage['versions'])}"
    for name, pin in lineage.get("downloads", {}).items():
        yield f"{indent}  download {name} sha256:{pin}"
    for file, recorded in lineage["inputs"].items():
        state = _state(file, recorded)
        yield f"{indent}  └─ {file} sha256:{recorded[:12]} ({state}{', above' if file in seen else ''})"
        if file not in seen and state != ABSENT:
            seen.add(file)
            try:
                parent = artifacts.lineage(file)
            except FadingError as error:
                yield f"{indent}     {error}"
            else:
                yield from _describe(parent, indent + "   ", seen)


def _state(file: str, recorded: str) -> str:
    if not Path(file).is_file():
        return ABSENT
    return AS_RECORDED if artifacts.sha256(file) == recorded else CHANGED


def _compact(mapping: dict) -> str:
    return ", ".join(f"{key}={value}" for key, value in mapping.items())
