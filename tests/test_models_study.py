"""Every stage on torchvision's resnet18 and on all layers of MiniLM, by config/models.yaml as it stands."""

import pytest
from conftest import clone, snakemake
from fading.artefacts import store
from fading.plan.plan import read_plan


@pytest.mark.campaign
def test_the_study_of_models_by_name_ends_with_every_figure(tmp_path):
    folder = clone(tmp_path)
    snakemake(folder, "--cores", "2", study="models")
    plan = read_plan(folder, "config/models.yaml")
    study = folder / "results/models"
    for topic in [*plan.topics, "claims"]:
        lineage = store.lineage(study / f"figures/{topic}.png")
        assert lineage["rule"] == f"figure_{topic}"
    for case, parameters in (("resnet18-fashion", 11_175_370), ("minilm-reviews", 22_713_986)):
        checkpoints = store.read(study / f"{case}/seed-0/checkpoints.safetensors")
        start = {name: array for name, array in checkpoints.items() if name.startswith("0/parameters/")}
        assert sum(array.size for array in start.values()) == parameters, "all layers train"
        end = {name: checkpoints[name.replace("0/", "6/", 1)] for name in start}
        assert all((end[name] != array).any() for name, array in start.items() if array.size > 1000)
