"""The paper's study in small: its configuration, its downloads in their very layouts, its training.

What follows from checkpoints runs on the same kinds of models in the studies of test_models_study and test_own_models.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from conftest import ROOT, clone, snakemake
from encoders import WORDS, architecture, tokenizer
from fading.artefacts import store
from fading.data import cifar10, sst2
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import gradient_norms
from fading.models.case import initial_parameters, open_case
from fading.plan.jobs import jobs
from fading.plan.parts import made_of
from fading.plan.plan import read_plan
from safetensors.torch import save_file
from serving import packed, served
from snakemake.utils import update_config
from transformers import BertConfig, BertForPreTraining

PAPER = read_plan(ROOT, "config/paper.yaml")
ARCHIVE = next(iter(cifar10.PINS))


def save_bert(folder: Path) -> str:
    """A tiny BERT in the layout of google-bert/bert-base-uncased, with its heads and names of norms; its sha256."""
    folder.mkdir(parents=True)
    config = BertConfig(**architecture("bert"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tensors = BertForPreTraining(config).state_dict()
    former = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    names = {name: re.sub("|".join(former), lambda found: former[found[0]], name) for name in tensors}
    save_file({names[name]: tensor.clone() for name, tensor in tensors.items()}, folder / "model.safetensors")
    config.save_pretrained(folder)
    tokenizer("bert").save_pretrained(folder)
    return store.sha256(folder / "model.safetensors")


def save_sentences(folder: Path) -> dict[str, str]:
    """SST-2's splits in the hub's layout, tiny; their sha256."""
    generator, pins = np.random.default_rng(0), {}
    for (file, _), count in zip(sst2.PINS.items(), (40, 12), strict=True):
        labels = np.arange(count) % 2  # of which the words say nothing, so that some predictions are wrong
        texts = [" ".join(generator.choice(WORDS, 6)) for _ in labels]
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        frame = pd.DataFrame({"sentence": texts, "label": labels, "idx": range(count)})
        frame.to_parquet(folder / file, index=False)
        pins[file] = store.sha256(folder / file)
    return pins


def replace(file: Path, changes: dict[str, str]) -> None:
    """Each in the file's text, where it stands once."""
    text = file.read_text()
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    file.write_text(text)


@pytest.fixture(scope="module")
def studied(tmp_path_factory) -> Path:
    """A clone with the stand-ins trained, all that they download served by this machine."""
    folder, root = clone(tmp_path_factory.mktemp("paper")), tmp_path_factory.mktemp("served")
    generator = np.random.default_rng(0)
    files = [*cifar10.FILES["train"], *cifar10.FILES["test"]]
    records = {file: generator.integers(0, 256, (12, 3073), np.uint8) for file in files}
    for rows in records.values():
        rows[:, 0] %= 10
    archive = packed(root / ARCHIVE, records)
    sentences = save_sentences(root / f"datasets/nyu-mll/glue/resolve/{sst2.REVISION}")
    checkpoint = PAPER.checkpoint("bert-base-sst2")
    weights = save_bert(root / checkpoint["hub"] / "resolve" / checkpoint["revision"])

    config = yaml.safe_load((ROOT / "tests/stand_ins.yaml").read_text())
    config["definitions"]["bert-base-sst2"]["model"] = {"checkpoint": {"sha256": weights}}
    whole = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    update_config(whole, config)
    (folder / "config/stand-ins.yaml").write_text(yaml.safe_dump(whole))
    data = folder / "workflow/scripts/fading/data"
    replace(data / "sst2.py", {pin: sentences[file] for file, pin in sst2.PINS.items()})
    with served(root) as address, pytest.MonkeyPatch.context() as patched:
        replace(data / "cifar10.py", {cifar10.ADDRESS: f"{address}/{ARCHIVE}", cifar10.PINS[ARCHIVE]: archive})
        patched.setenv("HF_ENDPOINT", address)
        snakemake(folder, "train", "--cores", "2", study="stand-ins")
    return folder


def described(plan, case: str) -> dict:
    """What a case is, but for how much of it and the name and stem of its ResNet."""
    definition = plan.definition(case)
    model = {key: value for key, value in definition["model"].items() if key not in ("name", "stem")}
    checkpoint = {key: value for key, value in model.pop("checkpoint", {}).items() if key != "sha256"}
    regimes = [{**regime, "from": "end"} for regime in definition["regimes"]]
    return {"dataset": definition["dataset"], "model": model, "checkpoint": checkpoint, "regimes": regimes}


@pytest.mark.slow
def test_the_stand_ins_are_the_papers_study_in_small(studied):
    plan = read_plan(studied, "config/stand-ins.yaml")
    for case in (*plan.cases, "resnet50-planted"):
        assert described(plan, case) == described(PAPER, case)
    assert {job.rule for job in jobs(PAPER, "crate")} == {job.rule for job in jobs(plan, "crate")}
    done = snakemake(studied, "-n", "--cores", "2", study="stand-ins")
    planned = re.findall(r"^(\w+) +\d+$", done.stdout + done.stderr, re.M)
    assert not {"download", "pretrained", "examples", "training"} & set(planned), "these are there"
    assert {"scores", "memory", "expansion", "attempts", "crate"} <= set(planned)


@pytest.mark.slow
def test_what_was_served_is_what_was_read(studied):
    pretrained = store.read(studied / "results/stand-ins/bert-base-sst2/pretrained.safetensors")
    kept = store.read(studied / "results/stand-ins/bert-base-sst2/seed-0/checkpoints.safetensors")
    name = "encoder.layer.0.output.LayerNorm"
    started = kept[f"0/parameters/network.bert.{name}.weight"]
    assert np.array_equal(started, pretrained[f"bert.{name}.gamma"])
    downloads = store.lineage(studied / "results/stand-ins/bert-base-sst2/pretrained.safetensors")["downloads"]
    assert downloads.keys() == {"config.json", "tokenizer.json", "model.safetensors"}
    assert ARCHIVE in store.lineage(studied / "resources/cifar10.safetensors")["downloads"]


@pytest.mark.slow
@pytest.mark.parametrize("case", ["resnet50-cifar10", "resnet50-relu-cifar10"])
def test_the_papers_resnet_50_is_differentiated(case):
    settings = made_of(PAPER, ("case", "seed"), {"case": case, "run": "0"}) | {"measured": 1}
    generator = np.random.default_rng(0)
    pictures = generator.normal(size=(2, 3, 32, 32)).astype(np.float32)
    arrays = {f"{split}_inputs.0": pictures for split in ("train", "test")}
    arrays |= {f"{split}_labels": np.array([3, 5]) for split in ("train", "test")}
    opened = open_case(settings, arrays)
    theta = initial_parameters(settings, opened, None)
    assert theta.shape == (23_520_842,)
    norms = gradient_norms(opened, theta, opened.train)
    curvature = Curvature(opened, theta, torch.arange(2))
    assert norms.isfinite().all()
    direction = curvature.gradient() / norms.mean()
    assert direction.norm() <= 1
    assert curvature(direction[None]).isfinite().all()
