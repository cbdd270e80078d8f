"""A study's folder, what lies around it, and what the workflow says should be in it."""

import json
import os
import subprocess
import sys
from functools import cached_property
from pathlib import Path

import yaml

from fading.errors import FadingError

CRATE = "ro-crate-metadata.json"
LEFT_OUT = "left-out.json"  # in an exported archive: the sha256 of each file that it was made without
PROJECT = ("Snakefile", "workflow", "config", "envs", "profiles")  # what it takes to run the workflow


class Study:
    """The folder results/<name> of a clone or of an unpacked archive, its `root`; files go by their paths from there.

    Raises FadingError if the folder is none, or if not exactly one file of config/ is that study's.
    """

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.name = self.folder.name
        self.root = self.folder.parents[1]
        if not self.folder.is_dir() or self.folder.parent.name != "results" or not (self.root / "Snakefile").is_file():
            raise FadingError(f"{folder} is not a study: accepted is a folder results/<study> beside its Snakefile.")
        files = sorted(self.root.glob("config/*.yaml"))
        mine = [file for file in files if self._study_in(file) == self.name]
        if len(mine) != 1:
            found = " and ".join(file.name for file in mine) or "no file"
            raise FadingError(f"{folder}: found {found} in config/ with `study: {self.name}`; accepted is exactly one.")
        self.configfile = str(mine[0].relative_to(self.root))

    @staticmethod
    def _study_in(file):
        content = yaml.safe_load(file.read_text())
        return content.get("study") if isinstance(content, dict) else None

    @cached_property
    def jobs(self) -> list[dict]:
        """Every job of the workflow as it is now, by workflow/plan.py. Raises FadingError if it can't be told."""
        done = run(self.root, "workflow/plan.py", self.configfile)
        if done.returncode:
            raise FadingError(f"{self.folder}: Snakemake can't say what should be in it: {reason(done)}")
        return json.loads(done.stdout)

    @cached_property
    def left_out(self) -> dict[str, str]:
        """The files that an exported archive was made without, with their sha256."""
        listed = self.root / LEFT_OUT
        return json.loads(listed.read_text()) if listed.is_file() else {}

    def files(self) -> set[str]:
        """Every file in the study's folder."""
        return {str(path.relative_to(self.root)) for path in self.folder.rglob("*") if not path.is_dir()}


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run this Python on a script or with `-m`, in the root; the library is that of the root's own workflow."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def reason(done: subprocess.CompletedProcess) -> str:
    """The last line that a failed command printed."""
    *_, last = ["no reason given", *(done.stdout + done.stderr).strip().splitlines()]
    return last
