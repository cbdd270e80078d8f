"""Snakemake's locks are taken away where the run that made them is no more, and left where it lives."""

import subprocess
import sys

import pytest
from conftest import ROOT
from fading.plan.locks import running

HOLD = "import sys; from pathlib import Path; from fading.plan.locks import hold; hold({}, Path({!r}))\n"
WAIT = "print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def process(tmp_path):
    """A function that starts a process that holds on until it is killed."""
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks/0.input.lock").touch()
    started = []

    def start(alone: bool) -> subprocess.Popen:
        command = [sys.executable, "-c", HOLD.format(alone, str(tmp_path)) + WAIT]
        started.append(
            subprocess.Popen(command, cwd=ROOT / "workflow/scripts", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        )
        assert started[-1].stdout.readline() == b"held\n"
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()


def test_a_dead_runs_locks_are_taken_away(process, tmp_path):
    dead = process(alone=False)
    assert running(tmp_path)
    dead.kill()
    dead.wait()
    assert not running(tmp_path)
    process(alone=True)
    assert list((tmp_path / "locks").iterdir()) == []


def test_a_job_takes_none_away(process, tmp_path):
    process(alone=False)
    assert len(list((tmp_path / "locks").iterdir())) == 1


@pytest.mark.parametrize("living", [True, False])
def test_a_living_runs_locks_stay_though_others_looked_on(process, tmp_path, living):
    process(alone=living)
    (tmp_path / "locks/1.output.lock").touch()
    left = len(list((tmp_path / "locks").iterdir()))
    looked = process(alone=True)
    looked.kill()
    looked.wait()
    process(alone=True)
    assert len(list((tmp_path / "locks").iterdir())) == left
