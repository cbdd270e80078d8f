"""Which jobs made a study's files? Told from the lineage in the files' headers."""

from dataclasses import dataclass, field
from pathlib import Path

from fading import artifacts
from fading.errors import FadingError


@dataclass
class JobRecord:
    """A job as its outputs remember it; files by their paths from the study's root."""

    lineage: dict
    outputs: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return " ".join([self.lineage["rule"], *map(str, self.lineage["wildcards"].values())])

    @property
    def script(self) -> str:
        """The job's script: of its code, what is not the library's."""
        return next(file for file in self.lineage["code"] if Path(file).parent.name == "scripts")

    @property
    def parameters(self) -> dict:
        return self.lineage["wildcards"] | self.lineage["settings"]


def jobs(root: Path, files: list[str]) -> list[JobRecord]:
    """The jobs that made the files and all that these were made from; each after those that it depends on.

    A job's outputs are all that it left in the folders of those that are known; strangers there are passed over. Raises
    FadingError if a file on the way is missing or has no lineage.
    """
    found: dict[str, JobRecord] = {}
    made: set[str] = set()

    def follow(file):
        if file in made:
            return
        made.add(file)
        lineage = artifacts.lineage(root / file)
        for parent in lineage["inputs"]:
            follow(parent)
        found.setdefault(_key(lineage), JobRecord(lineage))

    for file in files:
        follow(file)
    for folder in {(root / file).parent for file in made}:
        for path in sorted(folder.iterdir()):
            job = found.get(_key_of(path, str(path.relative_to(root))))
            if job:
                written = [path, artifacts.sidecar(path)] if path.suffix == ".csv" else [path]
                job.outputs += [str(one.relative_to(root)) for one in written]
    return list(found.values())


def _key_of(path, file):
    """Of the job that wrote a file under this name; None if there was none."""
    try:
        lineage = artifacts.lineage(path)
    except FadingError:
        return None
    return _key(lineage) if lineage["path"] == file else None


def _key(lineage):
    return str((lineage["rule"], sorted(lineage["wildcards"].items())))
