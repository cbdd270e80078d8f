"""What every script does around its one call to the library: log, determinism, progress, artefacts with lineage."""

import os
import platform
import sys
import traceback
from collections.abc import Iterable
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from fading.artefacts import budget, store, unfinished
from fading.artefacts.devices import compute_on, computed_on
from fading.errors import FadingError

ROOT = Path(__file__).resolve().parents[4]  # of the workflow, from which lineage names its files wherever a study runs
LOCK = "envs/study.lock"
NUMERICS = (
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "safetensors",
    "torch",
    "torchvision",
    "tokenizers",
    "transformers",
    "matplotlib",
    "seaborn",
)


class Job:
    """A running rule. Within `with Job(snakemake) as job:` output and errors go to the rule's log file.

    Inputs and outputs go by their names in the rule. An input named `code` holds source files: it enters the lineage
    as code, not as data.
    """

    def __init__(self, snakemake):
        self.snakemake = snakemake
        self.settings = dict(snakemake.params.get("settings", {}))
        self.wildcards = dict(snakemake.wildcards)

    def __enter__(self):
        self._code = sources(self.snakemake.input.get("code", []))
        self._terminal = os.fdopen(os.dup(2), "w")
        log = os.open(self.snakemake.log[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(log, 1)
        os.dup2(log, 2)
        budget.set_limit(self.snakemake.config["budget"])
        compute_on(self.snakemake.config["device"])
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(self.snakemake.threads)
            torch.set_num_interop_threads(1)
        return self

    def __exit__(self, kind, error, trace):
        if error is None:
            unfinished.forget(self.snakemake.log[0])
            return
        if isinstance(error, FadingError):
            print(error, file=sys.stderr)
        else:
            traceback.print_exception(error)
        sys.stderr.flush()
        os._exit(1)  # a plain raise would print the traceback a second time, without the log

    def progress(self, iterable):
        """Iterate with a progress bar and the time left, on the terminal if there is one."""
        from tqdm import tqdm

        label = " ".join([self.snakemake.rule, *self.wildcards.values()])
        return tqdm(iterable, desc=label, file=self._terminal, leave=False, mininterval=1, disable=None)

    def show(self, text: str):
        """Print on the terminal, which the log otherwise keeps from scripts."""
        print(text, file=self._terminal, flush=True)

    def read(self, name: str, optional: bool = False):
        """The content of the named input, a list where it is several files; None if optional and absent."""
        files = self.snakemake.input.get(name) if optional else getattr(self.snakemake.input, name)
        if files is None:
            return None
        return store.read(files) if isinstance(files, str) else [store.read(file) for file in files]

    def write(self, name: str, content, **facts):
        """Write the named output with this job's lineage; `facts` adds to it, such as the hashes of downloads."""
        path = getattr(self.snakemake.output, name)
        store.write(path, content, {**self.lineage, "path": path, "output": name, **facts})

    def once(self, piece: str, make, *given) -> dict:
        """What make(*given) returns, data frames and dicts of arrays by name, kept until this job is done.

        Where an earlier try of the very same job was killed after the named piece, it is read and not made again.
        """
        return unfinished.once(self.snakemake.log[0], self._begun, piece, make, *given)

    @cached_property
    def _begun(self):
        return self._lineage()  # of what is loaded so far: not what the outputs will record

    @cached_property
    def lineage(self) -> dict:
        """What determines this job's outputs, and nothing that may differ between two identical runs."""
        return self._lineage()

    def _lineage(self):
        data = [file for file in self.snakemake.input if file not in self.snakemake.input.get("code", [])]
        return lineage(self.snakemake.rule, self.wildcards, self.settings, data, self._code, self.snakemake.threads)


def lineage(rule: str, wildcards: dict, settings: dict, inputs: list[str], code: dict[str, str], threads: int) -> dict:
    """The lineage of what a rule makes of input files with source files, in this process's environment.

    `code` has the sha256 of each source as it was when the process began: somebody may edit it meanwhile.
    """
    return {
        "rule": rule,
        "wildcards": wildcards,
        "settings": settings,
        "inputs": {file: store.sha256(file) for file in sorted(inputs)},
        "code": code,
        "threads": threads,
        **environment(),
    }


def sources(files: Iterable[str]) -> dict[str, str]:
    """The sha256 of source files, by their paths in the project."""
    return {project_path(file): store.sha256(file) for file in sorted(files)}


def project_path(file: str) -> str:
    """A file's path from the workflow's root, as it is where a study runs there: given so, or absolute."""
    return os.path.relpath(file, ROOT) if os.path.isabs(file) else file


def environment() -> dict:
    """What of this process's environment determines results, as lineage records it."""
    loaded = {name: version(name) for name in NUMERICS if name in sys.modules}
    bounded = {"budget": budget.as_text()} if "torch" in loaded else {}
    return {
        "lock": store.sha256(ROOT / LOCK),
        "versions": {"python": platform.python_version(), **loaded},
        "device": computed_on(),
        **bounded,
    }
