"""What somebody may do to a study's files, and which command finds it; what none of them finds is said too."""

import json
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import cli
from fading.artefacts import store
from fading.artefacts.seal import BLANK, _exchange, seal
from fading.errors import FadingError
from fading.provenance.audit import BROKEN, HOLDS, OUTDATED, audit, worst
from fading.provenance.export import export
from fading.provenance.folder import CRATE, LEFT_OUT, StudyFolder
from fading.provenance.reexecute import candidates, reexecute
from fading.provenance.signatures import sign, signature, verify

STUDY = "results/smoke"
RUN = f"{STUDY}/resnet-fashion/seed-0"
CHECKPOINTS, CURVE = f"{RUN}/checkpoints.safetensors", f"{RUN}/curve.parquet"
PAIRS = f"{STUDY}/tables/loo.csv"  # which nothing but a figure is made from
CLAIMS, TABLE, FIGURE = f"{STUDY}/claims.csv", f"{STUDY}/tables/loo-summary.csv", f"{STUDY}/figures/loo.png"
LOG, TIMES = f"{STUDY}/logs/training/resnet-fashion.0.log", f"{STUDY}/times/training/resnet-fashion.0.tsv"
METADATA = f"{STUDY}/{CRATE}"


def put(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)  # of a link
    path.write_bytes(content)


def append(file):
    return lambda root: put(root / file, (root / file).read_bytes() + b"\n# changed\n")


def flip(file):
    def forge(root):
        data = bytearray((root / file).read_bytes())
        data[len(data) // 2] ^= 1
        put(root / file, data)

    return forge


def rewritten(root: Path, file: str, content=lambda content: content, lineage=lambda lineage: lineage) -> None:
    """Another content or lineage, sealed as the workflow does."""
    path = root / file
    old = store.read(path), store.lineage(path)
    for part in (path, store.sidecar(path)):
        part.unlink(missing_ok=True)
    store.write(path, content(old[0]), lineage(old[1]))


def raised(frame):
    """Every number half as large again."""
    names = frame if isinstance(frame, dict) else frame.columns
    for name in names:
        if frame[name].dtype.kind == "f":
            frame[name] = frame[name] * 1.5
    return frame


def content_of(file):
    return lambda root: rewritten(root, file, raised)


def lineage_of(file, key, change):
    return lambda root: rewritten(root, file, lineage=lambda lineage: lineage | {key: change(lineage[key])})


def first(value):
    return lambda mapping: mapping | {min(mapping): value}


def crate_of(change):
    def forge(root):
        described = json.loads((root / METADATA).read_text())
        for entity in described["@graph"]:
            if entity["@id"] == CRATE:
                entity["identifier"] = BLANK
        change(root, described["@graph"])
        put(root / METADATA, json.dumps(described).encode())
        seal(root / METADATA)

    return forge


def listed_anew(root, graph):
    """The crate with the hashes of the files as they are."""
    for entity in graph:
        if "sha256" in entity and (root / STUDY / entity["@id"]).is_file():
            entity["sha256"] = store.sha256(root / STUDY / entity["@id"])


def unlisted(root, graph):
    """The crate without the file of CURVE."""
    (gone,) = (entity for entity in graph if entity["@id"].endswith("resnet-fashion/seed-0/curve.parquet"))
    graph.remove(gone)
    for entity in graph:
        for key in ("result", "object", "hasPart"):
            if isinstance(entity.get(key), list):
                entity[key] = [part for part in entity[key] if part["@id"] != gone["@id"]]


def table_with_its_figure(root):
    """A table and what was made from it, sealed, the crate as it was."""
    rewritten(root, PAIRS, raised)
    for suffix in (".png", ".svg"):
        follow(root, str(Path(FIGURE).with_suffix(suffix)), PAIRS)


def follow(root, file, source):
    """A figure's lineage names its source as it is now; the picture stays, by hand sealed again."""
    path = root / file
    recorded, now = store.lineage(path)["inputs"][source], store.sha256(root / source)
    data = bytearray(path.read_bytes().replace(recorded.encode(), now.encode()))
    (digest,) = re.findall(rb'digest(?:"|&quot;): (?:"|&quot;)([0-9a-f]{64})', data)
    _exchange(data, digest.decode(), BLANK)
    put(path, data)
    seal(path)


def other_threshold(root):
    claims = root / "config/claims.yaml"
    put(claims, claims.read_bytes().replace(b"threshold: 0.99", b"threshold: 0.98"))


def other_setting(root):
    config = yaml.safe_load((root / "config/smoke.yaml").read_text())
    config["definitions"]["resnet-fashion"]["influence"]["damping"] = 20
    put(root / "config/smoke.yaml", yaml.safe_dump(config).encode())


def swapped(root):
    other = CHECKPOINTS.replace("seed-0", "seed-0-order-1")
    for one, two in ((CHECKPOINTS, "aside"), (other, CHECKPOINTS), ("aside", other)):
        (root / one).rename(root / two)


FOUND = {  # by what is done: the forgery, a file that the audit names, how, and in which words
    "a byte of a checkpoint": (flip(CHECKPOINTS), CHECKPOINTS, BROKEN, "does not match its seal"),
    "a byte of a figure": (flip(FIGURE), FIGURE, BROKEN, ""),
    "a number in a table": (append(TABLE), TABLE, BROKEN, "does not match its seal"),
    "a file deleted": (lambda root: (root / CURVE).unlink(), CURVE, BROKEN, "missing"),
    "a file added": (
        lambda root: put(root / RUN / "more.parquet", b""),
        f"{RUN}/more.parquet",
        BROKEN,
        "unaccounted for",
    ),
    "a log added": (
        lambda root: put(root / STUDY / "logs/mine.log", b"all is well"),
        f"{STUDY}/logs/mine.log",
        BROKEN,
        "unaccounted for",
    ),
    "two runs swapped": (swapped, CHECKPOINTS, BROKEN, "was written as"),
    "a checkpoint, sealed": (content_of(CHECKPOINTS), CHECKPOINTS, BROKEN, "is another than"),
    "an intermediate table, sealed": (content_of(CURVE), CURVE, BROKEN, "is another than"),
    "a table, sealed": (content_of(TABLE), TABLE, BROKEN, "is another than"),
    "claims, sealed": (content_of(CLAIMS), CLAIMS, BROKEN, "is another than"),
    "a table and its figure, sealed": (table_with_its_figure, PAIRS, BROKEN, "is another than"),
    "a table, sealed, and the crate": (
        lambda root: [content_of(TABLE)(root), crate_of(listed_anew)(root)],
        TABLE,
        BROKEN,
        "is another than",
    ),
    "settings of a lineage": (
        lineage_of(CHECKPOINTS, "settings", lambda settings: settings | {"learning_rate": 1}),
        CHECKPOINTS,
        OUTDATED,
        "settings had learning_rate 1",
    ),
    "code of a lineage": (lineage_of(CHECKPOINTS, "code", first(64 * "0")), CHECKPOINTS, OUTDATED, "is another"),
    "no code in a lineage": (lineage_of(CHECKPOINTS, "code", lambda code: {}), CHECKPOINTS, BROKEN, "names no script"),
    "a folder added, as a link": (
        lambda root: (root / RUN / "more").symlink_to("/usr/share"),
        f"{RUN}/more",
        BROKEN,
        "is a link to a folder",
    ),
    "inputs of a lineage": (lineage_of(CHECKPOINTS, "inputs", first(64 * "0")), CHECKPOINTS, OUTDATED, "input "),
    "packages of a lineage": (
        lineage_of(CHECKPOINTS, "versions", first("9.9.9")),
        CHECKPOINTS,
        OUTDATED,
        "is another than",
    ),
    "a lineage of other types": (
        lineage_of(CHECKPOINTS, "inputs", list),
        CHECKPOINTS,
        BROKEN,
        "carries no lineage of this study's: inputs: found",
    ),
    "a log": (append(LOG), LOG, OUTDATED, f"is another than {METADATA} records"),
    "times": (append(TIMES), TIMES, OUTDATED, f"is another than {METADATA} records"),
    "the library": (append("workflow/scripts/fading/training/segment.py"), CHECKPOINTS, OUTDATED, "code workflow"),
    "the audit's own code": (
        append("workflow/scripts/fading/provenance/audit.py"),
        METADATA,
        OUTDATED,
        "lists another workflow/scripts/fading/provenance/audit.py",
    ),
    "a caption": (
        append("workflow/report/leave_one_out.rst"),
        METADATA,
        OUTDATED,
        "lists another workflow/report/leave_one_out.rst",
    ),
    "a profile": (append("profiles/default/config.yaml"), METADATA, OUTDATED, "lists another profiles"),
    "a schema": (
        lambda root: append("workflow/scripts/fading/plan/schemas/claims.schema.json")(root),
        METADATA,
        OUTDATED,
        "lists another workflow/scripts/fading/plan/schemas",
    ),
    "the plan": (append("workflow/scripts/fading/plan/plan.py"), METADATA, OUTDATED, "lists another workflow"),
    "a rule": (append("workflow/rules/train.smk"), METADATA, OUTDATED, "lists another workflow/rules/train.smk"),
    "the lock": (append("envs/study.lock"), CHECKPOINTS, OUTDATED, "environment: envs/study.lock is another"),
    "a claim's threshold": (other_threshold, CLAIMS, OUTDATED, "settings had"),
    "a setting": (other_setting, f"{RUN}/proximal.safetensors", OUTDATED, "settings had damping 10, now 20"),
    "the crate deleted": (lambda root: (root / METADATA).unlink(), METADATA, BROKEN, "missing"),
    "the crate": (append(METADATA), METADATA, BROKEN, ""),
    "the crate made less, sealed": (crate_of(unlisted), METADATA, OUTDATED, f"does not list {CURVE}"),
}


@pytest.mark.parametrize("forgery", FOUND)
def test_the_audit_names_what_was_done(copy, forgery):
    forge, file, severity, words = FOUND[forgery]
    forge(copy)
    (finding,) = (one for one in audit(StudyFolder(copy / STUDY)) if one.file == file)
    assert finding.severity == severity, finding
    assert any(words in remark for remark in finding.remarks), finding


def test_what_is_left_of_an_estimator_that_is_gone_breaks_nothing(copy):
    """It recorded a checkpoint that was made anew since, honestly."""
    left = f"{RUN}/influence/older/8.safetensors"
    lineage = store.lineage(copy / RUN / "influence/abif/8.safetensors")
    lineage["inputs"][CHECKPOINTS] = 64 * "0"
    lineage["wildcards"]["estimator"] = "older"
    store.write(copy / left, {"scores": np.ones(3)}, lineage | {"path": left})
    found = {one.file: one.severity for one in audit(StudyFolder(copy / STUDY))}
    assert found[left] == OUTDATED
    assert found[CHECKPOINTS] == HOLDS


@pytest.mark.campaign
def test_a_whole_chain_sealed_again_is_found_by_making_it_again(copy):
    """A figure, all that it was made from up to a table, and the crate: they agree with each other."""
    table_with_its_figure(copy)
    crate_of(listed_anew)(copy)
    study = StudyFolder(copy / STUDY)
    assert worst(audit(study)) == HOLDS, "or the limit that docs/provenance.md names is none"
    done = cli(copy, "audit", STUDY, "--reexecute", "all")
    assert done.returncode == BROKEN, done.stdout + done.stderr
    assert f"broken    {PAIRS}: recomputed, it has other bytes" in done.stdout
    assert "broken    results/smoke/figures/loo.png" in done.stdout
    assert done.stdout.count("broken  ") == 3, "the rest is as it was"


def test_what_an_archive_left_out_is_held_against_its_crate(copy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    export(StudyFolder(copy / STUDY), folder / "smoke.zip", checkpoints=False)
    shutil.unpack_archive(folder / "smoke.zip", folder / "here")
    listed = json.loads((folder / "here" / LEFT_OUT).read_text())
    put(folder / "here" / LEFT_OUT, json.dumps(listed | {CHECKPOINTS: 64 * "0"}).encode())
    (finding,) = (one for one in audit(StudyFolder(folder / "here" / STUDY)) if one.file == CHECKPOINTS)
    assert finding.severity == BROKEN
    assert finding.remarks == ("left-out.json has another sha256 than the crate",)


@pytest.fixture
def signed(tmp_path):
    """An archive, as good as any, signed by a key that a file of signers has."""
    if not shutil.which("ssh-keygen"):
        pytest.skip("no ssh-keygen here: install Debian's package openssh-client")
    for name in ("ours", "theirs"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name]
        subprocess.run(key, check=True)
    (tmp_path / "signers").write_text(f"us@example.org {(tmp_path / 'ours.pub').read_text()}")
    archive = tmp_path / "smoke.zip"
    archive.write_bytes(b"packed")
    sign(archive, tmp_path / "ours")
    return archive


def test_who_signed_an_archive_is_told(signed):
    assert verify(signed, signed.with_name("signers")) == "us@example.org"
    done = cli(signed.parent, "verify", "smoke.zip", "--signers", "signers")
    assert (done.returncode, done.stdout) == (0, "smoke.zip was signed by us@example.org, and is as it was then.\n")


@pytest.mark.parametrize("forgery", ["altered", "by another key", "for another purpose", "unsigned", "no signature"])
def test_an_archive_that_none_of_them_signed_is_refused(signed, forgery):
    if forgery == "altered":
        put(signed, b"packed again")
    elif forgery == "by another key":
        sign(signed, signed.with_name("theirs"))
    elif forgery == "for another purpose":
        signature(signed).unlink()
        other = ["ssh-keygen", "-q", "-Y", "sign", "-f", signed.with_name("ours"), "-n", "file", signed]
        subprocess.run(other, check=True)
    elif forgery == "unsigned":
        signature(signed).unlink()
    else:
        put(signature(signed), b"none")
    with pytest.raises(FadingError, match="smoke.zip") as raised:
        verify(signed, signed.with_name("signers"))
    assert "\n" not in str(raised.value)


def test_a_key_that_is_none_leaves_no_archive(smoke, tmp_path):
    (tmp_path / "key").write_text("no key")
    with pytest.raises(FadingError, match="can't be signed with"):
        export(StudyFolder(smoke / STUDY), tmp_path / "smoke.zip", checkpoints=False, key=tmp_path / "key")
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_nothing_of_a_folder_is_run(copy):
    """A folder whose every source leaves a trace when it runs, and a configuration of another version."""
    trace = copy / "it-ran"
    for file in [*copy.rglob("*.py"), *copy.rglob("*.smk"), copy / "Snakefile", copy / "workflow/Snakefile"]:
        put(file, f"open({str(trace)!r}, 'w')\n".encode() + file.read_bytes())
    commands = [["audit", STUDY], ["audit", STUDY, "--reexecute", "1"], ["trace", FIGURE]]
    commands += [["compare", STUDY, STUDY], ["export", STUDY, "packed.zip"]]
    statuses = [own(copy, *command) for command in commands]
    assert statuses == [1, 3, 0, 0, 3], "outdated; not trusted; traced; compared; the crate lists other sources"
    assert not trace.exists()
    config = copy / "config/smoke.yaml"
    put(config, config.read_bytes() + b"\nanother_versions_key: 1\n")
    assert own(copy, "audit", STUDY) == OUTDATED
    assert not trace.exists()


@pytest.mark.parametrize("file", ["Snakefile", "snakemake.py", "fading.py", "site-packages/snakemake/__init__.py"])
def test_no_input_takes_the_place_of_what_runs(copy, file):
    """Of an archive without a library ours plans and runs; what its lineages name is data."""
    trace = copy / "it-ran"
    (copy / file).parent.mkdir(exist_ok=True, parents=True)
    before = (copy / file).read_bytes() if (copy / file).exists() else b""
    put(copy / file, f"open({str(trace)!r}, 'w')\n".encode() + before)
    shutil.rmtree(copy / "workflow/scripts")
    lineage_of(TABLE, "inputs", lambda inputs: inputs | {file: store.sha256(copy / file)})(copy)
    study = StudyFolder(copy / STUDY)
    files = candidates(study)
    seed = next(seed for seed in range(9999) if random.Random(seed).sample(files, 1) == [TABLE])
    (finding,) = reexecute(study, 1, seed)
    assert finding.severity == BROKEN
    assert not trace.exists()


def own(folder: Path, *arguments) -> int:
    """The exit status of the command that is installed here, and not of the folder's library."""
    return subprocess.run([Path(sys.executable).parent / "fading", *arguments], cwd=folder, check=False).returncode
