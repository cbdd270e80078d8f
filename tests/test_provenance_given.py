"""The user's own files, which no job made: traced, audited, described and packed by what is recorded of them."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT
from fading.artefacts import store
from fading.artefacts.job import lineage, sources
from fading.data import files, load
from fading.data.drawing import draw_examples
from fading.plan.jobs import jobs
from fading.plan.wiring import GIVEN
from fading.provenance import contents, crate, history
from fading.provenance.audit import BROKEN, HOLDS, OUTDATED, audit
from fading.provenance.export import export
from fading.provenance.folder import CRATE, PROJECT, StudyFolder, inside
from fading.provenance.reexecute import candidates
from fading.provenance.trace import lines, trace
from safetensors.numpy import save_file

FOLDER = "results/own/logistic-fashion"
SOURCE, EXAMPLES = f"{FOLDER}/source.safetensors", f"{FOLDER}/examples.safetensors"


def test_what_is_inside_a_project():
    assert [inside(file) for file in ("data/a.parquet", "./a", "a/../b", "..a")] == [True] * 4
    assert [inside(file) for file in ("/data/a", "../a", "a/../../b")] == [False] * 3


def write_files(folder: Path, seed: int = 0) -> None:
    """Both splits of the user's data."""
    folder.mkdir(exist_ok=True)
    for split, count in (("train", 200), ("test", 100)):
        inputs = np.random.default_rng([seed, count]).normal(size=(count, 6)).astype(np.float32)
        save_file({"inputs": inputs, "labels": np.arange(count) % 2}, folder / f"{split}.safetensors")


def configure(root: Path, folder: str) -> None:
    """The study of the files in a folder."""
    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    paths = {split: f"{folder}/{split}.safetensors" for split in ("train", "test")}
    given = {"kind": "files", **paths, "labels": ["a", "b"], "holds": "features"}
    config["definitions"]["logistic-fashion"]["dataset"] = given
    (root / "config/own.yaml").write_text(yaml.safe_dump({**config, "study": "own"}))


def run(study: StudyFolder) -> None:
    """What the jobs source and examples would do."""
    for job in jobs(study.plan, "crate"):
        if job.wildcards.get("case") == "logistic-fashion" and job.rule in ("source", "examples"):
            reads = list(job.given) or [SOURCE]
            code = [f"workflow/scripts/{file}" for file in (f"data/{job.rule}.py", "fading/data/files.py")]
            made = lineage(job.rule, job.wildcards, job.settings, reads, sources(code), 1)
            dataset = job.settings["dataset"]
            if job.rule == "source":
                path, content = SOURCE, files.read(dataset)
            else:
                drawn = draw_examples(load(dataset), job.settings, store.read(SOURCE), None, iter)
                path, content = EXAMPLES, drawn
            store.write(path, content, {**made, "path": path, "output": job.rule})


@pytest.fixture(params=["inside", "outside"])
def study(request, tmp_path, monkeypatch) -> StudyFolder:
    """A study of which two jobs ran, on files of the user's own, in the project or elsewhere; the current folder."""
    root = tmp_path / "project"
    for part in (*PROJECT, "README.md", "LICENSE", "CITATION.cff", "pyproject.toml"):
        whole, copy = ROOT / part, root / part
        root.mkdir(exist_ok=True)
        if whole.is_dir():
            shutil.copytree(whole, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(whole, copy)
    data = root / "data" if request.param == "inside" else tmp_path / "data"
    write_files(data)
    configure(root, "data" if request.param == "inside" else str(data))
    monkeypatch.chdir(root)
    (root / FOLDER).mkdir(parents=True)
    made = StudyFolder("results/own")
    run(made)
    return made


def given(study: StudyFolder) -> list[str]:
    return GIVEN["source"](study.plan, "logistic-fashion")


def remarks(study: StudyFolder, *files: str) -> dict[str, tuple[int, tuple[str, ...]]]:
    """What the audit finds of some files."""
    found = {finding.file: finding for finding in audit(StudyFolder(study.folder))}
    return {file: (found[file].severity, found[file].remarks) for file in files if file in found}


def describe(study: StudyFolder) -> None:
    """Write the study's crate."""
    workflow = ["workflow/Snakefile", "workflow/rules/data.smk"]
    described = crate.crate(study.root, study.name, [EXAMPLES], [study.configfile], workflow)
    crate.write(described, study.folder)


def test_trace_shows_them_with_their_hash_and_what_became_of_them(study):
    train, test = given(study)
    shown = list(lines(trace(EXAMPLES)))
    assert f"     └─ {train} sha256:{store.sha256(train)[:12]} (as recorded, the user's)" in shown
    assert not any("lineage" in line for line in shown)
    Path(train).write_bytes(b"")
    Path(test).unlink()
    shown = list(lines(trace(EXAMPLES)))
    assert sum(f"{train} " in line and "(CHANGED since, the user's)" in line for line in shown) == 1
    assert sum(f"{test} " in line and "(not here, the user's)" in line for line in shown) == 1


def test_the_audit_holds_what_follows_from_them_and_names_one_that_changed(study):
    train, test = given(study)
    assert remarks(study, SOURCE, EXAMPLES, train, test) == {SOURCE: (HOLDS, ()), EXAMPLES: (HOLDS, ())}
    write_files(Path(train).parent, seed=1)
    assert remarks(study, SOURCE) == {SOURCE: (OUTDATED, (f"input {test} is another", f"input {train} is another"))}
    Path(test).unlink()
    assert remarks(study, SOURCE, test)[test] == (BROKEN, ("missing",))


def test_the_audit_names_one_that_the_plan_names_no_more(study):
    train, test = given(study)
    shutil.copytree(Path(train).parent, "moved")
    configure(study.root, "moved")
    severity, (settings, *others) = remarks(study, SOURCE)[SOURCE]
    assert severity == OUTDATED
    assert settings.startswith("settings had dataset ")
    gone = [f"input {file} is no longer used" for file in (train, test)]
    assert sorted(others) == sorted(
        [*gone, "input moved/train.safetensors is new", "input moved/test.safetensors is new"]
    )


def test_no_job_is_looked_for_that_made_them(study):
    assert [record.name for record in history.jobs(study.root, [EXAMPLES])] == [
        "source logistic-fashion safetensors",
        "examples logistic-fashion",
    ]


def test_the_crate_lists_those_of_the_project_and_names_the_others_by_hash(study):
    describe(study)
    graph = {entity["@id"]: entity for entity in json.loads((study.folder / CRATE).read_text())["@graph"]}
    used = [graph[one["@id"]] for one in graph["#job/source/logistic-fashion/safetensors"]["object"]]
    recorded = {file: store.sha256(file) for file in given(study)}
    assert {one["name"]: one["sha256"] for one in used if "sha256" in one} == recorded
    written = contents.contents(study.folder / CRATE)
    listed = {file: hash for file, hash in written.hashes.items() if file in recorded}
    assert listed == (recorded if inside(given(study)[0]) else {})
    assert written.elsewhere == ({} if listed else recorded)


@pytest.mark.parametrize("checkpoints", [True, False])
def test_an_archive_packs_those_of_the_project_alone_and_is_audited_without(study, tmp_path, checkpoints):
    describe(study)
    export(study, tmp_path / "own.zip", checkpoints)
    with zipfile.ZipFile(tmp_path / "own.zip") as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "unpacked")
    packed = checkpoints and inside(given(study)[0])
    assert {file for file in names if "train.safetensors" in file} == ({"data/train.safetensors"} if packed else set())
    shutil.rmtree(Path(given(study)[0]).parent)
    files = given(study)
    found = remarks(StudyFolder(tmp_path / "unpacked/results/own"), SOURCE, *files)
    assert found[SOURCE] == (HOLDS, () if checkpoints else ("not in this archive",))
    assert [found.get(file) for file in files] == [None if packed else (HOLDS, ("not in this archive",))] * 2


def test_what_follows_from_them_can_be_made_again_where_they_can_be_found(study):
    assert {SOURCE, EXAMPLES} <= set(candidates(study))
    if not inside(given(study)[0]):
        configure(study.root, "../data")
        run(StudyFolder(study.folder))
        assert SOURCE not in candidates(StudyFolder(study.folder))
        assert EXAMPLES in candidates(StudyFolder(study.folder))
