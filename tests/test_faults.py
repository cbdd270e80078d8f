"""A short campaign of faults: python tests/faults.py is the long one."""

import shutil
import subprocess
import sys

import pytest
from conftest import snakemake
from faults import campaign
from sameness import CRATE, differences


@pytest.mark.slow
def test_a_study_that_is_struck_goes_on_by_itself_to_the_same_bytes(smoke, tmp_path):
    """Of a finished study, one case and what joins all cases is made again."""
    shutil.copytree(smoke, tmp_path / "struck", symlinks=True)
    for part in ("logistic-fashion", "tables", "figures"):
        shutil.rmtree(tmp_path / "struck/results/smoke" / part)
    (tmp_path / "struck/results/smoke" / CRATE).unlink()
    struck, differing = campaign(tmp_path / "struck", smoke, ["everything", "a_job", "a_full_disk"], seed=0)
    assert sum(struck.values()) == 3
    assert differing == []


@pytest.mark.campaign
def test_figures_drawn_again_and_again_are_the_same_bytes(smoke, tmp_path):
    """In a fresh process each, while others keep the machine busy: a layout is a matter of memory addresses."""
    shutil.copytree(smoke, tmp_path / "again", symlinks=True)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        for _ in range(20):
            shutil.rmtree(tmp_path / "again/results/smoke/figures")
            snakemake(tmp_path / "again", "--cores", "2", "figures")
            assert differences(smoke / "results/smoke/figures", tmp_path / "again/results/smoke/figures") == []
    finally:
        for process in busy:
            process.kill()
            process.wait()
