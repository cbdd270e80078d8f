"""The command `fading` wherever people run it: linked results, disks that take nothing, other folders and terminals."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import cli

STUDY, FIGURE = "results/smoke", "results/smoke/figures/loo.png"


def fading(folder: Path, *arguments: str, **options) -> subprocess.CompletedProcess:
    command = [str(Path(sys.executable).parent / "fading"), *arguments]
    return subprocess.run(command, cwd=folder, text=True, check=False, stderr=subprocess.PIPE, **options)


def test_results_may_be_a_link_to_another_disk(copy, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("disk") / "data"
    (copy / "results").rename(elsewhere)
    (copy / "results").symlink_to(elsewhere)
    done = cli(copy, "audit", STUDY)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "as recorded" in cli(copy, "trace", FIGURE).stdout.splitlines()[-1]
    assert "CHANGED" not in cli(copy, "trace", FIGURE).stdout


def test_another_working_folder_makes_no_difference(smoke, tmp_path):
    for arguments in (["audit", STUDY], ["trace", FIGURE]):
        here = cli(smoke, *arguments)
        *options, place = arguments
        there = fading(tmp_path, *options, str(smoke / place), stdout=subprocess.PIPE)
        assert here.returncode == there.returncode == 0
        assert here.stdout.splitlines()[-1] == there.stdout.splitlines()[-1]


@pytest.fixture
def unwritable(copy):
    """A bind mount that takes nothing, for root's permissions hold for nothing."""
    mount = ["mount", "--bind", str(copy), str(copy)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a disk that takes nothing, and not everywhere")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(copy)], check=True)
        yield copy
    finally:
        subprocess.run(["umount", str(copy)], check=True)


def test_a_disk_that_takes_nothing_is_read(unwritable):
    assert fading(unwritable, "audit", STUDY, stdout=subprocess.PIPE).returncode == 0
    assert fading(unwritable, "trace", FIGURE, stdout=subprocess.PIPE).returncode == 0
    compared = fading(unwritable, "compare", STUDY, STUDY, stdout=subprocess.PIPE)
    assert compared.returncode == 0
    assert compared.stdout.splitlines()[-1].startswith("not written: ")
    exported = fading(unwritable, "export", STUDY, "smoke.zip", stdout=subprocess.PIPE)
    assert exported.returncode == 3
    assert "Read-only file system" in exported.stderr
    assert len(exported.stderr.splitlines()) == 1


def test_a_terminal_without_lines_gets_others(smoke):
    ascii_alone = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = fading(smoke, "trace", FIGURE, stdout=subprocess.PIPE, env=ascii_alone)
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "loo-summary.csv" in done.stdout


def test_a_full_disk_for_the_output_is_a_sentence(smoke):
    with Path("/dev/full").open("w") as full:
        done = fading(smoke, "trace", FIGURE, stdout=full)
    assert (done.returncode, done.stderr) == (3, "fading: [Errno 28] No space left on device.\n")


@pytest.mark.parametrize("streams", ["2>&-", ">&-", ">&- 2>&-", "2>/dev/full"])
def test_without_a_place_to_say_why_the_status_says_that_there_is_no_verdict(tmp_path, streams):
    command = f"{Path(sys.executable).parent / 'fading'} audit /nope {streams}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, text=True, check=False, capture_output=True)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) <= 1


def test_who_reads_no_further_is_no_error(smoke):
    read, write = os.pipe()
    os.close(read)
    done = fading(smoke, "trace", FIGURE, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
