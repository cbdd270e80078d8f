"""Follow an artefact's recorded lineage down to the pinned downloads."""

from collections.abc import Iterator
from pathlib import Path

from fading import artifacts
from fading.errors import FadingError
from fading.job import LOCK

AS_RECORDED, ABSENT, CHANGED = "as recorded", "not here", "CHANGED since"


def trace(path) -> Iterator[str]:
    """The ancestry of an artefact as lines of an indented tree: each rule, its settings, code and inputs.

    Files are looked up from the current folder and compared with their recorded hash; each is followed once. The last
    line counts them. Raises FadingError if the file itself has no lineage.
    """
    states = {}
    yield str(path)
    yield from _describe(artifacts.lineage(path), "", states)
    counts = {state: list(states.values()).count(state) for state in (AS_RECORDED, CHANGED, ABSENT)}
    yield f"{len(states)} files: {', '.join(f'{count} {state}' for state, count in counts.items() if count)}"


def _describe(lineage: dict, indent: str, states: dict[str, str]) -> Iterator[str]:
    where = " ".join(f"{name}={value}" for name, value in lineage["wildcards"].items())
    yield f"{indent}  rule {lineage['rule']} {where}".rstrip()
    if lineage["settings"]:
        yield f"{indent}  settings {_compact(lineage['settings'])}"
    code = {file: _state(file, recorded) for file, recorded in lineage["code"].items()}
    states |= code
    differing = [f"{file} {state}" for file, state in code.items() if state != AS_RECORDED]
    yield f"{indent}  code of {len(code)} files, {', '.join(differing) or AS_RECORDED}"
    states[LOCK] = _state(LOCK, lineage["lock"])
    yield f"{indent}  environment {LOCK} sha256:{lineage['lock'][:12]} ({states[LOCK]})"
    yield f"{indent}  run on {lineage['device']} with {_compact(lineage['versions'])}"
    for name, pin in lineage.get("downloads", {}).items():
        yield f"{indent}  download {name} sha256:{pin}"
    for file, recorded in lineage["inputs"].items():
        known = file in states
        states[file] = _state(file, recorded)
        yield f"{indent}  └─ {file} sha256:{recorded[:12]} ({states[file]}{', above' if known else ''})"
        if not known and states[file] != ABSENT:
            try:
                parent = artifacts.lineage(file)
            except FadingError as error:
                yield f"{indent}     {error}"
            else:
                yield from _describe(parent, indent + "   ", states)


def _state(file: str, recorded: str) -> str:
    if not Path(file).is_file():
        return ABSENT
    return AS_RECORDED if artifacts.sha256(file) == recorded else CHANGED


def _compact(mapping: dict) -> str:
    return ", ".join(f"{key}={value}" for key, value in mapping.items())
