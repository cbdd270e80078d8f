"""A short campaign of faults: python tests/faults.py is the long one."""

import shutil
import subprocess
import sys

import pytest
from conftest import snakemake
from fading.artefacts.unfinished import KEPT
from faults import campaign, ended, everything, start
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


@pytest.mark.slow
def test_a_job_that_was_killed_goes_on_where_it_was(smoke, tmp_path):
    folder, flips = tmp_path / "killed", "results/smoke/resnet-fashion/seed-0/removal/flips.parquet"
    shutil.copytree(smoke, folder, symlinks=True)
    (folder / flips).unlink()
    run = start(folder, flips)
    while not (pieces := [path for path in folder.glob(f"{KEPT}/**/test-*") if path.is_dir()]):
        assert run.poll() is None, (folder / "log").read_text()[-5000:]
    everything(run, folder)
    assert ended(run, 60)
    assert not (folder / flips).exists()
    assert start(folder, flips).wait() == 0, (folder / "log").read_text()[-5000:]
    said = (folder / "results/smoke/logs/flips/resnet-fashion.0.log").read_text()
    assert said == f"{pieces[0].name}: done by an earlier try of this job\n"
    assert (folder / flips).read_bytes() == (smoke / flips).read_bytes()
    assert not list(folder.glob(f"{KEPT}/**/test-*"))


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
