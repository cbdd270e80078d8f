"""How long jobs took, and how long those to come will take."""

import csv
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

STAGES = (  # as a study goes through them, and as its rules' files are called
    *("data", "train", "influence", "retrain", "effects", "assumptions", "correction"),
    *("figures", "peers", "provenance"),
)
STARTING = 2.0  # seconds that a job takes beside what Snakemake measures of it
FAMILIAR = 30.0  # seconds of work in which an earlier run's pace is believed


@dataclass(frozen=True)
class Ahead:
    """A job to come: what it is called, its stage and rule, its file of times if any, the jobs that it waits for."""

    name: str
    stage: str
    rule: str
    times: str | None = None
    after: frozenset[int] = frozenset()


def measured(times: Path) -> float | None:
    """The seconds in a file of Snakemake's, or None where there is no such file or it is not whole."""
    try:
        *_, last = csv.DictReader(times.read_text().splitlines(), delimiter="\t")
        return float(last["s"])
    except (OSError, ValueError, KeyError):
        return None


def of_the_reference(root: Path, study: str) -> dict[str, float]:
    """The seconds of each job of the study's committed reference, by its file of times; none where that has none."""
    try:
        return json.loads((root / "results/reference" / study / "costs.json").read_text())["jobs"]
    except (OSError, ValueError, KeyError):
        return {}


def expected(jobs: Iterable[Ahead], root: Path, study: str) -> dict[Ahead, float | None]:
    """The seconds that each job took last, here or else in the committed reference; None where nobody knows."""
    committed, folder = of_the_reference(root, study), f"results/{study}/times/"
    return {
        job: (measured(root / job.times) or committed.get(job.times.removeprefix(folder))) if job.times else 0.0
        for job in jobs
    }


def beyond(failed: set[int], jobs: Mapping[int, Ahead]) -> set[Ahead]:
    """The failed jobs, and all that wait for one of them, directly or not: they are not to come."""
    lost, before = failed, set()
    while lost != before:
        lost, before = lost | {number for number, job in jobs.items() if job.after & lost}, lost
    return {jobs[number] for number in lost}


@dataclass
class Estimate:
    """The time left of a run, from what its jobs took before, corrected by what they take now.

    `known` has the seconds of each job, or None; `lanes` is how many go on at once; `lost` are not to come.
    """

    known: Mapping[Ahead, float | None]
    lanes: int
    running: dict[Ahead, float] = field(default_factory=dict)
    taken: dict[Ahead, float] = field(default_factory=dict)
    lost: set[Ahead] = field(default_factory=set)

    def begin(self, job: Ahead, now: float) -> None:
        """A job begins at `now`, in seconds of whatever clock."""
        self.running[job] = now

    def end(self, job: Ahead, now: float) -> None:
        """It has ended."""
        self.taken[job] = now - self.running.pop(job, now)

    def lose(self, lost: set[Ahead]) -> None:
        """Of all jobs these are lost, for now: one that failed may be tried again."""
        self.lost = lost
        self.running = {job: begun for job, begun in self.running.items() if job not in lost}

    def left(self, now: float) -> float:
        """Seconds until the last job ends: what is left of all, shared among the lanes, or of the longest alone.

        NaN as long as nobody knows how long any of them takes.
        """
        if not self.taken and all(seconds is None for seconds in self.known.values()) and self.known:
            return math.nan
        each = self._seconds()
        elsewhere = {*self.taken, *self.running, *self.lost}
        left = [each[job] for job in self.known if job not in elsewhere]
        left += [max(each[job] - (now - begun), 0.0) for job, begun in self.running.items()]
        return max(sum(left) / self.lanes, max(left, default=0.0))

    def share(self, now: float) -> float:
        """Which part of the run's work is done, from 0 to 1."""
        each = self._seconds()
        total = sum(each.values())
        done = sum(each[job] for job in self.taken)
        done += sum(min(now - begun, each[job]) for job, begun in self.running.items())
        return done / total if total else 1.0

    def _seconds(self):
        """What each job takes at this run's pace; one that nobody knows as others of its rule or stage, or as all."""
        before = {job: STARTING + seconds for job, seconds in self.known.items() if seconds is not None}
        compared = [(before[job], seconds) for job, seconds in self.taken.items() if job in before]
        pace = (FAMILIAR + sum(now for _, now in compared)) / (FAMILIAR + sum(then for then, _ in compared))
        likely = {job: seconds * pace for job, seconds in before.items()} | self.taken
        alike = defaultdict(list)
        for job, seconds in likely.items():
            for kind in (job.rule, job.stage, None):
                alike[kind].append(seconds)
        means = {kind: fmean(seconds) for kind, seconds in alike.items()} or {None: STARTING}
        return {job: likely.get(job, means.get(job.rule, means.get(job.stage, means[None]))) for job in self.known}


def spoken(seconds: float) -> str:
    """A time as people say it."""
    if math.isnan(seconds):
        return "unknown"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
