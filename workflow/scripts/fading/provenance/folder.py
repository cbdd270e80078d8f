"""A study's folder of results, what lies around it, and the configuration that it is of."""

import hashlib
import json
import os
from functools import cached_property
from pathlib import Path

from fading.artefacts import store
from fading.artefacts.job import ROOT
from fading.errors import FadingError
from fading.plan.plan import Plan, read_plan, workflow_of
from fading.plan.reading import naming
from fading.plan.schema import check_shape
from fading.provenance.lineages import TEXTS

CRATE = "ro-crate-metadata.json"
ABOUT = ("README.md", "LICENSE", "CITATION.cff", "pyproject.toml", "docs")
BESIDE = ("logs", "times")  # in a study's folder, of jobs, without lineage
LEFT_OUT = "left-out.json"  # in an exported archive: the sha256 of each file that it was made without
PROJECT = ("Snakefile", "workflow", "config", "envs", "profiles")  # what it takes to run the workflow
CLAIMS = "config/claims.yaml"
OURS = {CLAIMS, *ABOUT, *PROJECT} - {"config"}  # whatever the configuration of a module is

EMPTY = hashlib.sha256().hexdigest()


def inside(file: str) -> bool:
    """Is a file, by its path from a project's root, in the project? The user's own need not be."""
    return not Path(file).is_absolute() and os.pardir not in Path(os.path.normpath(file)).parts


def located(root: Path, file: str) -> Path:
    """Where a file is that a lineage names, by its path from a study's root.

    Where the workflow is a module of another, its own files are not beside the results, but where this library is.
    """
    ours = workflow_of(root) / file
    own = not OURS.isdisjoint({file, file.partition("/")[0]})
    return ours if own and ours.is_file() else root / file


def sha256(path: Path) -> str | None:
    """Of a regular file that can be read; None of anything else that a stranger's lineage may name."""
    try:
        if not path.is_file():
            return None
        return store.sha256(path) if path.stat().st_size else EMPTY  # the kernel's own files have no size, and no end
    except (OSError, ValueError):
        return None


def is_root(folder: Path) -> bool:
    """Is a workflow in the folder, this one or another that has it for a module?"""
    return any((folder / file).is_file() for file in ("Snakefile", "workflow/Snakefile"))


class StudyFolder:
    """The folder results/<name> of a clone or of an unpacked archive, its `root`; files go by their paths from there.

    Raises FadingError if the folder is none, or if not exactly one file of config/ is that study's.
    """

    def __init__(self, folder):
        self.folder = Path(os.path.abspath(folder))  # as it is called: results may be a link to another disk
        self.name = self.folder.name
        self.root = self.folder.parent.parent
        if not self.folder.is_dir() or self.folder.parent.name != "results" or not is_root(self.root):
            raise FadingError(f"{folder} is not a study: accepted is a folder results/<study> beside its Snakefile.")
        mine = naming(self.name, self.root / "config")
        if len(mine) != 1:
            named = " and ".join(file.name for file in mine) or "no file"
            raise FadingError(f"{folder}: found {named} in config/ with `study: {self.name}`; accepted is exactly one.")
        self.configfile = str(mine[0].relative_to(self.root))

    @cached_property
    def is_of_this_version(self) -> bool:
        """Is the library of the study's workflow, byte for byte, the one that runs?"""
        theirs, ours = (root / "workflow/scripts" for root in (workflow_of(self.root), ROOT))
        names = [
            {path.relative_to(scripts) for path in scripts.rglob("*.py") if path.is_file()}
            for scripts in (theirs, ours)
        ]
        return names[0] == names[1] and all(
            store.sha256(theirs / name) == store.sha256(ours / name) for name in names[0]
        )

    @property
    def is_here(self) -> bool:
        """Does its workflow lie where the library lies that runs?"""
        return workflow_of(self.root).resolve() == ROOT

    @cached_property
    def plan(self) -> Plan:
        """What the study should hold, as this library plans it. Raises FadingError for a bad configuration."""
        return read_plan(self.root, self.configfile)

    @cached_property
    def left_out(self) -> dict[str, str]:
        """The files that an exported archive was made without, with their sha256."""
        listed = self.root / LEFT_OUT
        try:
            left_out = json.loads(listed.read_text()) if listed.is_file() else {}
        except (OSError, ValueError, RecursionError) as error:
            raise FadingError(f"{listed} is not readable JSON: {error}.") from error
        check_shape(left_out, TEXTS, LEFT_OUT)
        return left_out

    def files(self) -> set[str]:
        """Every file in the study's folder, and every link to a folder, into which nothing looks."""
        found = (path for path in self.folder.rglob("*") if path.is_symlink() or not path.is_dir())
        return {str(path.relative_to(self.root)) for path in found}
