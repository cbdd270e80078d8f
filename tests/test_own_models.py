"""docs/models.md: its tables say what the code says, and its example is followed literally in a clone."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import ROOT, cli, clone, snakemake
from fading.artefacts import store
from fading.data import DATASETS
from fading.models import MODELS
from safetensors.torch import load_file
from test_recipes import BLOCK

PAGE = (ROOT / "docs/models.md").read_text()
COMMANDS = re.findall(r"^    (\S.*?)(?: {2,}#.*)?$", re.sub(r"^```.*?^```$", "", PAGE, flags=re.M | re.S), re.M)
FIGURES = ["fading", "loo", "removal", "memory", "stability", "correction"]
OWN = [
    *(f"mine/pictures-{split}.safetensors" for split in ("train", "test")),
    *(f"mine/sentences-{split}.parquet" for split in ("train", "test")),
    *(f"mine/bert/{name}" for name in ("config.json", "tokenizer.json", "model.safetensors")),
    "mine/resnet18.safetensors",
]


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of a table's rows after the first, by the name in that one."""
    table = re.search(rf"^\| {re.escape(heading)}.*?\n\n", PAGE, re.M | re.S)[0]
    cells = ([cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:] if line)
    return {name.strip("` "): others for name, *others in cells}


def test_the_datasets_are_those_of_the_code():
    table = rows("`dataset`")
    assert table.keys() == DATASETS.keys()
    for name, (counts, offers, licence, _) in table.items():
        description = DATASETS[name]
        given = [int(count.replace(",", "")) for count in re.findall(r"\d[\d,]*", counts)]
        assert given == [count for count in (description.train, description.test) if count]
        assert offers == ", ".join(description.offers)
        assert licence == (description.licence or "none stated")


def test_the_models_are_those_of_the_code():
    table = rows("`model: {kind: …}`")
    assert table.keys() == MODELS.keys()
    for kind, cells in table.items():
        assert all(name in " ".join(cells) for name in (*MODELS[kind].settings, *MODELS[kind].optional))
        assert re.search(rf"`{kind}`[^,|]*\b{MODELS[kind].takes}\b", " ".join(PAGE.split())), "what it takes"


def test_a_pickle_that_is_trusted_is_converted_by_the_command(tmp_path):
    (command,) = (shlex.split(command) for command in COMMANDS if "torch.load" in command)
    (tmp_path / "mine").mkdir()
    torch.save({"conv1.weight": torch.ones(2, 3)}, tmp_path / command[-2])
    subprocess.run([sys.executable, *command[1:]], cwd=tmp_path, check=True)
    assert load_file(tmp_path / command[-1])["conv1.weight"].shape == (2, 3)


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> Path:
    """A clone with the example's files written and its study computed."""
    folder = clone(tmp_path_factory.mktemp("mine"))
    (folder / "mine").mkdir()
    for block in BLOCK.finditer(PAGE):
        (folder / block["path"]).write_text(block["text"])
    (written,) = (command for command in COMMANDS if command.startswith("python mine/"))
    for command in written.split(" && "):
        subprocess.run([sys.executable, *shlex.split(command)[1:]], cwd=folder, check=True, capture_output=True)
    assert "snakemake --configfile config/mine.yaml" in COMMANDS
    snakemake(folder, "--cores", "2", study="mine")
    return folder


@pytest.mark.slow
def test_its_figures_follow_from_the_users_files(followed):
    for figure in FIGURES:
        assert f"`{figure}`" in PAGE or f"figures/{figure}`" in PAGE
        assert all((followed / f"results/mine/figures/{figure}.{kind}").stat().st_size for kind in ("png", "svg"))
    assert "fading trace results/mine/figures/fading.png" in COMMANDS
    shown = cli(followed, "trace", "results/mine/figures/fading.png").stdout
    for file in OWN:
        assert f"{file} sha256:{store.sha256(followed / file)[:12]} (as recorded, the user's)" in shown


@pytest.mark.slow
def test_its_study_holds_and_an_edit_of_a_file_reruns_what_follows(followed):
    assert "fading audit results/mine" in COMMANDS
    done = cli(followed, "audit", "results/mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing to be done" in snakemake(followed, "-n", study="mine").stdout
    for name, rule in (("mine/pictures-test.safetensors", "source"), ("mine/bert/model.safetensors", "pretrained")):
        file = followed / name
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        planned = snakemake(followed, "-n", study="mine").stdout
        file.write_bytes(content)
        assert re.search(rf"^{rule} +[12]$", planned, re.M), planned
        assert re.search(r"^figure_fading +1$", planned, re.M), planned
