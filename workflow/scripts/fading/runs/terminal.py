"""What a terminal, or whatever else reads along, is told of a run."""

import csv
import logging
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from fading.plan.naming import job_name
from fading.runs.times import STAGES, Ahead, Estimate, beyond, expected, spoken

LINES = 20  # for all of the work
LAST = 12  # lines of a failed job's log
UNKNOWN_WIDTH = 80
CLEAR = "\r\x1b[K"
LEFT_OUT = (  # how Snakemake and its plugins begin what they say of themselves or of each job, beside events
    *("Select jobs", "Building DAG", "Assuming ", "Using shell", "host: ", "Removing "),
    *("Activating conda environment", "Activating singularity image", "Job "),
    *("Conda environments: ignored", "Singularity containers: ignored"),
)
KEPT = "What is finished is kept: mend the cause and run the same command again."
# As fading.evidence has them, which needs pandas: where each job has an environment of its own, Snakemake's has none.
VERDICTS = ("supported", "inconclusive", "contradicted", "void", "not tested")
SOURCES = {"paper": "The paper's claims", "ours": "Our own", "control": "Controls"}


def ahead(dag) -> dict[int, Ahead]:
    """The jobs that a run of Snakemake's is to do, by their numbers; their stages are called as their rules' files."""
    return {
        dag.jobid(job): Ahead(
            job_name(job.rule.name, dict(job.wildcards)),
            Path(job.rule.snakefile).stem,
            job.rule.name,
            str(job.benchmark) if job.benchmark else None,
            frozenset(dag.jobid(other) for other in dag.job_dependencies(job)),
        )
        for job in dag.needrun_jobs()
        if not job.is_norun
    }


class Terminal(logging.Handler):
    """Takes Snakemake's events of a run and writes few lines: how far it is, what failed and why, and warnings.

    `jobs` tells, once the run is planned, each job by its number; `root`, `study` and `lanes` are what the time left is
    told by. To a terminal the last line is written over again and again, beside the progress bars of the jobs
    themselves. The rest is in Snakemake's own log.
    """

    def __init__(
        self,
        jobs: Callable[[], Mapping[int, Ahead]],
        root: Path,
        study: str,
        lanes: Callable[[], int],
        stream: TextIO = sys.stderr,
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self.name = "fading"
        self._plan, self._root, self._study, self._lanes = jobs, root, study, lanes
        self._stream, self._clock = stream, clock
        self._live = stream.isatty()
        self._jobs: Mapping[int, Ahead] = {}
        self._failures: set[int] = set()
        self._estimate, self._said, self._begun = Estimate({}, 1), 0, clock()

    def emit(self, record: logging.LogRecord) -> None:
        """Write what a record is worth. Never raises: a run does not fail because of what is said of it."""
        try:
            event = getattr(getattr(record, "event", None), "value", None)
            if event in _EVENTS:
                _EVENTS[event](self, record)
                return
            text = record.getMessage()
            if event == "error" or record.levelno >= logging.WARNING or not text.startswith(LEFT_OUT):
                self._line(text)
        except Exception:
            self.handleError(record)

    def _planned(self, record):
        self._jobs = self._plan()
        known = expected(self._jobs.values(), self._root, self._study)
        self._estimate, self._begun = Estimate(known, self._lanes()), self._clock()
        counts = Counter(job.stage for job in self._jobs.values())
        each = ", ".join(f"{stage} {counts[stage]}" for stage in STAGES if stage in counts)
        self._line(f"{len(self._jobs)} jobs: {each}")
        if 2 * sum(seconds is not None for seconds in known.values()) >= len(self._jobs):
            self._line(f"{spoken(self._estimate.left(self._clock()))} by what they took before")

    def _started(self, record):
        if record.jobid in self._jobs:
            self._lose(self._failures - {record.jobid})
            self._estimate.begin(self._jobs[record.jobid], self._clock())
        self._progress()

    def _finished(self, record):
        if record.job_id in self._jobs:
            self._estimate.end(self._jobs[record.job_id], self._clock())
        self._progress()

    def _failed(self, record):
        job = self._jobs.get(record.jobid)
        self._line(f"FAILED: {job.name if job else record.rule_name}")
        if record.rule_msg:
            self._line(f"    {record.rule_msg}")
        self._logs(record.log)
        if job:
            self._lose(self._failures | {record.jobid})

    def _failed_together(self, record):
        self._line(f"Sent as one: {', '.join(told['rule_name'] for told in record.job_error_info)}")
        self._logs(record.aux_logs)

    def _logs(self, files):
        for log in files:
            lines = Path(log).read_text(errors="replace").splitlines() if Path(log).is_file() else []
            for line in lines[-LAST:]:
                self._line(f"    {line}")
            self._line(f"    whole: {log}")

    def _lose(self, failures):
        if failures != self._failures:
            self._failures = failures
            self._estimate.lose(beyond(failures, self._jobs))

    def _progress(self):
        now, estimate = self._clock(), self._estimate
        share = estimate.share(now)
        line = f"{share:4.0%}  {len(estimate.taken)} of {len(self._jobs)} jobs, {spoken(estimate.left(now))} left"
        if estimate.running:
            longest = min(estimate.running, key=estimate.running.get)
            line += f"; {longest.stage}: {longest.name}"
            line += f" for {spoken(now - estimate.running[longest])}" if now - estimate.running[longest] >= 1 else ""
        if (reached := int(share * LINES + 1e-9)) > self._said:
            self._said = reached
            self._line(line)
        elif self._live:
            width = os.get_terminal_size(self._stream.fileno()).columns or UNKNOWN_WIDTH
            self._write(f"{CLEAR}{line[: width - 1]}")

    def end(self, lines: Iterable[str]) -> None:
        """Say how long the run took, and how much of that each stage, and then the lines; nothing to whom is gone."""
        of_stage = defaultdict(float)
        for job, seconds in self._estimate.taken.items():
            of_stage[job.stage] += seconds
        with suppress(OSError, ValueError):
            if of_stage:
                each = ", ".join(f"{stage} {spoken(of_stage[stage])}" for stage in STAGES if stage in of_stage)
                took = spoken(self._clock() - self._begun)
                self._line(f"{len(self._estimate.taken)} jobs in {took}; of the cores: {each}")
            for line in lines:
                self._line(line)

    def _line(self, text):
        for line in text.splitlines():
            self._write(f"{CLEAR if self._live else ''}{line}\n")

    def _write(self, text):
        self._stream.write(text)
        self._stream.flush()


_EVENTS = {
    "run_info": Terminal._planned,
    "job_info": Terminal._started,
    "job_finished": Terminal._finished,
    "job_error": Terminal._failed,
    "group_error": Terminal._failed_together,
    **dict.fromkeys(
        ("workflow_started", "shellcmd", "group_info", "job_started", "resources_info", "debug_dag", "progress"),
        lambda terminal, record: None,
    ),
}


def outcome(study: Path) -> Iterator[str]:
    """What came of a finished study, in a few lines: verdicts, and where to look."""
    with suppress(OSError, ValueError, KeyError):  # none, or damaged, which an audit names
        with (study / "claims.csv").open(newline="") as file:
            verdicts = Counter((row["source"], row["verdict"]) for row in csv.DictReader(file))
        for source, title in SOURCES.items():
            counts = [f"{verdicts[source, one]} {one}" for one in VERDICTS if verdicts[source, one]]
            if counts:
                yield f"{title}: {', '.join(counts)}"
    for what, file in (("Report", study / "report.html"), ("Figures", study / "figures")):
        if file.exists():
            yield f"{what}: {file}"
