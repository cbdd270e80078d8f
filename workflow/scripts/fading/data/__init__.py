"""The data, a file per dataset: where it comes from, its labels, and what it offers to models.

Here belongs what happens to data before any model is trained, frozen encoders included. Networks and their losses do
not: they are in models.

A dataset's file exports

    DATASET             its description
    PINS                the sha256 of each file that it is fetched from
    fetch(progress)     what is kept of it, as an artefact's content
    draw(source, train, test)
                        a Draw of the training and one of the test examples
    INPUTS              for each thing offered, a function (examples, settings, encoder, progress) to tensors

and a file of pre-trained weights WEIGHTS, PINS, fetch, and Encoder, which is made of what fetch keeps. A case whose
dataset is a mapping brings its own files: files reads them, and takes the place of a dataset's file.
"""

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from fading.registry import Registry


@dataclass(frozen=True)
class Dataset:
    """A dataset: what it is called in figures, its file below resources, its licence (SPDX), its labels' names.

    `licence` is None where its makers state none. `offers` names what models can take of it, `sentences` says whether
    its examples are sentences, or pairs of them, rather than images, and `weights` names what encodes them, if anything
    does. `train` and `test` count the examples of its own splits; a dataset without splits has its whole size as
    `train` and no `test`: test examples are drawn from the same. The user's own files have no file below resources, and
    how many examples they hold is not known before they are read: `file` and `train` are None.
    """

    label: str
    file: str | None
    licence: str | None
    labels: tuple[str, ...]
    offers: tuple[str, ...]
    train: int | None
    test: int | None = None
    sentences: bool = False
    weights: str | None = None


@dataclass(frozen=True)
class Weights:
    """Pre-trained weights: their file below resources and their licence (SPDX)."""

    file: str
    licence: str


DATASETS = Registry("data", Dataset)
WEIGHTS = Registry("data", Weights)


HELD = {  # by the user's own files, and what models can take of it
    "images": ("images",),
    "features": ("features",),
    "sentences": ("hidden-states", "features", "word-pieces"),
}


def described(dataset: str | dict) -> Dataset:
    """What a case says of its dataset, as a description: by name, or a mapping that names the user's files."""
    if isinstance(dataset, str):
        return DATASETS[dataset]
    sentences = dataset["holds"] == "sentences"
    return Dataset(
        label=called(dataset),
        file=None,
        licence=None,
        labels=tuple(dataset["labels"]),
        offers=HELD[dataset["holds"]],
        train=None,
        sentences=sentences,
        weights="minilm" if sentences else None,
    )


def called(dataset: str | dict) -> str:
    """What sentences call a case's dataset."""
    return dataset if isinstance(dataset, str) else f"the data in {dataset['train']}"


def source_of(dataset: str | dict) -> str:
    """The file of a case's dataset, relative to the folder of the scripts."""
    return DATASETS.source(dataset) if isinstance(dataset, str) else "fading/data/files.py"


def load(name: str | dict) -> ModuleType:
    """The file of a case's dataset or of pre-trained weights, imported."""
    if isinstance(name, dict):
        return import_module("fading.data.files")
    return (DATASETS if name in DATASETS else WEIGHTS).load(name)
