"""How far a study is, by `fading status`; and what the shell completes."""

import shutil
import subprocess

import pytest
from conftest import ROOT, cli
from fading.plan.jobs import STUDY, jobs
from fading.plan.plan import read_plan
from fading.provenance.folder import CRATE, StudyFolder
from fading.provenance.status import STATES, status


def by_stage(folder):
    return status(StudyFolder(str(folder / "results/smoke"))).set_index("stage")


def test_of_a_finished_study_every_job_is_done(smoke):
    table = by_stage(smoke)
    assert table.jobs["all"] == len(jobs(read_plan(smoke, "config/smoke.yaml"), STUDY))
    assert table.done.equals(table.jobs.rename("done"))
    assert table.seconds.sum() == 0
    retrain = {"continuation_batches", "path", "proximal", "removed", "retraining", "up_weighting"}
    planned = [job.rule for job in jobs(read_plan(smoke, "config/smoke.yaml"), STUDY)]
    assert table.jobs["retrain"] == sum(rule in retrain for rule in planned)
    assert [*table.index] == [
        *("data", "train", "influence", "retrain", "effects", "assumptions", "correction", "figures", "provenance"),
        "all",
    ]


def test_what_is_missing_takes_what_it_took_with_all_that_stands_on_it(copy):
    (copy / "results/smoke/resnet-fashion/seed-0/regimes/calm/up-weighting/0.safetensors").unlink()
    table = by_stage(copy)
    assert table.missing.to_dict() == dict.fromkeys(table.index, 0) | {"retrain": 1, "all": 1}
    assert table.outdated[["data", "train", "influence", "retrain", "correction"]].sum() == 0
    assert (table.outdated[["effects", "assumptions", "figures", "provenance"]] > 0).all()
    assert (table[[*STATES]].sum(axis=1) == table.jobs).all()
    assert 0 < table.seconds["all"] < table.seconds.drop("all").sum()
    told = cli(copy, "status", "results/smoke").stdout.splitlines()
    assert len(told) == len(table) + 1
    assert told[-1].split()[0] == "all"


@pytest.mark.parametrize("file", ["figures/loo.png", "resnet-fashion/seed-0/curve.parquet", "tables/loo.csv"])
def test_a_job_is_not_done_if_one_of_its_files_is_gone(copy, file):
    (copy / "results/smoke" / file).unlink()
    table = by_stage(copy)
    assert table.missing["all"] == 1
    assert table.outdated["provenance"] == 1, "the crate lists it"


def test_what_was_made_from_a_file_that_is_gone_is_not_done_before_there_is_a_crate(copy):
    (copy / f"results/smoke/{CRATE}").unlink()
    (copy / "results/smoke/resnet-fashion/seed-0/checkpoints.safetensors").unlink()
    table = by_stage(copy)
    assert table.missing["provenance"] == 1
    assert (table.outdated[["influence", "retrain", "effects", "assumptions", "figures"]] > 0).all()


def test_what_is_outdated_is_told_from_what_is_missing(copy):
    lock = copy / "envs/study.lock"
    text = lock.read_text()
    lock.unlink()
    lock.write_text(text + "# another\n")
    table = by_stage(copy)
    assert (table.outdated["all"], table.missing["all"]) == (table.jobs["all"], 0)


def test_of_what_has_not_begun_all_is_missing(tmp_path):
    for part in ("Snakefile", "workflow", "config", "envs"):
        (tmp_path / part).symlink_to(ROOT / part)
    (tmp_path / "results/smoke").mkdir(parents=True)
    table = by_stage(tmp_path)
    assert (table.missing == table.jobs).all()


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not here")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["fading", "au"], ["audit"]),
        (["fading", "audit", "--re"], ["--reexecute"]),
        (["fading", "correct", "resnet-fashion", "--st"], ["--study", "--steps"]),
        (["fading", "audit", "res"], []),
    ],
)
def test_a_shell_completes_commands_and_their_options(words, offered):
    script = cli(ROOT, "completion", "bash").stdout
    asked = f"{script}\nCOMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _fading; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == offered
