"""A study as an RO-Crate: what was run, in which steps, from what and when, in the words of Provenance Run Crate.

Files go by their paths from the study's folder.
"""

import hashlib
import json
import mimetypes
import posixpath
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import yaml

from fading.artefacts import store
from fading.artefacts.job import LOCK
from fading.artefacts.seal import BLANK, seal
from fading.data import DATASETS, WEIGHTS
from fading.plan.naming import job_file
from fading.provenance.contents import ELSEWHERE, base
from fading.provenance.folder import BESIDE, inside, located
from fading.provenance.history import JobRecord, jobs
from fading.provenance.lineages import fingerprint

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}  # what RO-Crate's own context lacks
FORMAL_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
LICENCES = {  # of what the workflow fetches; its own is the project's
    f"resources/{description.file}": description.licence
    for description in (*DATASETS.values(), *WEIGHTS.values())
    if description.licence
}
ENCODINGS = {".safetensors": "application/octet-stream", ".parquet": "application/vnd.apache.parquet"}


def times(root: Path, study: str, record: JobRecord) -> tuple[str, str] | None:
    """When a job of a study began and ended, by the file in which Snakemake wrote how long it took; ISO 8601, UTC."""
    rule, wildcards = record.lineage["rule"], record.lineage["wildcards"]
    path = root / job_file("times", rule, wildcards if rule == "download" else {**wildcards, "study": study})
    if not path.is_file():
        return None
    _, measured = path.read_text().splitlines()[:2]
    end = datetime.fromtimestamp(path.stat().st_mtime, UTC)  # it is written when the job ends
    start = end - timedelta(seconds=float(measured.split("\t")[0]))
    return start.isoformat(), end.isoformat()


def write(crate, folder: Path) -> None:
    """Write ro-crate-metadata.json into a folder, sealed as artefacts are: its identifier is the seal."""
    crate.metadata["identifier"] = BLANK
    crate.metadata.write(folder)
    seal(folder / crate.metadata.id)


def crate(root: Path, study: str, results: list[str], configuration: list[str], workflow: list[str]):
    """The rocrate.ROCrate of a study.

    `results` are what it was run for, `configuration` its configuration, `workflow` the files of the workflow, the
    Snakefile first; all by their paths from the root. Times are those that Snakemake wrote, where it did; these files
    and what jobs printed are listed too, but for those of the crate itself. Raises FadingError if a result, or anything
    that it was made from, is missing or has no lineage.
    """
    builder = _Builder(root, study)
    records = jobs(root, results)
    builder.describe_workflow(workflow, records)
    builder.describe_run(records, configuration)
    builder.list_beside()
    builder.describe_study()
    return builder.crate


class _Builder:
    def __init__(self, root, study):
        from rocrate.rocrate import ROCrate

        self.root, self.study = root, study
        self.crate = ROCrate(version="1.1")
        self.crate.metadata.extra_terms.update(TERMS)

    def entity(self, identifier, kind, **properties):
        """A contextual entity, made once."""
        from rocrate.model import ContextEntity

        known = self.crate.get(identifier)
        return known or self.crate.add(ContextEntity(self.crate, identifier, {"@type": kind, **properties}))

    def file(self, file, *kinds, **properties):
        """A data entity, made once."""
        path, identifier = located(self.root, file), posixpath.relpath(file, base(self.study))
        if known := self.crate.get(identifier):
            return known
        described = {
            "@type": ["File", *kinds] if kinds else "File",
            "name": file,
            "sha256": store.sha256(path),
            "contentSize": str(path.stat().st_size),
            "encodingFormat": ENCODINGS.get(path.suffix) or mimetypes.guess_type(file)[0] or "text/plain",
        }
        if file in LICENCES:
            described["license"] = self.licence(LICENCES[file])
        return self.crate.add_file(path, identifier, properties={**described, **properties})

    def licence(self, name):
        return self.entity(f"https://spdx.org/licenses/{name}", "CreativeWork", name=name)

    def software(self, name, number):
        return self.entity(f"#software/{name}", "SoftwareApplication", name=name, version=number)

    def describe_workflow(self, workflow, records):
        """The workflow, its steps (a rule each), and their tools (a script each)."""
        from rocrate.model import ComputerLanguage

        main, *others = workflow
        about = {"name": "Snakemake", "url": "https://snakemake.github.io", "version": version("snakemake")}
        language = self.crate.add(ComputerLanguage(self.crate, "#snakemake", about))
        users = {}
        for record in records:
            users.setdefault(record.script, []).append(record)
        tools = {script: self.tool(script, mine) for script, mine in users.items()}
        scripts = {}
        for record in records:
            scripts.setdefault(record.lineage["rule"], {})[record.script] = tools[record.script]
        steps = [
            self.entity(f"#rule/{rule}", "HowToStep", name=rule, position=str(number), workExample=list(used.values()))
            for number, (rule, used) in enumerate(scripts.items())
        ]
        self.crate.mainEntity = self.file(
            main,
            *("SoftwareSourceCode", "ComputationalWorkflow", "HowTo"),
            programmingLanguage=language,
            license=self.licence("MIT"),
            softwareRequirements=self.file(LOCK),
            hasPart=list(tools.values()),
            step=steps,
        )
        for file in others:
            self.file(file, isPartOf=self.crate.mainEntity)

    def tool(self, script, records):
        """A script with the modules of the library, the packages and the parameters that any of its jobs uses."""
        lineages = [record.lineage for record in records]
        library = sorted({file for lineage in lineages for file in lineage["code"] if file != script})
        packages = {package: number for lineage in lineages for package, number in lineage["versions"].items()}
        names = dict.fromkeys(name for record in records for name in record.parameters)
        return self.file(
            script,
            "SoftwareSourceCode",
            license=self.licence("MIT"),
            hasPart=[self.file(file) for file in library],
            softwareRequirements=[self.software(*package) for package in packages.items()],
            input=[self.formal_parameter(script, name) for name in names],
        )

    def formal_parameter(self, script, name):
        kind, profile = "FormalParameter", {"@id": FORMAL_PARAMETER}
        identifier = f"#parameter/{Path(script).stem}/{name}"
        return self.entity(identifier, kind, name=name, additionalType="Text", conformsTo=profile)

    def value(self, script, name, value):
        """A parameter's value, as JSON."""
        text = json.dumps(value, sort_keys=True)
        formal = self.formal_parameter(script, name)
        identifier = f"{formal.id}/{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        if known := self.crate.get(identifier):
            return known
        actual = self.entity(identifier, "PropertyValue", name=name, value=text, exampleOfWork=formal)
        formal.append_to("workExample", actual)
        return actual

    def describe_run(self, records, configuration):
        """The run of the workflow, each job's part in it, and Snakemake, which organised it."""
        made = [file for record in records for file in record.outputs]
        run = self.entity(
            "#run",
            "CreateAction",
            name=f"the study {self.study}",
            instrument=self.crate.mainEntity,
            object=[self.file(file) for file in configuration],
            result=[self.file(file) for file in made if self.is_public(file)],
            **self.when(records),
        )
        self.crate.root_dataset["mentions"] = [run]
        self.entity(
            "#organisation",
            "OrganizeAction",
            name="Snakemake's run of the study",
            instrument=self.software("snakemake", version("snakemake")),
            object=[self.control(record) for record in records],
            result=run,
        )

    def is_public(self, file):
        """Is it a figure, a table or the claims, or where their lineage stands?"""
        return len(Path(posixpath.relpath(file, base(self.study))).parts) <= 2 and file.startswith(base(self.study))

    def control(self, record: JobRecord):
        """A job: the step that asked for it, and what its script did."""
        lineage = record.lineage
        values = [self.value(record.script, *parameter) for parameter in record.parameters.items()]
        action = self.entity(
            f"#job/{record.name.replace(' ', '/')}",
            "CreateAction",
            name=record.name,
            description=f"on {lineage['device']}, with {lineage['threads']} thread",
            instrument=self.file(record.script),
            object=[*(self.used(*used) for used in lineage["inputs"].items()), *self.downloads(lineage), *values],
            result=[self.file(file) for file in record.outputs],
            actionStatus={"@id": "http://schema.org/CompletedActionStatus"},
            **self.when([record]),
        )
        action["identifier"] = fingerprint(lineage)
        self.crate.root_dataset.append_to("mentions", action)
        step = self.entity(f"#rule/{lineage['rule']}", "HowToStep")
        identifier, name = f"{action.id}/control", f"{record.name}, as a step"
        return self.entity(identifier, "ControlAction", name=name, instrument=step, object=action)

    def used(self, file, recorded):
        """What a job read: a file of the project, or one of the user's that is elsewhere, by the hash that it had."""
        if inside(file) and (self.root / file).is_file():
            return self.file(file)
        return self.entity(ELSEWHERE + quote(file), "CreativeWork", name=file, sha256=recorded)

    def downloads(self, lineage):
        """What a job fetched, by the hash to which it is pinned."""
        for name, pin in lineage.get("downloads", {}).items():
            yield self.entity(f"#download/{name}", "CreativeWork", name=name, sha256=pin)

    def when(self, records: list[JobRecord]) -> dict:
        """When the first of some jobs began, and the last ended, as far as Snakemake wrote it."""
        spans = [span for record in records if (span := times(self.root, self.study, record))]
        return {"startTime": min(spans)[0], "endTime": max(end for _, end in spans)} if spans else {}

    def list_beside(self):
        """What jobs printed, and how long they took."""
        for kind in BESIDE:
            for path in sorted((self.root / base(self.study) / kind).rglob("*")):
                if path.is_file() and path.stem != "crate":
                    self.file(str(path.relative_to(self.root)))

    def describe_study(self):
        """Who made it, under which licence, and the paper that it reproduces."""
        citation = yaml.safe_load(located(self.root, "CITATION.cff").read_text())
        root = self.crate.root_dataset
        root["name"] = f"{citation['title']} (study {self.study})"
        root["description"] = citation["message"]
        root["license"] = self.licence(citation["license"])
        root["author"] = [
            self.entity("#authors", "Organization", name=author["name"]) for author in citation["authors"]
        ]
        root["conformsTo"] = [
            self.entity(profile, "CreativeWork", name=name, version=profile.rsplit("/", 1)[1])
            for profile, name in PROFILES.items()
        ]
        root["citation"] = [self.paper(paper) for paper in citation["references"]]

    def paper(self, paper):
        (arxiv,) = (identifier["value"].removeprefix("arXiv:") for identifier in paper["identifiers"])
        authors = [f"{author['given-names']} {author['family-names']}" for author in paper["authors"]]
        return self.entity(
            f"https://arxiv.org/abs/{arxiv}",
            "ScholarlyArticle",
            name=paper["title"],
            author=[self.entity(f"#{name.replace(' ', '-')}", "Person", name=name) for name in authors],
            datePublished=str(paper["year"]),
            isPartOf=self.entity("#proceedings", "PublicationVolume", name=paper["collection-title"]),
        )
