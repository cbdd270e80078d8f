"""How far a study is: which of its jobs are done, outdated or missing, stage by stage, and how long those will take."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from fading.errors import FadingError
from fading.experiments import EXPERIMENTS
from fading.plan.jobs import STUDY, PlannedJob, jobs
from fading.plan.naming import job_file, job_name
from fading.plan.plan import workflow_of
from fading.provenance.audit import HOLDS, audit
from fading.provenance.contents import contents
from fading.provenance.folder import CRATE, StudyFolder
from fading.provenance.lineages import recorded
from fading.runs.times import STAGES, Ahead, Estimate, expected, spoken

STATES = DONE, OUTDATED, MISSING = "done", "outdated", "missing"
MADE_BY_LOOPS = "figures"  # the stage of the rules without a name of their own


def status(study: StudyFolder) -> pd.DataFrame:
    """A row per stage and a last one of all: how many jobs, how many of each state, and the seconds to come.

    A job is outdated too if one that it reads is to be made again. Seconds are core-seconds, NaN where nobody knows any
    job's; of all, they are the time until the last ends on this machine's cores.
    """
    planned, states = jobs(study.plan, STUDY), _states(study)
    for job in planned:  # each after those that it reads
        read = {states.get(job_name(need.rule, need.wildcards), MISSING) for need in job.reads}
        if states.setdefault(job.name, MISSING) == DONE and read - {DONE}:
            states[job.name] = OUTDATED
    stages = _stages(workflow_of(study.root))
    ahead = {job.name: _ahead(job, study.name, stages) for job in planned}
    to_come = [ahead[job.name] for job in planned if states[job.name] != DONE]
    known = expected(to_come, study.root, study.name)
    rows = []
    for stage in sorted({one.stage for one in ahead.values()}, key=STAGES.index):
        mine = [name for name, one in ahead.items() if one.stage == stage]
        rows.append(_row(stage, mine, states, {one: known[one] for one in to_come if one.stage == stage}, 1))
    return pd.DataFrame([*rows, _row("all", [*ahead], states, known, os.cpu_count() or 1)])


def lines(table: pd.DataFrame) -> Iterator[str]:
    """The same to be read."""
    widths = dict.fromkeys(("jobs", *STATES), 9)
    yield f"{'':12}" + "".join(f"{name:>{width}}" for name, width in widths.items()) + "   will take"
    for row in table.to_dict("records"):
        counts = "".join(f"{row[name] or '':>{width}}" for name, width in widths.items())
        at_once = f"on {os.cpu_count()} cores" if row["stage"] == "all" else "of a core"
        left = f"{spoken(row['seconds'])} {at_once}" if row["seconds"] else ""
        yield f"{row['stage']:12}{counts}   {left}".rstrip()


def _row(stage, names, states, known, lanes):
    counts = Counter(states[name] for name in names)
    left = Estimate(known, lanes).left(0) if known else 0.0
    return {"stage": stage, "jobs": len(names), **{state: counts[state] for state in STATES}, "seconds": left}


def _states(study):
    """Of each job that made files here, or of which the crate knows some: are all of them as they should be?"""
    states, listed = {}, _listed(study)
    for finding in audit(study):
        name = _maker(study, finding.file) or listed.get(finding.file)
        if name and not (study.root / finding.file).exists():
            states[name] = MISSING
        elif name and states.get(name) != MISSING:
            whole = finding.severity == HOLDS and states.get(name) != OUTDATED
            states[name] = DONE if whole else OUTDATED
    return states


def _maker(study, file):
    """The name of the job that made a file, as that says itself; None if it does not or is gone."""
    if file == f"results/{study.name}/{CRATE}":
        return STUDY
    try:
        lineage = recorded(study.root / file)
        return job_name(lineage["rule"], lineage["wildcards"])
    except (FadingError, OSError):
        return None


def _listed(study):
    """The names of the jobs that made the files that the crate lists."""
    try:
        return contents(study.folder / CRATE).made_by
    except (FadingError, OSError):
        return {}


def _ahead(job: PlannedJob, study, stages):
    stage = EXPERIMENTS[job.rule].stage if job.rule in EXPERIMENTS else stages.get(job.rule, MADE_BY_LOOPS)
    shared = {"study": study} if job.rule != "download" else {}
    return Ahead(job.name, stage, job.rule, job_file("times", job.rule, {**job.wildcards, **shared}))


def _stages(workflow: Path):
    """The stage of each rule that has a name in the workflow's files: these are called after the stages."""
    files = sorted((workflow / "workflow/rules").glob("*.smk"))
    named = re.compile(r"^(?:use rule \w+ as|rule) (\w+)\b", re.MULTILINE)
    return {rule: file.stem for file in files for rule in named.findall(file.read_text())}
