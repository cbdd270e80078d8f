"""Does what is in a study's folder still follow from the code, the configuration and the environment?"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property

from fading.artefacts import store
from fading.artefacts.job import LOCK
from fading.errors import FadingError
from fading.plan.jobs import ON_REQUEST, STUDY, jobs
from fading.plan.naming import job_file, job_name
from fading.plan.wiring import GIVEN
from fading.provenance.contents import Contents, contents
from fading.provenance.folder import BESIDE, CRATE, LEFT_OUT, StudyFolder, located, sha256
from fading.provenance.history import is_script
from fading.provenance.lineages import fingerprint, recorded
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

    BROKEN: not as it was written, missing, under another's name, unaccounted for, or other than others record of it
    though nothing that determines it is other. OUTDATED: whole, but made from other inputs, code, settings or another
    environment than there are now, by a job that the study no longer has, or made again since others read it. What an
    archive was made without is HOLDS, with that remark. What was made by another version of the library, whose
    configuration this one does not take, is audited without a plan; nothing of the study's folder is run.
    """
    auditor = _Auditor(study)
    findings = [auditor.finding(file) for file in sorted(study.files() | auditor.downloads)]
    findings += [auditor.left_out(file) for file in study.left_out]
    findings += [Finding(file, BROKEN, ("missing",)) for file in sorted(auditor.missing())]
    if auditor.unplanned:
        findings.append(Finding(study.configfile, OUTDATED, (f"this version can't plan it: {auditor.unplanned}",)))
    return sorted(findings, key=lambda finding: (-finding.severity, finding.file))


def summary(findings: Iterable[Finding]) -> str:
    """How many files there are of each verdict, in a line."""
    findings = list(findings)
    absent = sum(finding.remarks == (NOT_HERE,) for finding in findings)
    counts = [f"{sum(each.severity == severity for each in findings)} {name}" for severity, name in VERDICTS.items()]
    counts[HOLDS] = f"{sum(each.severity == HOLDS for each in findings) - absent} hold"
    return f"{len(findings)} files: {', '.join(counts)}" + (f", {absent} {NOT_HERE}" if absent else "")


def as_tree(findings: Iterable[Finding]) -> dict:
    """The findings and the worst severity."""
    listed = [asdict(finding) | {"verdict": VERDICTS[finding.severity]} for finding in findings]
    return {"severity": worst(findings), "findings": listed}


def worst(findings: Iterable[Finding]) -> int:
    return max((finding.severity for finding in findings), default=HOLDS)


class _Auditor:
    def __init__(self, study):
        self.study, self.root, self.unplanned = study, study.root, None
        try:
            self.expected = {job.name: job for job in jobs(study.plan, STUDY)}
            self.jobs = self.expected | {job.name: job for job in jobs(study.plan, *ON_REQUEST)}
        except FadingError as error:
            if study.is_of_this_version:
                raise
            self.expected, self.jobs, self.unplanned = {}, {}, str(error)
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
            self.hashes[file] = sha256(located(self.root, file)) or self.study.left_out.get(file)
        return self.hashes[file]

    def lineage(self, file):
        """Of a file that is here and has one, else None."""
        if file not in self.lineages:
            try:
                self.lineages[file] = recorded(self.root / file)
            except (FadingError, OSError):
                self.lineages[file] = None
        return self.lineages[file]

    def missing(self):
        """Files that the crate lists, or that something was made from, and that are not here; and jobs without any."""
        here = self.study.files() | self.downloads
        lineages = [lineage for file in here if (lineage := self.lineage(file))]
        known = {file for lineage in lineages for file in lineage["inputs"]} | {self.crate} | self.listed.hashes.keys()
        given = {file for lineage in lineages if lineage["rule"] in GIVEN for file in lineage["inputs"]}
        kept = {file for file in known if file.startswith(("results/", "resources/"))} | given
        files = {file for file in kept if self.sha256(file) is None}
        made = {job_name(lineage["rule"], lineage["wildcards"]) for lineage in lineages}
        left_out = {self.listed.made_by.get(file) for file in self.study.left_out}
        absent = self.expected.keys() - made - left_out - {STUDY}
        return files | {f"results/{self.study.name}: what {name} makes" for name in absent}

    @cached_property
    def listed(self):
        """What the crate lists; nothing if it is damaged or missing, a finding of its own."""
        try:
            return contents(self.root / self.crate)
        except FadingError:
            return Contents()

    @cached_property
    def records(self):
        """Of each file, by whom it was read and the sha256 that it had then."""
        records = defaultdict(dict, {file: {self.crate: sha} for file, sha in self.listed.hashes.items()})
        for reader in self.study.files():
            for file, sha in (self.lineage(reader) or {"inputs": {}})["inputs"].items():
                records[file][reader] = sha
        return records

    @cached_property
    def written_beside(self):
        """The logs and times that the study's jobs may have."""
        own = {"study": self.study.name}
        named = [(job.rule, job.wildcards) for job in self.jobs.values()] + [("reference", {})]
        return {job_file(kind, rule, wildcards | own) for rule, wildcards in named for kind in BESIDE}

    def left_out(self, file):
        """What an archive was made without, if its list and its crate agree."""
        known = self.listed.hashes | self.listed.elsewhere
        if known.get(file) == self.study.left_out[file]:
            return Finding(file, HOLDS, (NOT_HERE,))
        return Finding(file, BROKEN, (f"{LEFT_OUT} has another sha256 than the crate",))

    def finding(self, file):
        try:
            broken, outdated = self._problems(file)
        except (FadingError, OSError) as error:
            broken, outdated = [self._short(error, file)], []
        severity = BROKEN if broken else OUTDATED if outdated else HOLDS
        return Finding(file, severity, (*broken, *outdated))

    def _short(self, error, file):
        return str(error).removeprefix(f"{self.root / file} ").removesuffix(".")

    def _problems(self, file):
        """What is broken, what is outdated."""
        path = self.root / file
        if file == self.crate:
            listed = contents(path)
            changed = [f"lists another {name}" for name, sha in listed.hashes.items() if self.sha256(name) != sha]
            made = {name for name in self.study.files() if self._made_for_the_study(name)} - listed.hashes.keys()
            return [], changed + [f"does not list {name}" for name in sorted(made)]
        if path.is_dir():
            return ["is a link to a folder, into which nothing looks"], []
        if not self._accounted(file, path):
            return ["unaccounted for"], []
        if path.suffix not in store.HEADERS:
            return self._contested(file, None)
        lineage, broken = recorded(path), []
        try:
            store.check(path)
        except FadingError as error:
            broken.append(self._short(error, file))
        if lineage["path"] != file:
            broken.append(f"was written as {lineage['path']}")
        if not any(map(is_script, lineage["code"])):
            broken.append("names no script that made it")
        contested, outdated = self._contested(file, lineage)
        return [*broken, *contested], [*self._outdated(lineage), *outdated]

    def _made_for_the_study(self, file):
        lineage = self.lineage(file)
        return lineage and job_name(lineage["rule"], lineage["wildcards"]) in self.expected

    def _accounted(self, file, path):
        """Has it a lineage, or does the crate list it, or is it a job's log or times, or what stands beside a table?"""
        beside = path.suffix == ".json" and path.with_suffix("").suffix == ".csv" and path.with_suffix("").is_file()
        written = self.unplanned and any(self.study.folder / kind in path.parents for kind in BESIDE)
        known = written or file in self.written_beside or file in self.listed.hashes
        return known or beside or self.lineage(file) is not None

    def _contested(self, file, lineage):
        """Do others record another sha256? Broken where its job was all that it is now, outdated where it was not."""
        others = [reader for reader, sha in self.records[file].items() if sha != self.sha256(file)]
        if not self.unplanned:  # what the study no longer makes is outdated itself
            others = [reader for reader in others if reader == self.crate or self._made_for_the_study(reader)]
        if not others:
            return [], []
        remark = f"is another than {others[0]} records" + (f", and {len(others) - 1} more" if others[1:] else "")
        listed = self.listed.hashes.get(file)
        name = lineage and job_name(lineage["rule"], lineage["wildcards"])
        same = lineage and self.listed.fingerprints.get(name) == fingerprint(lineage)
        return ([remark], []) if listed and (same or listed == self.sha256(file)) else ([], [remark])

    def _outdated(self, lineage):
        name = job_name(lineage["rule"], lineage["wildcards"])
        job = self.jobs.get(name)
        if not (job or self.unplanned):
            yield f"was made by {name}, which the study does not have now"
            return
        if job:
            yield from self._set_otherwise(lineage, job)
        for file, sha in lineage["inputs"].items():
            if self.sha256(file) not in (sha, None):  # a missing one is named where it is missing
                yield f"input {file} is another"
        for file, sha in lineage["code"].items():
            if self.sha256(file) != sha:
                yield f"code {file} is {'another' if self.sha256(file) else 'no longer there'}"
        if job:
            yield from self._rewired(lineage, job)
        if self.sha256(LOCK) != lineage["lock"]:
            yield f"environment: {LOCK} is another"

    def _set_otherwise(self, lineage, job):
        settings = json.loads(json.dumps(job.settings))
        for key in sorted(lineage["settings"].keys() | settings.keys()):
            before, now = (known.get(key, "nothing") for known in (lineage["settings"], settings))
            if before != now:
                yield f"settings had {key} {brief(before)}, now {brief(now)}"

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
        return self.listed.made_by.get(file), None
