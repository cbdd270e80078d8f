"""The study as a module of another workflow, from a folder that has nothing but that workflow and a configuration."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, cli, clone, outside
from fading.artefacts import store
from fading.plan.plan import laid_over
from sameness import differences

SNAKEFILE = """
configfile: "config/config.yaml"


module fading:
    snakefile:
        {snakefile}
    config:
        config


use rule * from fading
"""


def test_the_catalog_finds_what_it_wants():
    described = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    assert described["usage"]["software-stack-deployment"]["conda"] is True
    assert (ROOT / "workflow/Snakefile").is_file()
    assert (ROOT / "config/README.md").read_text().startswith("# ")


def deployed(folder: Path, snakefile: str) -> Path:
    """A folder with another workflow and a configuration alone, as snakedeploy writes it."""
    layers = [yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()) for name in ("config", "smoke")]
    for name in ("config", "workflow/scripts"):
        (folder / name).mkdir(parents=True)
    (folder / "config/config.yaml").write_text(yaml.safe_dump(laid_over(*layers), sort_keys=False))
    (folder / "workflow/Snakefile").write_text(SNAKEFILE.format(snakefile=snakefile))
    (folder / "CITATION.cff").write_text("title: another\n")
    return folder


def run(folder: Path, *targets: str, **variables: str) -> None:
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *targets]
    done = subprocess.run(command, cwd=folder, env=outside(**variables), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.deployment
def test_a_module_makes_the_same_bytes_and_is_audited_and_exported(smoke, tmp_path):
    folder = deployed(tmp_path / "other", f'"{ROOT}/workflow/Snakefile"')
    run(folder)
    assert differences(smoke / "results/smoke", folder / "results/smoke") == []
    assert "0 outdated, 0 broken" in cli(folder, "audit", "results/smoke", "--reexecute", "1").stdout
    assert cli(folder, "export", "results/smoke", "smoke.zip").returncode == 0
    shutil.unpack_archive(folder / "smoke.zip", tmp_path / "unpacked")
    assert "0 outdated, 0 broken" in cli(tmp_path / "unpacked", "audit", "results/smoke").stdout


@pytest.mark.slow
def test_a_module_by_the_address_of_a_repository_has_its_files_on_the_disk(tmp_path):
    """A repository of this machine answers for the address."""
    repository = clone(tmp_path / "hub/someone/fading")
    git = ["git", "-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"], ["tag", "v1"]):
        subprocess.run([*git, *command], cwd=repository, check=True)
    folder = deployed(tmp_path / "other", 'github("someone/fading", path="workflow/Snakefile", tag="v1")')
    address = {"KEY": f"url.file://{tmp_path}/hub/.insteadOf", "VALUE": "https://github.com/"}
    answered = {"GIT_CONFIG_COUNT": "1"} | {f"GIT_CONFIG_{name}_0": value for name, value in address.items()}
    run(folder, "results/smoke/resnet-fashion/seed-0/batches.safetensors", XDG_CACHE_HOME=str(tmp_path), **answered)
    made = store.lineage(folder / "results/smoke/resnet-fashion/seed-0/batches.safetensors")
    assert {file: store.sha256(repository / file) for file in made["code"]} == made["code"]
