"""The recipes of docs/extending.md, applied literally to a clone, and a study run with them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from conftest import ROOT, clone, snakemake
from fading.artefacts import store

PAGE = (ROOT / "docs/extending.md").read_text()
BLOCK = re.compile(r"`(?P<path>[\w./-]+)`:\n\n```\w+\n(?P<text>.*?)^```$", re.M | re.S)
MOST = {"An estimator": 2, "A dataset": 2, "A model": 2, "An experiment with its figure and claim": 6}


class Change(NamedTuple):
    """What a block of a recipe does to a file: writes it, or adds to its end."""

    path: str
    text: str
    at_the_end: bool


def changes(section: str) -> list[Change]:
    leads = ((block, " ".join(section[: block.start()].split()[-4:])) for block in BLOCK.finditer(section))
    return [Change(block["path"], block["text"], lead.endswith("the end of")) for block, lead in leads]


RECIPES = {title: changes(section) for title, section in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)}


def apply(change: Change, folder: Path) -> None:
    file = folder / change.path
    if change.at_the_end:
        between = "\n\n\n" if file.suffix == ".smk" else "\n"
        file.write_text(f"{file.read_text().rstrip()}{between}{change.text}")
    else:
        assert not file.exists(), f"{change.path} is there already"
        file.write_text(change.text)


@pytest.fixture(scope="module")
def extended(tmp_path_factory) -> Path:
    """A clone with every recipe applied and the extended study computed."""
    folder = clone(tmp_path_factory.mktemp("extended"))
    for recipe in RECIPES.values():
        for change in recipe:
            apply(change, folder)
    snakemake(folder, "--cores", "2", study="extended")
    return folder


def test_a_recipe_touches_few_places():
    assert RECIPES.keys() == MOST.keys()
    for title, most in MOST.items():
        places = {change.path for change in RECIPES[title] if not change.path.startswith("config/")}
        assert len(places | {"the configuration"}) <= most, title


def test_the_estimator_scores_and_is_compared(extended):
    run = extended / "results/extended/logistic-fashion/seed-0/influence"
    ours, dots = (store.read(run / name / "800.safetensors")["scores"] for name in ("last-layer-dot", "gradient-dot"))
    assert np.corrcoef(ours.ravel(), dots.ravel())[0, 1] > 0.99, "in a linear model it lacks only the bias"
    summary = store.read(extended / "results/extended/tables/loo-summary.csv")
    assert "last-layer-dot" in set(summary.estimator)
    named = store.lineage(extended / "results/extended/figures/loo.png")["settings"]["names"]
    assert named["labels"]["last-layer-dot"] == "gradient dot product of the last layer"


def test_the_model_learns_the_dataset_and_the_crate_knows_its_licence(extended):
    curve = store.read(extended / "results/extended/perceptron-amazon/seed-0/curve.parquet")
    assert curve.batch_loss.iloc[-5:].mean() < curve.batch_loss.iloc[:5].mean()
    downloads = store.lineage(extended / "resources/amazon-reviews.parquet")["downloads"]
    assert "amazonReviewSnippets_GroundTruth.txt" in downloads
    crate = json.loads((extended / "results/extended/ro-crate-metadata.json").read_text())["@graph"]
    (entity,) = (entity for entity in crate if entity["@id"].endswith("resources/amazon-reviews.parquet"))
    assert entity["license"]["@id"] == "https://spdx.org/licenses/MIT"


def test_the_experiment_is_drawn_and_its_claim_judged(extended):
    results = extended / "results/extended"
    assert {"figures/edge.svg", "figures/edge.png", "tables/edge.csv"} <= {
        str(file.relative_to(results)) for file in results.rglob("edge.*")
    }
    claims = store.read(results / "claims.csv").set_index("claim")
    assert claims.verdict["below-the-edge"] == "not tested", "the study has one run"
    assert claims.estimate["below-the-edge"] > 0
    assert claims.verdict["bound-holds-bert"] == "not tested", "the study has no BERT"


def test_the_extended_study_holds_by_the_houses_own_plan(extended):
    command = [sys.executable, "-c", "import sys; from fading.cli.main import main; sys.exit(main())"]
    library = os.environ | {"PYTHONPATH": str(extended / "workflow/scripts")}
    asked = [*command, "audit", "results/extended"]
    done = subprocess.run(asked, cwd=extended, env=library, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
