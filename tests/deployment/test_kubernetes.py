"""The profile for Kubernetes, as far as a plan of a study goes: no cluster is here."""

import importlib.util

import pytest
import yaml
from conftest import ROOT, snakemake


def test_it_asks_for_what_the_other_cluster_is_asked_for():
    slurm, kubernetes = (
        yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text()) for name in ("slurm", "kubernetes")
    )
    for key in ("default-resources", "set-resources", "retries"):
        assert slurm[key] == kubernetes[key]


@pytest.mark.slow
@pytest.mark.deployment
def test_a_study_is_planned_with_it():
    if not importlib.util.find_spec("snakemake_executor_plugin_kubernetes"):
        pytest.skip("the plugin is not in the lock: pip install snakemake-executor-plugin-kubernetes==0.5.1")
    done = snakemake(ROOT, "-n", "--profile", "profiles/kubernetes")
    assert "total" in done.stdout
