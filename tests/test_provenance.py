"""Whatever is done to a study's files, code, configuration or environment: the audit catches and names it."""

import json
import os
import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import ROOT, snakemake
from fading.artefacts import store
from fading.plan.jobs import PlannedJob, jobs
from fading.provenance.audit import BROKEN, HOLDS, OUTDATED, audit
from fading.provenance.compare import compare
from fading.provenance.contents import contents
from fading.provenance.differences import DIFFERENT, IDENTICAL, WITHIN, compare_files
from fading.provenance.export import export
from fading.provenance.folder import CRATE, LEFT_OUT, StudyFolder
from fading.provenance.reexecute import candidates, reexecute
from fading.provenance.trace import lines, trace

RUN = "results/smoke/resnet-fashion/seed-0"
CHECKPOINTS, CURVE = f"{RUN}/checkpoints.safetensors", f"{RUN}/curve.parquet"
TABLE, FIGURE = "results/smoke/tables/loo-summary.csv", "results/smoke/figures/fading.png"


def fading(*arguments, folder: Path) -> subprocess.CompletedProcess:
    command = [str(Path(sys.executable).parent / "fading"), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def planned(smoke) -> list[PlannedJob]:
    return jobs(StudyFolder(smoke / "results/smoke").plan, "crate")


@pytest.fixture
def findings(copy):
    """What the audit finds in the copy, by file, but for what holds."""

    def found() -> dict:
        study = StudyFolder(copy / "results/smoke")
        return {finding.file: finding for finding in audit(study) if finding.severity != HOLDS}

    return found


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def flip(path: Path, place: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1
    replace(path, data)


def rewrite(path: Path) -> None:
    """Another content under the same lineage, sealed as the workflow would."""
    content, lineage = store.read(path), store.lineage(path)
    for name in content:
        if content[name].dtype.kind == "f":
            content[name] = content[name] * 1.5
    path.unlink()
    if path.suffix == ".csv":
        store.sidecar(path).unlink()
    store.write(path, content, lineage)


def test_a_fresh_study_holds(smoke):
    refused = fading("audit", "results/smoke", "--reexecute", "5", folder=smoke)
    assert refused.returncode == 3
    assert "which is not this clone; --trust is accepted where you would" in refused.stderr
    done = fading("audit", "results/smoke", "--reexecute", "5", "--trust", folder=smoke)
    assert done.returncode == 0, done.stdout + done.stderr
    total, *again, made, odds = done.stdout.splitlines()
    assert re.fullmatch(r"One that was altered would have been among them in \d\.\d% of such draws from \d{3}\.", odds)
    assert made == "5 made again: 5 with the same bytes"
    assert len(again) == 5
    assert all(line.endswith("recomputed, the same bytes") for line in again)
    assert total.endswith("hold, 0 outdated, 0 broken")


def test_a_figure_recomputes_from_its_table(smoke):
    study = StudyFolder(smoke / "results/smoke")
    files = candidates(study)
    seed = next(seed for seed in range(999) if random.Random(seed).sample(files, 1)[0].endswith(".png"))
    (finding,) = reexecute(study, 1, seed)
    assert (finding.severity, finding.remarks) == (HOLDS, ("recomputed, the same bytes",))


@pytest.mark.parametrize("file", [CHECKPOINTS, CURVE, FIGURE, f"results/smoke/{CRATE}"])
def test_one_flipped_byte_is_named(copy, findings, file):
    flip(copy / file)
    assert findings()[file].severity == BROKEN


def test_an_edited_number_of_a_table_is_named(copy, findings):
    frame = pd.read_csv(copy / TABLE)
    frame.loc[0, "spearman"] = 0.99
    replace(copy / TABLE, frame.to_csv(index=False).encode())
    said, *_ = findings()[TABLE].remarks
    assert said == "is not as it was written: its content or lineage does not match its seal"


@pytest.mark.parametrize("file", [CHECKPOINTS, TABLE])
def test_a_header_rewritten_without_the_content_is_named(copy, findings, file):
    header = store.sidecar(copy / file) if file.endswith(".csv") else copy / file
    data = header.read_bytes()
    assert data.count(b"threads") == 1
    replace(
        header, data.replace(b"threads", b"threadz", 1).replace(b"device", b"threads", 1).replace(b"threadz", b"device")
    )
    assert findings()[file].severity == BROKEN


def test_a_deleted_and_an_added_file_are_named(copy, findings):
    (copy / CURVE).unlink()
    (copy / RUN / "curve-2.parquet").write_bytes(b"")
    found = findings()
    assert found[CURVE].remarks == ("missing",)
    assert found[f"{RUN}/curve-2.parquet"].remarks == ("unaccounted for",)
    assert {one.severity for one in found.values() if one.file != f"results/smoke/{CRATE}"} == {BROKEN}


def test_files_swapped_between_seeds_are_named(copy, findings):
    other = CHECKPOINTS.replace("seed-0", "seed-0-order-1")
    for one, two in ((CHECKPOINTS, "aside"), (other, CHECKPOINTS), ("aside", other)):
        os.rename(copy / one, copy / two)
    found = findings()
    assert f"was written as {other}" in found[CHECKPOINTS].remarks
    assert f"was written as {CHECKPOINTS}" in found[other].remarks
    assert found[CHECKPOINTS].severity == found[other].severity == BROKEN


def test_an_edited_module_outdates_what_ran_it(copy, findings):
    module = "workflow/scripts/fading/influence/abif.py"
    with (copy / module).open("a") as file:
        file.write("\n# changed\n")
    found = findings()
    assert {one.severity for one in found.values()} == {OUTDATED}
    assert found[f"{RUN}/influence/abif/4.safetensors"].remarks == (f"code {module} is another",)
    assert f"{RUN}/influence/ekfac/8.safetensors" not in found
    assert CHECKPOINTS not in found


def test_an_edited_setting_outdates_what_it_enters(copy, findings):
    config = copy / "config/smoke.yaml"
    edited = yaml.safe_load(config.read_text())
    edited["definitions"]["resnet-fashion"]["influence"]["damping"] = 20
    config.write_text(yaml.safe_dump(edited))
    found = findings()
    assert found[f"{RUN}/proximal.safetensors"].remarks == ("settings had damping 10, now 20",)
    (options,) = found[f"{RUN}/influence/abif/8.safetensors"].remarks
    assert options == 'settings had options {"damping": 10}, now {"damping": 20}'
    assert {one.severity for one in found.values()} == {OUTDATED}
    assert CHECKPOINTS not in found


def test_a_case_taken_away_or_added_shows_in_its_jobs_and_in_what_joins_them(copy, findings):
    config = copy / "config/smoke.yaml"
    edited = yaml.safe_load(config.read_text())
    edited["cases"] = ["resnet-fashion", "bert-reviews", "bert-adamw-reviews", "logistic-reviews"]
    edited["assumptions"]["cases"] = ["resnet-fashion"]
    config.write_text(yaml.safe_dump(edited))
    found = findings()
    table = found["results/smoke/tables/fading.csv"]
    assert table.severity == OUTDATED
    gone = "results/smoke/logistic-fashion/seed-0/regimes/calm/fading.parquet"
    assert set(table.remarks) == {
        f"input {gone} is no longer used",
        "input fading of fading logistic-reviews calm 0 is new",
    }
    assert found[gone].remarks == ("was made by fading logistic-fashion calm 0, which the study does not have now",)
    assert found["results/smoke: what training logistic-reviews 0 makes"].remarks == ("missing",)


def test_a_run_left_out_of_a_table_is_named(copy, findings):
    frame, lineage = (
        store.read(copy / "results/smoke/tables/fading.csv"),
        store.lineage(copy / "results/smoke/tables/fading.csv"),
    )
    left_out = "results/smoke/bert-reviews/seed-0/regimes/calm/fading.parquet"
    del lineage["inputs"][left_out]
    for file in ("fading.csv", "fading.csv.json"):
        (copy / "results/smoke/tables" / file).unlink()
    store.write(copy / "results/smoke/tables/fading.csv", frame[frame.case != "bert-reviews"], lineage)
    assert "input fading of fading bert-reviews calm 0 is new" in findings()["results/smoke/tables/fading.csv"].remarks


def test_another_output_of_the_same_job_in_its_place_is_named(copy, findings):
    table = copy / "results/smoke/tables/stability-summary.csv"
    content, lineage = store.read(table), store.lineage(table)
    ours, other = (f"{RUN}/stability/{name}.parquet" for name in ("statistics", "solutions"))
    del lineage["inputs"][ours]
    lineage["inputs"][other] = store.sha256(copy / other)
    for file in (table, store.sidecar(table)):
        file.unlink()
    store.write(table, content, lineage)
    remarks = findings()["results/smoke/tables/stability-summary.csv"].remarks
    assert f"input {other} is no longer used" in remarks
    assert "input statistics of stability resnet-fashion 0 is new" in remarks


def test_strays_and_damaged_files_are_not_made_again_and_do_not_stop_the_rest(copy):
    study = StudyFolder(copy / "results/smoke")
    before = candidates(study)
    (copy / "results/smoke/figures/mine.png").write_bytes(b"no picture")
    os.link(copy / CURVE, copy / RUN / "curve-2.parquet")
    (copy / FIGURE).unlink()
    (copy / FIGURE).write_bytes(b"damaged")
    assert set(before) - set(candidates(study)) == {FIGURE}
    assert set(candidates(study)) < set(before)


def test_another_lock_outdates_everything(copy, findings):
    with (copy / "envs/study.lock").open("a") as file:
        file.write("# changed\n")
    found = findings()
    assert {one.severity for one in found.values()} == {OUTDATED}
    assert found[CHECKPOINTS].remarks == ("environment: envs/study.lock is another",)
    files = (str(path.relative_to(copy)) for path in (copy / "results/smoke").rglob("*"))
    assert {file for file in files if Path(file).suffix in store.HEADERS} <= found.keys()


def test_an_artefact_altered_with_its_header_shows_in_what_was_made_from_it(copy, findings):
    rewrite(copy / TABLE)
    found = findings()
    assert found[TABLE].severity == BROKEN
    assert any(remark.startswith("is another than ") for remark in found[TABLE].remarks)
    assert f"input {TABLE} is another" in found["results/smoke/figures/loo.png"].remarks
    assert f"lists another {TABLE}" in found[f"results/smoke/{CRATE}"].remarks


def test_an_artefact_altered_with_its_header_does_not_recompute(copy):
    study = StudyFolder(copy / "results/smoke")
    files = candidates(study)
    seed = next(seed for seed in range(99) if random.Random(seed).sample(files, 1)[0].endswith(".csv"))
    (file,) = random.Random(seed).sample(files, 1)
    rewrite(copy / file)
    (finding,) = reexecute(study, 1, seed)
    assert (finding.file, finding.severity) == (file, BROKEN)
    assert finding.remarks == ("recomputed, it has other bytes",)


def test_the_command_says_what_is_wrong_in_lines_and_json(copy):
    (copy / CURVE).unlink()
    told = fading("audit", "results/smoke", folder=copy)
    assert told.returncode == BROKEN
    assert f"broken    {CURVE}: missing" in told.stdout.splitlines()
    listed = json.loads(fading("audit", "results/smoke", "--json", folder=copy).stdout)
    assert listed["severity"] == BROKEN
    assert {"file": CURVE, "severity": BROKEN, "remarks": ["missing"], "verdict": "broken"} in listed["findings"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["audit", "results"], "results is not a study"),
        (["audit", "/nope"], "/nope is not a study"),
        (
            ["audit", "results/reference/default"],
            "results/reference/default is not a study: accepted is a folder results/",
        ),
        (["audit", "results/smoke", "--reexecute", "0"], "found 0; accepted is 1 or more"),
        (["audit", "results/smoke", "--reexecute", "9999", "--trust"], "found 9999; accepted is at most"),
        (["compare", "results/smoke", "workflow"], "workflow holds no artefact"),
        (["export", "results/smoke", "nowhere/smoke.zip"], "nowhere is no folder"),
        (["explian"], "invalid choice: 'explian'"),
    ],
)
def test_misuse_is_one_sentence_and_no_verdict(smoke, arguments, sentence):
    done = fading(*arguments, folder=smoke)
    assert done.returncode == 3
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_crate_describes_every_job_with_its_times(smoke, planned):
    from rocrate.rocrate import ROCrate

    path = smoke / "results/smoke" / CRATE
    crate = ROCrate(path.parent)
    actions = [action for action in crate.get_by_type("CreateAction") if action.id.startswith("#job/")]
    assert {action["name"] for action in actions} == {job.name for job in planned} - {"crate"}
    assert len(actions) == len(planned) - 1
    assert all(action["startTime"] < action["endTime"] for action in actions)
    assert {step["name"] for step in crate.get_by_type("HowToStep")} == {job.rule for job in planned} - {"crate"}
    listed = contents(path).hashes
    made = {str(file.relative_to(smoke)) for file in (smoke / "results/smoke").rglob("*.*")}
    assert {file for file in made if Path(file).suffix in store.HEADERS} <= listed.keys()
    assert all(store.sha256(smoke / file) == recorded for file, recorded in listed.items())
    (training,) = (action for action in actions if action["name"] == "training resnet-fashion 0")
    values = {entity["name"]: entity["value"] for entity in training["object"] if entity.type == "PropertyValue"}
    rate = StudyFolder(smoke / "results/smoke").plan.definition("resnet-fashion")["training"]["learning_rate"]
    assert (values["learning_rate"], values["run"], values["seed"]) == (str(rate), '"0"', "0")
    assert {Path(file["name"]).name for file in training["result"]} == {"checkpoints.safetensors", "curve.parquet"}
    (judged,) = (action for action in actions if action["name"] == "claims")
    assert [file.id for file in judged["result"]] == [  # in whichever order a set has its folders
        *("claims.csv", "claims.csv.json"),
        *("tables/power.csv", "tables/power.csv.json"),
    ]
    assert crate.mainEntity["name"] == "workflow/Snakefile"
    (paper,) = crate.root_dataset["citation"]
    assert paper.id == "https://arxiv.org/abs/2305.16971"
    assert len(paper["author"]) == 4
    assert {one["name"] for one in crate.get_by_type("CreativeWork") if "sha256" in one} > {"vaderSentiment-2.5.tar.gz"}


@pytest.fixture
def archive(copy, tmp_path_factory) -> Path:
    """The study exported without checkpoints and unpacked elsewhere."""
    folder = tmp_path_factory.mktemp("archive")
    export(StudyFolder(copy / "results/smoke"), folder / "smoke.zip", checkpoints=False)
    with zipfile.ZipFile(folder / "smoke.zip") as packed:
        packed.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_the_archive_is_auditable_where_it_is_unpacked(archive):
    assert not list(archive.rglob("*.safetensors"))
    assert {"Snakefile", "envs", "config", "workflow", LEFT_OUT, CRATE, "LICENSE"} <= {
        one.name for one in archive.iterdir()
    }
    done = fading("audit", "results/smoke", folder=archive)
    assert done.returncode == 0, done.stdout
    assert "not in this archive" in done.stdout
    flip(archive / FIGURE)
    found = {one.file: one.severity for one in audit(StudyFolder(archive / "results/smoke"))}
    assert found[FIGURE] == BROKEN
    assert fading("trace", FIGURE, folder=archive).returncode == 0


def test_a_case_taken_away_shows_in_an_archive_too(archive):
    config = archive / "config/smoke.yaml"
    edited = yaml.safe_load(config.read_text())
    edited["cases"] = ["resnet-fashion", "logistic-fashion"]
    config.write_text(yaml.safe_dump(edited))
    found = {finding.file: finding for finding in audit(StudyFolder(archive / "results/smoke"))}
    gone = "results/smoke/bert-reviews/seed-0/regimes/calm/fading.parquet"
    assert f"input {gone} is no longer used" in found["results/smoke/tables/fading.csv"].remarks


def test_with_checkpoints_nothing_is_left_out(copy, tmp_path):
    export(StudyFolder(copy / "results/smoke"), tmp_path / "whole.zip", checkpoints=True)
    with zipfile.ZipFile(tmp_path / "whole.zip") as packed:
        assert {CHECKPOINTS, CURVE, "resources/minilm.safetensors"} <= set(packed.namelist())
        assert json.loads(packed.read(LEFT_OUT)) == {}


def test_what_is_not_as_the_crate_lists_it_is_not_exported(copy, tmp_path):
    rewrite(copy / TABLE)
    with pytest.raises(store.FadingError, match="lists another results/smoke/tables/loo-summary.csv than is here"):
        export(StudyFolder(copy / "results/smoke"), tmp_path / "no.zip", checkpoints=False)
    assert not list(tmp_path.glob("*.zip"))


@pytest.mark.parametrize("profile", ["workflow-run-crate-0.5", "provenance-run-crate-0.5"])
def test_the_crates_conform(smoke, archive, tmp_path, profile):
    validator = pytest.importorskip(
        "rocrate_validator", reason="its dependencies contradict the lock: pip install roc-validator elsewhere"
    )
    from rocrate_validator import models, services

    for folder in (smoke / "results/smoke", archive):
        settings = models.ValidationSettings(
            rocrate_uri=str(folder),
            profile_identifier=profile,
            requirement_severity=models.Severity.REQUIRED,
            offline=True,
            cache_path=json_ld_context(tmp_path),
        )
        found = services.validate(settings)
        assert found.passed(), [issue.message for issue in found.get_issues()]
    assert validator


def json_ld_context(folder: Path) -> str:
    """A cache for the validator with RO-Crate's context: rocrate's copy, four terms by their names of version 1.1."""
    from importlib.resources import files

    from requests_cache import CachedResponse, CachedSession
    from requests_cache.models import CachedRequest

    url, text = "https://w3id.org/ro/crate/1.1/context", (files("rocrate") / "data/ro-crate.jsonld").read_text()
    for new, old in {
        "terms/ComputationalWorkflow": "ComputationalWorkflow",
        "terms/FormalParameter": "FormalParameter",
        "terms/input": "ComputationalWorkflow#input",
        "terms/output": "ComputationalWorkflow#output",
    }.items():
        text = text.replace(f'"https://bioschemas.org/{new}"', f'"https://bioschemas.org/{old}"')
    kind = {"Content-Type": "application/ld+json"}
    response = CachedResponse(
        status_code=200, url=url, content=text.encode(), headers=kind, request=CachedRequest(method="GET", url=url)
    )
    with CachedSession(str(folder / "contexts"), backend="sqlite", expire_after=-1) as session:
        session.cache.save_response(response)
    return str(folder / "contexts")


def test_a_comparison_tells_the_same_from_the_near_and_the_different(smoke, copy):
    here, there = smoke / "results/smoke", copy / "results/smoke"
    assert set(compare_files(here, there).state) == {IDENTICAL}
    for factor, state in ((1 + 1e-5, WITHIN), (1.5, DIFFERENT)):
        frame, lineage = store.read(here / "tables/fading.csv"), store.lineage(here / "tables/fading.csv")
        frame["spearman"] *= factor
        for file in (there / "tables/fading.csv", there / "tables/fading.csv.json"):
            file.unlink()
        store.write(there / "tables/fading.csv", frame, lineage)
        states = compare_files(here, there).set_index("file").state
        assert states["tables/fading.csv"] == state
        assert (states.drop("tables/fading.csv") == IDENTICAL).all()
    flip(there / "figures/loo.png")
    (there / "claims.csv.json").unlink()
    (there / "endless.png").symlink_to("/dev/zero")
    (there / "folder.png").mkdir()
    states = compare_files(here, there).set_index("file").state
    assert states["figures/loo.png"] == states["claims.csv"] == "damaged"
    assert set(states.index) == set(compare_files(here, here).file), "only files are compared"


def test_a_claim_with_another_verdict_is_named(smoke, copy):
    claims, lineage = (
        store.read(copy / "results/smoke/claims.csv"),
        store.lineage(copy / "results/smoke/claims.csv"),
    )
    claims.loc[claims.claim == "bound-holds-resnet", "verdict"] = "contradicted"
    for file in ("claims.csv", "claims.csv.json"):
        (copy / "results/smoke" / file).unlink()
    store.write(copy / "results/smoke/claims.csv", claims, lineage)
    lines = list(compare(copy / "results/smoke", smoke / "results/smoke"))
    assert "1 with another verdict" in "\n".join(lines)
    assert any(line.startswith("bound-holds-resnet: contradicted in ") for line in lines)
    assert {"smoke-against-smoke.csv", "smoke-against-smoke.png"} <= {
        file.name for file in (copy / "results").iterdir()
    }


def test_infinite_is_not_missing_and_a_dot_belongs_to_the_folders_name(tmp_path):
    here, there = (tmp_path / name / "tables/a.parquet" for name in ("run-2026.10", "run-2026.11"))
    lineage = {"path": "a", "rule": "claims", "wildcards": {}, "settings": {}, "inputs": {}, "code": {}, "lock": "0"}
    for file, odd in ((here, float("inf")), (there, float("nan"))):
        file.parent.mkdir(parents=True)
        store.write(file, pd.DataFrame({"a": [1.5, odd]}), lineage | {"versions": {}, "device": "cpu", "threads": 1})
    studies = here.parents[1], there.parents[1]
    assert compare_files(*studies).state.tolist() == [DIFFERENT]
    for study in studies:
        numbers = {"threshold": 0.5, "estimate": 0.7, "ci_low": 0.6, "ci_high": 0.8}
        claims = pd.DataFrame([{"claim": "a", "direction": "at least", **numbers, "verdict": "supported"}])
        store.write(study / "claims.csv", claims, lineage | {"versions": {}, "device": "cpu", "threads": 1})
    told = list(compare(*studies))
    target = tmp_path / "run-2026.10-against-run-2026.11"
    assert told[-1] == f"written: {target}.csv and .png"
    assert all(target.with_name(f"{target.name}.{kind}").is_file() for kind in ("csv", "png"))


def test_a_study_compares_with_the_reference(copy):
    done = fading("compare", "results/smoke", ROOT / "results/reference/default", folder=copy)
    assert done.returncode == 0, done.stderr
    assert "claims of both" in done.stdout


def test_of_what_is_recorded_twice_either_is_told_for_itself(tmp_path):
    """A figure made before an edit stands on a table made after it."""
    code, lock = tmp_path / "workflow/scripts/fading/a.py", tmp_path / "envs/study.lock"
    for file in (code, lock, tmp_path / "Snakefile"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("new")
    made = {"rule": "claims", "wildcards": {}, "settings": {}, "versions": {}, "device": "cpu", "threads": 1}
    table, old = "results/a/table.parquet", {"code": {"workflow/scripts/fading/a.py": "0" * 64}, "lock": "0" * 64}
    now = {"code": {"workflow/scripts/fading/a.py": store.sha256(code)}, "lock": store.sha256(lock)}
    frame = pd.DataFrame({"a": [1.5]})
    store.write(tmp_path / table, frame, made | now | {"path": table, "inputs": {}})
    above = {"path": "results/a/above.parquet", "inputs": {table: store.sha256(tmp_path / table)}}
    store.write(tmp_path / above["path"], frame, made | old | above)
    told = list(lines(trace(tmp_path / above["path"])))
    of_code, of_lock = ([line.strip() for line in told if what in line] for what in ("code of", "environment"))
    assert of_code == ["code of 1 files, workflow/scripts/fading/a.py CHANGED since", "code of 1 files, as recorded"]
    assert ["CHANGED since" in line for line in of_lock] == [True, False]
    assert told[-1] == "3 files: 1 as recorded, 2 CHANGED since"


def test_trace_as_json_is_the_tree(smoke):
    tree = json.loads(fading("trace", FIGURE, "--json", folder=smoke).stdout)
    assert tree["whole"]
    assert tree["lineage"]["path"] == FIGURE
    assert {state for recorded in tree["states"].values() for state in recorded.values()} == {"as recorded"}
    (table,) = (one for one in tree["inputs"] if one["file"] == "results/smoke/tables/fading.csv")
    assert table["lineage"]["rule"] == "table_fading"


def test_the_reference_is_refreshed_by_a_rule(copy):
    reference = copy / "results/reference/smoke"
    (reference / "tables/.ipynb_checkpoints").mkdir(parents=True)
    stale, kept = ["old.csv", "old.csv.json"], ["peers.csv", "peers.csv.json", "notes.md"]
    for name in (*stale, *kept):
        (reference / "tables" / name).touch()
    snakemake(copy, "reference", "--cores", "1", "--rerun-triggers", "mtime")
    assert [name for name in (*stale, *kept) if (reference / "tables" / name).exists()] == kept
    for name in kept:
        (reference / "tables" / name).unlink()
    made = {str(file.relative_to(reference)) for file in reference.rglob("*.*") if file.is_file()}
    assert {
        "claims.csv",
        "claims.csv.json",
        "figures/fading.png",
        "tables/fading-summary.csv",
        "tables/fading-summary.csv.json",
    } <= made
    assert not made & {f"tables/{name}.csv" for name in ("loo", "stability", "expansion", "fading")}
    for file in made - {one for one in made if one.endswith(".json")}:
        store.check(reference / file)
    costs = json.loads((reference / "costs.json").read_text())
    assert {"data", "train", "influence", "retrain", "effects", "assumptions", "correction", "figures"} <= {
        stage["stage"] for stage in costs["stages"]
    }
    by_stage, by_job = sum(stage["core_minutes"] for stage in costs["stages"]), sum(costs["jobs"].values()) / 60
    assert by_stage == pytest.approx(by_job, rel=0.02)
