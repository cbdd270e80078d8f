"""Does what is in a study's folder still follow from the code, the configuration and the environment?"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property

from fading.artefacts import store
from fading.artefacts.job import LOCK
from fading.errors import FadingError
from fading.plan.jobs import ON_REQUEST, STUDY, jobs
from fading.plan.naming import job_name
from fading.plan.wiring import GIVEN
from fading.provenance.contents import described_jobs, hashes
from fading.provenance.folder import CRATE, StudyFolder, located
from fading.provenance.trace import brief

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


def audit(study: StudyFolder) -> list[Finding]:
    """A finding for each file in the study's folder, and for each that should be there and is not.

    BROKEN: not as it was written, missing, under another's name, or unaccounted for. OUTDATED: whole, but made from
    other inputs, code, settings or another environment than there are now, or by a job that the study no longer has.
    What an archive was made without is HOLDS, with that remark; so is what another job records of it.
    """
    auditor = _Auditor(study)
    findings = [auditor.finding(file) for file in sorted(study.files() | auditor.downloads)]
    findings += [Finding(file, HOLDS, (NOT_HERE,)) for file in study.left_out]
    findings += [Finding(file, BROKEN, ("missing",)) for file in sorted(auditor.missing())]
    return sorted(findings, key=lambda finding: (-finding.severity, finding.file))


def summary(findings: Iterable[Finding]) -> str:
    """How many files there are of each verdict, in a line."""
    findings = list(findings)
    absent = sum(finding.remarks == (NOT_HERE,) for finding in findings)
    counts = [f"{sum(each.severity == severity for each in findings)} {name}" for severity, name in VERDICTS.items()]
    counts[HOLDS] = f"{sum(each.severity == HOLDS for each in findings) - absent} hold"
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
        self.expected = {job.name: job for job in jobs(study.plan, STUDY)}
        self.jobs = self.expected | {job.name: job for job in jobs(study.plan, *ON_REQUEST)}
        self.crate = f"results/{study.name}/{CRATE}"
        self.hashes, self.lineages = {}, {}

    @property
    def downloads(self):
        """The files fetched for the study that are here."""
        wanted = {f"resources/{job.wildcards['download']}" for job in self.jobs.values() if job.rule == "download"}
        return {file for file in wanted if (self.root / file).is_file()}

    def sha256(self, file):
        """Of a file as it is, or as an archive says that it was; None if there is none."""
        if file not in self.hashes:
            path = located(self.root, file)
            self.hashes[file] = store.sha256(path) if path.is_file() else self.study.left_out.get(file)
        return self.hashes[file]

    def lineage(self, file):
        """Of a file that is here and has one, else None."""
        if file not in self.lineages:
            try:
                self.lineages[file] = store.lineage(self.root / file)
            except FadingError:
                self.lineages[file] = None
        return self.lineages[file]

    def missing(self):
        """Files that the crate lists, or that something was made from, and that are not here; and jobs without any."""
        here = self.study.files() | self.downloads
        lineages = [lineage for file in here if (lineage := self.lineage(file))]
        known = {file for lineage in lineages for file in lineage["inputs"]} | {self.crate} | self.listed.keys()
        given = {file for lineage in lineages if lineage["rule"] in GIVEN for file in lineage["inputs"]}
        kept = {file for file in known if file.startswith(("results/", "resources/"))} | given
        files = {file for file in kept if self.sha256(file) is None}
        made = {job_name(lineage["rule"], lineage["wildcards"]) for lineage in lineages}
        left_out = {self.described.get(file) for file in self.study.left_out}
        absent = self.expected.keys() - made - left_out - {STUDY}
        return files | {f"results/{self.study.name}: what {name} makes" for name in absent}

    @cached_property
    def listed(self):
        """The sha256 of each file that the crate lists; none if it is damaged or missing, a finding of its own."""
        try:
            return hashes(self.root / self.crate)
        except (FadingError, OSError):
            return {}

    @cached_property
    def described(self):
        """The job of each file that the crate describes: an archive was made without some of these files."""
        return described_jobs(self.root / self.crate) if self.listed else {}

    def finding(self, file):
        try:
            broken, outdated = self._problems(file)
        except FadingError as error:
            broken, outdated = [self._short(error, file)], []
        severity = BROKEN if broken else OUTDATED if outdated else HOLDS
        return Finding(file, severity, (*broken, *outdated))

    def _short(self, error, file):
        return str(error).removeprefix(f"{self.root / file} ").removesuffix(".")

    def _problems(self, file):
        """What is broken, what is outdated."""
        path = self.root / file
        if file == self.crate:
            changed = [listed for listed, recorded in hashes(path).items() if self.sha256(listed) != recorded]
            return [], [f"lists another {listed}" for listed in changed]
        if not self._accounted(file, path):
            return ["unaccounted for"], []
        if path.suffix not in store.HEADERS:
            return [], []
        lineage, broken = store.lineage(path), []
        try:
            store.check(path)
        except FadingError as error:
            broken.append(self._short(error, file))
        if lineage["path"] != file:
            broken.append(f"was written as {lineage['path']}")
        return broken, list(self._outdated(lineage))

    def _accounted(self, file, path):
        """Has it a lineage, or does the crate list it, or is it a job's log or times, or what stands beside a table?"""
        beside = path.suffix == ".json" and path.with_suffix("").suffix == ".csv" and path.with_suffix("").is_file()
        written = any(path.is_relative_to(self.study.folder / kind) for kind in ("logs", "times"))
        return written or beside or file in self.listed or self.lineage(file) is not None

    def _outdated(self, lineage):
        name = job_name(lineage["rule"], lineage["wildcards"])
        job = self.jobs.get(name)
        if job is None:
            yield f"was made by {name}, which the study does not have now"
            return
        settings = json.loads(json.dumps(job.settings))
        for key in sorted(lineage["settings"].keys() | settings.keys()):
            before, now = (known.get(key, "nothing") for known in (lineage["settings"], settings))
            if before != now:
                yield f"settings had {key} {brief(before)}, now {brief(now)}"
        for file, recorded in lineage["inputs"].items():
            if self.sha256(file) not in (recorded, None):  # a missing one is named where it is missing
                yield f"input {file} is another"
        for file, recorded in lineage["code"].items():
            if self.sha256(file) != recorded:
                yield f"code {file} is {'another' if self.sha256(file) else 'no longer there'}"
        yield from self._rewired(lineage, job)
        if self.sha256(LOCK) != lineage["lock"]:
            yield f"environment: {LOCK} is another"

    def _rewired(self, lineage, job):
        """What the job reads now and did not, or did and does not, by job and output as far as they are known."""
        before = {file: self._made_by(file) for file in lineage["inputs"] if file not in job.given}
        now = {(job_name(need.rule, need.wildcards), need.output) for need in job.reads}
        for file, (name, output) in before.items():
            if not any(name == now_name and output in (now_output, None) for now_name, now_output in now):
                yield f"input {file} is no longer used"
        for file in job.given:
            if file not in lineage["inputs"]:
                yield f"input {file} is new"
        for name, output in sorted(now):
            if (name, output) not in before.values() and (name, None) not in before.values():
                yield f"input {output} of {name} is new"

    def _made_by(self, file):
        """The name of the job that made a file, and of the output; None for what is not known."""
        if lineage := self.lineage(file):
            return job_name(lineage["rule"], lineage["wildcards"]), lineage.get("output")
        return self.described.get(file), None
