"""Does what is in a study's folder still follow from the code, the configuration and the environment?"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from fading import artifacts
from fading.crate import hashes
from fading.errors import FadingError
from fading.job import LOCK
from fading.study import CRATE, Study

HOLDS, OUTDATED, BROKEN = 0, 1, 2
VERDICTS = {HOLDS: "holds", OUTDATED: "outdated", BROKEN: "broken"}
NOT_HERE = "not in this archive"


@dataclass(frozen=True)
class Finding:
    """What is so of one file: how bad at worst, and each thing that is wrong, or to be said, in a few words."""

    file: str
    severity: int
    remarks: tuple[str, ...]

    def __str__(self):
        return f"{VERDICTS[self.severity]:9} {self.file}: {'; '.join(self.remarks)}"


def audit(study: Study) -> list[Finding]:
    """A finding for each file that the workflow makes, and for each in the folder that it doesn't make.

    BROKEN: not as it was written, missing, under another's name, or unaccounted for. OUTDATED: whole, but made from
    other inputs, code, settings or another environment than there are now. What an archive was made without is HOLDS,
    with that remark; so is what another job records of it.
    """
    auditor = _Auditor(study)
    findings = [
        auditor.finding(file, job)
        for job in study.jobs
        for file in job["outputs"]
        if job["expected"] or (study.root / file).is_file()
    ]
    accounted = {file for job in study.jobs for file in [*job["outputs"], *job["logs"]]}
    strangers = [Finding(file, BROKEN, ("unaccounted for",)) for file in study.files() - accounted]
    return sorted([*findings, *strangers], key=lambda finding: (-finding.severity, finding.file))


def summary(findings: Iterable[Finding]) -> str:
    """How many files there are of each verdict, in a line."""
    findings = list(findings)
    absent = sum(finding.remarks == (NOT_HERE,) for finding in findings)
    counts = [f"{sum(one.severity == severity for one in findings)} {name}" for severity, name in VERDICTS.items()]
    counts[HOLDS] = f"{sum(one.severity == HOLDS for one in findings) - absent} hold"
    return f"{len(findings)} files: {', '.join(counts)}" + (f", {absent} {NOT_HERE}" if absent else "")


def as_json(findings: Iterable[Finding]) -> str:
    """The findings and the worst severity."""
    listed = [asdict(finding) | {"verdict": VERDICTS[finding.severity]} for finding in findings]
    return json.dumps({"severity": worst(findings), "findings": listed}, indent=1)


def worst(findings: Iterable[Finding]) -> int:
    return max((finding.severity for finding in findings), default=HOLDS)


class _Auditor:
    def __init__(self, study):
        self.study, self.root = study, study.root
        self.known = {}

    def sha256(self, file):
        """Of a file as it is, or as an archive says that it was; None if there is none."""
        if file not in self.known:
            path = self.root / file
            self.known[file] = artifacts.sha256(path) if path.is_file() else self.study.left_out.get(file)
        return self.known[file]

    def finding(self, file, job):
        if not (self.root / file).is_file():
            if file in self.study.left_out:
                return Finding(file, HOLDS, (NOT_HERE,))
            return Finding(file, BROKEN, ("missing",))
        try:
            broken, outdated = self._problems(file, job)
        except FadingError as error:
            broken, outdated = [self._short(error, file)], []
        severity = BROKEN if broken else OUTDATED if outdated else HOLDS
        return Finding(file, severity, (*broken, *outdated))

    def _short(self, error, file):
        return str(error).removeprefix(f"{self.root / file} ").removesuffix(".")

    def _problems(self, file, job):
        """What is broken, what is outdated."""
        path = self.root / file
        if path.name == CRATE:
            changed = [listed for listed, recorded in hashes(path).items() if self.sha256(listed) != recorded]
            return [], [f"lists another {one}" for one in changed]
        if path.suffix not in artifacts.HEADERS:  # the lineage of a table is looked at with the table
            return [], []
        lineage, broken = artifacts.lineage(path), []
        try:
            artifacts.check(path)
        except FadingError as error:
            broken.append(self._short(error, file))
        if lineage["path"] != file:
            broken.append(f"was written as {lineage['path']}")
        return broken, list(self._outdated(lineage, job))

    def _outdated(self, lineage, job):
        if lineage["rule"] != job["rule"] or lineage["wildcards"] != job["wildcards"]:
            yield f"was made by {_named(lineage)}, now {_named(job)} makes it"
        for key in sorted(lineage["settings"].keys() | job["settings"].keys()):
            before, now = (settings.get(key, "nothing") for settings in (lineage["settings"], job["settings"]))
            if before != now:
                yield f"settings had {key} {_brief(before)}, now {_brief(now)}"
        yield from self._changed("input", lineage["inputs"], job["inputs"])
        yield from self._changed("code", lineage["code"], job["code"])
        if self.sha256(LOCK) != lineage["lock"]:
            yield f"environment: {LOCK} is another"

    def _changed(self, what, recorded, now):
        for file in sorted(recorded.keys() | now):
            if file not in recorded or file not in now:
                yield f"{what} {file} is {'new' if file in now else 'no longer used'}"
            elif self.sha256(file) not in (recorded[file], None):  # a missing one is named where it is missing
                yield f"{what} {file} is another"


def _brief(value):
    text = json.dumps(value)
    return text if len(text) < 60 else f"{text[:57]}..."


def _named(job):
    return " ".join([job["rule"], *job["wildcards"].values()])
