"""Follow an artefact's recorded lineage down to the pinned downloads and the user's own files."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from fading.artefacts import store
from fading.artefacts.job import LOCK
from fading.errors import FadingError
from fading.plan.wiring import GIVEN
from fading.provenance.folder import is_root, located, sha256
from fading.provenance.lineages import recorded

LONG = 60  # characters of a setting
AS_RECORDED, ABSENT, CHANGED = "as recorded", "not here", "CHANGED since"


def trace(path) -> dict:
    """The ancestry of an artefact as a tree: its `file`, `lineage`, whether `whole`, and the `inputs`, a tree each.

    Below the top each has the `sha256` recorded of it and its `state`, by a look from the root of the study that the
    file lies in, or from the current folder; what was described before, further up or left, has no lineage here, and
    the user's own files, `given`, have none anywhere. `states` at the top are those of every file looked at, code and
    lock among them, by the sha256 that was recorded of it, of which there are several where artefacts are of
    different ages. Raises FadingError if the file itself has no lineage.
    """
    states, path = {}, Path(path)
    try:
        return {"file": str(path), **_described(path, _root(path), states), "states": states}
    except RecursionError as error:
        raise FadingError(f"{path} has more ancestors, one after the other, than can be followed.") from error


def _root(path):
    folders = Path(os.path.abspath(path)).parents
    return next((folder.parent for folder in folders if folder.name == "results" and is_root(folder.parent)), Path())


def _described(path, root, states):
    lineage = recorded(path)
    for file, sha in {**lineage["code"], LOCK: lineage["lock"]}.items():
        _look(root, file, sha, states)
    inputs, given = [], lineage["rule"] in GIVEN
    for file, sha in lineage["inputs"].items():
        known = file in states
        state = _look(root, file, sha, states)
        node = {"file": file, "sha256": sha, "state": state, "given": given}
        if not known and not given and state != ABSENT:
            try:
                node |= _described(root / file, root, states)
            except FadingError as error:
                node["error"] = str(error)
        inputs.append(node)
    try:
        store.check(path)
    except FadingError as error:
        return {"lineage": lineage, "whole": False, "error": str(error), "inputs": inputs}
    return {"lineage": lineage, "whole": True, "inputs": inputs}


def lines(tree: dict) -> Iterator[str]:
    """The tree for a person to read, indented; the last line counts the files by their state."""
    states = tree["states"]
    yield tree["file"]
    yield from _lines(tree, "", states, set())
    worst = [next(state for state in (CHANGED, ABSENT, AS_RECORDED) if state in of.values()) for of in states.values()]
    counts = {state: worst.count(state) for state in (AS_RECORDED, CHANGED, ABSENT)}
    yield f"{len(states)} files: {', '.join(f'{count} {state}' for state, count in counts.items() if count)}"


def _lines(node, indent, states, seen):
    if "error" in node:
        yield f"{indent}  {node['error']}"
    if "lineage" not in node:
        return
    lineage = node["lineage"]
    yield f"{indent}  rule {lineage['rule']} {_compact(lineage['wildcards'], ' ')}".rstrip()
    if lineage["settings"]:
        yield f"{indent}  settings {_compact(lineage['settings'])}"
    code = {file: states[file][sha] for file, sha in lineage["code"].items()}
    differing = [f"{file} {state}" for file, state in code.items() if state != AS_RECORDED]
    yield f"{indent}  code of {len(lineage['code'])} files, {', '.join(differing) or AS_RECORDED}"
    yield f"{indent}  environment {LOCK} sha256:{lineage['lock'][:12]} ({states[LOCK][lineage['lock']]})"
    bounded = f", budget {lineage['budget']}," if "budget" in lineage else ""
    yield f"{indent}  run on {lineage['device']}{bounded} with {_compact(lineage['versions'])}"
    for name, pin in lineage.get("downloads", {}).items():
        yield f"{indent}  download {name} sha256:{pin}"
    for below in node["inputs"]:
        above = ", the user's" if below["given"] else ", above" if below["file"] in seen else ""
        seen.add(below["file"])
        yield f"{indent}  └─ {below['file']} sha256:{below['sha256'][:12]} ({below['state']}{above})"
        yield from _lines(below, indent + "   ", states, seen)


def _look(root, file, sha, states):
    of = states.setdefault(file, {})
    if sha not in of:
        found = sha256(located(root, file))
        of[sha] = ABSENT if found is None else AS_RECORDED if found == sha else CHANGED
    return of[sha]


def _compact(mapping: dict, separator: str = ", ") -> str:
    return separator.join(f"{key}={brief(value)}" for key, value in mapping.items())


def brief(value) -> str:
    """A value as JSON, cut where it is long; text without quotes."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONG else f"{text[: LONG - 2]} …"
