"""The study as a module of another workflow, from a folder that has nothing but that workflow and a configuration."""

import os
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT, cli
from fading.plan.plan import _laid_over
from sameness import differences

SNAKEFILE = """
configfile: "config/config.yaml"


module fading:
    snakefile:
        "{root}/workflow/Snakefile"
    config:
        config


use rule * from fading exclude all


rule all:
    input:
        rules.crate.output,
"""


def test_the_catalog_finds_what_it_wants():
    described = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    assert described["usage"]["software-stack-deployment"]["conda"] is True
    assert (ROOT / "workflow/Snakefile").is_file()
    assert (ROOT / "config/README.md").read_text().startswith("# ")


@pytest.mark.slow
@pytest.mark.deployment
def test_a_module_makes_the_same_bytes(smoke, tmp_path):
    layers = [yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()) for name in ("config", "smoke")]
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text(yaml.safe_dump(_laid_over(*layers), sort_keys=False))
    (tmp_path / "workflow/scripts").mkdir(parents=True)  # the other workflow's own
    (tmp_path / "workflow/Snakefile").write_text(SNAKEFILE.format(root=ROOT))
    (tmp_path / "CITATION.cff").write_text("title: another\n")
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2"], cwd=tmp_path, env=clean, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert differences(smoke / "results/smoke", tmp_path / "results/smoke") == []
    assert "0 outdated, 0 broken" in cli(tmp_path, "audit", "results/smoke").stdout
