"""A short campaign of faults: python tests/faults.py is the long one."""

import re
import shutil
import subprocess
import sys

import pytest
from conftest import snakemake
from fading.artefacts import store
from fading.artefacts.unfinished import KEPT
from faults import campaign, start
from sameness import CRATE, differences


@pytest.mark.slow
def test_a_study_that_is_struck_goes_on_by_itself_to_the_same_bytes(smoke, tmp_path, monkeypatch):
    """Of a finished study some of one case is made again, and with it a table, a figure, verdicts and crate."""
    monkeypatch.setattr("faults.MOMENTS", (0, 4))  # so little is made that a fast machine would be done before the last
    shutil.copytree(smoke, tmp_path / "struck", symlinks=True)
    results = tmp_path / "struck/results/smoke"
    run = results / "logistic-fashion/seed-0"
    again = [*run.glob("influence/**/*.*"), *run.glob("leave-one-out/*.*"), *results.glob("figures/loo.*")]
    again += [results / "tables/loo.csv", results / "claims.csv", results / CRATE]
    targets = [
        str(file.relative_to(tmp_path / "struck"))
        for file in again
        if file.is_file() and not file.name.endswith(".csv.json")
    ]
    for target in targets:
        (tmp_path / "struck" / target).unlink()
        store.sidecar(tmp_path / "struck" / target).unlink(missing_ok=True)
    struck, differing = campaign(tmp_path / "struck", smoke, ["everything", "a_job", "a_full_disk"], 0, *targets)
    assert sum(struck.values()) == 3, "a run was done before its fault came"
    assert differing == []


RUN = "results/smoke/resnet-fashion/seed-0"
IN_PIECES = {  # jobs that are done in pieces: what they write first
    "training/resnet-fashion.0": f"{RUN}/checkpoints.safetensors",
    "training/bert-adamw-reviews.0": "results/smoke/bert-adamw-reviews/seed-0/checkpoints.safetensors",
    "retraining/resnet-fashion.0.0": f"{RUN}/leave-one-out/0.safetensors",
    "removed/resnet-fashion.0.0": f"{RUN}/removal/0.safetensors",
    "flips/resnet-fashion.0": f"{RUN}/removal/flips.parquet",
    "memory/resnet-fashion.0": f"{RUN}/memory/ages.parquet",
}


@pytest.mark.slow
@pytest.mark.parametrize("job", IN_PIECES)
def test_a_job_goes_on_where_it_was(smoke, tmp_path, job):
    """Something is in the way of what it writes last, when all pieces are done."""
    folder = tmp_path / "full"
    shutil.copytree(smoke, folder, symlinks=True)
    output = folder / IN_PIECES[job]
    whole = output.read_bytes()
    output.unlink()
    in_the_way = output.with_name(f".part-{output.name}")
    in_the_way.mkdir()
    assert start(folder, IN_PIECES[job]).wait() != 0
    assert not output.exists()
    in_the_way.rmdir()
    pieces = {path.parent.name for path in (folder / KEPT).rglob("*") if path.suffix in store.READERS}
    assert len(pieces) > 1
    assert start(folder, IN_PIECES[job]).wait() == 0, (folder / "log").read_text()[-5000:]
    said = (folder / f"results/smoke/logs/{job}.log").read_text()
    assert set(re.findall(r"^(\S+): done by an earlier try of this job$", said, re.M)) == pieces
    assert output.read_bytes() == whole
    assert not [path for path in (folder / KEPT).rglob("*") if path.is_file()]


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
