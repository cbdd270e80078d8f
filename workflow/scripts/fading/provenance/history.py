"""Which jobs made a study's files? Told from the lineage in the files' headers."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from fading.artefacts import store
from fading.errors import FadingError
from fading.plan.naming import job_name
from fading.plan.wiring import GIVEN
from fading.provenance.lineages import recorded

LIBRARY = Path("workflow/scripts/fading")


def is_script(source: str) -> bool:
    """Is a source that a lineage names a script, and not of the library?"""
    return LIBRARY not in Path(source).parents


@dataclass
class JobRecord:
    """A job as its outputs remember it; files by their paths from the study's root."""

    lineage: dict
    outputs: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return job_name(self.lineage["rule"], self.lineage["wildcards"])

    @cached_property
    def script(self) -> str:
        """The job's script: of its code, what is not the library's."""
        return next(filter(is_script, self.lineage["code"]))

    @property
    def parameters(self) -> dict:
        return self.lineage["wildcards"] | self.lineage["settings"]


def jobs(root: Path, files: list[str]) -> list[JobRecord]:
    """The jobs that made the files and all that these were made from; each after those that it depends on.

    A job's outputs are all that it left in the folders of those that are known; strangers there are passed over. What
    the user gave was made by none. Raises FadingError if a file on the way is missing or has no lineage.
    """
    records: dict[str, JobRecord] = {}
    made: set[str] = set()

    def follow(file):
        if file in made:
            return
        made.add(file)
        if not (root / file).is_file():
            raise FadingError(f"{file} is missing, and others were made from it; the study makes it again.")
        lineage = recorded(root / file)
        for parent in lineage["inputs"] if lineage["rule"] not in GIVEN else ():
            follow(parent)
        record = JobRecord(lineage)
        records.setdefault(record.name, record)

    for file in files:
        follow(file)
    for folder in sorted({(root / file).parent for file in made}):
        for path in sorted(folder.iterdir()):
            record = records.get(_job_of(path, str(path.relative_to(root))))
            if record:
                written = [path, store.sidecar(path)] if path.suffix == ".csv" else [path]
                record.outputs += [str(file.relative_to(root)) for file in written]
    return list(records.values())


def _job_of(path, file):
    """Of the job that wrote a file under this name; None if there was none."""
    try:
        lineage = recorded(path)
    except FadingError:
        return None
    return job_name(lineage["rule"], lineage["wildcards"]) if lineage["path"] == file else None
