"""What is told of a run: few lines, each of use, and never an error of its own."""

import io
import json
import logging
import os
import pty
import termios
from enum import Enum

import pytest
from fading.runs.terminal import LAST, Terminal, outcome
from fading.runs.times import Ahead


class Event(Enum):
    """As Snakemake's."""

    PLANNED, STARTED, FINISHED, FAILED = "run_info", "job_info", "job_finished", "job_error"
    TOGETHER, OTHER, ERROR = "group_error", "shellcmd", "error"


JOBS = {
    number: Ahead(
        f"scores {number}", "influence" if number < 30 else "figures", "scores", f"results/own/times/{number}"
    )
    for number in range(40)
}


class Run:
    """A run of which a terminal is told, on a clock of its own."""

    def __init__(self, stream, root):
        self.now = 0.0
        reference = root / "results/reference/own"
        reference.mkdir(parents=True)
        (reference / "costs.json").write_text(json.dumps({"jobs": {str(number): 8.0 for number in JOBS}}))
        self.terminal = Terminal(lambda: JOBS, root, "own", lambda: 1, stream, lambda: self.now)

    def tell(self, event=None, message="", level=logging.INFO, **of):
        record = logging.LogRecord("snakemake", level, "", 0, message, None, None)
        record.__dict__.update({"event": event} if event else {}, **of)
        self.terminal.handle(record)

    def whole(self):
        self.tell(Event.PLANNED)
        for number in JOBS:
            self.tell(Event.STARTED, jobid=number)
            self.now += 10
            self.tell(Event.FINISHED, job_id=number)


def test_a_run_is_a_line_for_each_twentieth_of_its_work(tmp_path):
    said = io.StringIO()
    run = Run(said, tmp_path)
    run.whole()
    run.terminal.end(["Report: there"])
    first, foreseen, *lines, took, last = said.getvalue().splitlines()
    assert first == "40 jobs: influence 30, figures 10"
    assert foreseen == "7 min by what they took before"
    assert len(lines) == 20
    assert lines[0] == "  5%  2 of 40 jobs, 6 min left"
    assert lines[-1] == "100%  40 of 40 jobs, 0 s left"
    assert took == "40 jobs in 7 min; of the cores: influence 5 min, figures 2 min"
    assert last == "Report: there"


def test_what_runs_longest_is_named_with_its_stage(tmp_path):
    said = io.StringIO()
    run = Run(said, tmp_path)
    run.tell(Event.PLANNED)
    run.tell(Event.STARTED, jobid=3)
    run.now = 90
    run.tell(Event.STARTED, jobid=4)
    for number in (5, 6):
        run.tell(Event.STARTED, jobid=number)
        run.now += 10
        run.tell(Event.FINISHED, job_id=number)
    assert "; influence: scores 3 for 2 min\n" in said.getvalue()


def test_a_failure_is_its_log_and_what_to_do(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    said = io.StringIO()
    run = Run(said, tmp_path)
    run.tell(Event.PLANNED)
    run.tell(Event.STARTED, jobid=3)
    logs, why = [str(log), str(tmp_path / "none")], "its memory was short"
    run.tell(Event.FAILED, level=logging.ERROR, jobid=3, rule_name="scores", rule_msg=why, log=logs)
    failed, reason, *lines = said.getvalue().splitlines()[2:]
    assert (failed, reason) == ("FAILED: scores 3", f"    {why}")
    assert lines[:LAST] == [f"    line {number}" for number in range(100 - LAST, 100)]
    assert lines[LAST:] == [
        f"    whole: {log}",
        f"    whole: {tmp_path / 'none'}",
    ]


def test_jobs_that_were_sent_as_one_fail_with_the_log_of_what_ran_them(tmp_path):
    log = tmp_path / "of-the-cluster.log"
    log.write_text("killed: out of memory\n")
    said = io.StringIO()
    of = {"groupid": 1, "aux_logs": [str(log)], "job_error_info": [{"rule_name": "scores"}, {"rule_name": "memory"}]}
    Run(said, tmp_path).tell(Event.TOGETHER, level=logging.ERROR, **of)
    assert said.getvalue().splitlines() == [
        "Sent as one: scores, memory",
        "    killed: out of memory",
        f"    whole: {log}",
    ]


def test_a_job_that_is_tried_again_is_counted_as_any(tmp_path, capsys):
    said = io.StringIO()
    run = Run(said, tmp_path)
    run.tell(Event.PLANNED)
    for _ in range(2):
        run.tell(Event.STARTED, jobid=3)
        run.now += 1
        run.tell(Event.FAILED, level=logging.ERROR, jobid=3, rule_name="scores", rule_msg="", log=[])
    for number in JOBS:
        run.tell(Event.STARTED, jobid=number)
        run.now += 10
        run.tell(Event.FINISHED, job_id=number)
    assert said.getvalue().splitlines()[-1] == "100%  40 of 40 jobs, 0 s left"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("event", "message", "level", "told"),
    [
        (None, "Select jobs to execute...", logging.INFO, ""),
        (None, "Job 12 has been submitted with SLURM jobid 7 (log: logs/7.log).", logging.INFO, ""),
        (None, "Activating conda environment: .snakemake/conda/a1_", logging.INFO, ""),
        (None, "Nothing to be done (all is there).", logging.INFO, "Nothing to be done (all is there).\n"),
        (None, "Unlocked working directory.", logging.INFO, "Unlocked working directory.\n"),
        (None, "Some rule is odd.", logging.WARNING, "Some rule is odd.\n"),
        (Event.ERROR, "cases: found nonsense", logging.ERROR, "cases: found nonsense\n"),
        (Event.OTHER, "python -c", logging.INFO, ""),
    ],
)
def test_of_all_else_only_what_somebody_needs_is_said(event, message, level, told, tmp_path):
    said = io.StringIO()
    Run(said, tmp_path).tell(event, message, level)
    assert said.getvalue() == told


def test_on_a_terminal_the_last_line_is_written_over_and_fits(tmp_path):
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 30))
    with os.fdopen(slave, "w") as stream:
        Run(stream, tmp_path).whole()
    said = b""
    while chunk := _read(master):
        said += chunk
    lines = said.decode().replace("\r\n", "\n").split("\x1b[K")
    assert len(lines) > 40
    assert sum("\n" in line for line in lines) <= 25
    assert max(len(line.strip("\r")) for line in lines if "\n" not in line) == 29
    os.close(master)


def _read(master):
    try:
        return os.read(master, 4096)
    except OSError:  # all is read
        return b""


def test_a_terminal_that_fails_does_not_end_the_run(capsys, tmp_path):
    closed = io.StringIO()
    run = Run(closed, tmp_path)
    closed.close()
    run.tell(None, "Nothing to be done", logging.INFO)
    assert "ValueError" in capsys.readouterr().err


def test_the_outcome_is_verdicts_and_where_to_look(tmp_path):
    assert list(outcome(tmp_path)) == []
    rows = ["paper,supported", "paper,supported", "paper,void", "control,not tested"]
    (tmp_path / "claims.csv").write_text("\n".join(["source,verdict", *rows]) + "\n")
    (tmp_path / "figures").mkdir()
    assert list(outcome(tmp_path)) == [
        "The paper's claims: 2 supported, 1 void",
        "Controls: 1 not tested",
        f"Figures: {tmp_path / 'figures'}",
    ]
