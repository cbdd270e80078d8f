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

and a file of pre-trained weights WEIGHTS, PINS, fetch, and Encoder, which is made of what fetch keeps.
"""

from dataclasses import dataclass
from types import ModuleType

from fading.registry import Registry


@dataclass(frozen=True)
class Dataset:
    """A dataset: what it is called in figures, its file below resources, its licence (SPDX), its labels' names.

    `offers` names what models can take of it, `sentences` says whether its examples are sentences rather than images,
    and `weights` names what encodes them, if anything does. `train` and `test` count the examples of its own splits; a
    dataset without splits has its whole size as `train` and no `test`: test examples are drawn from the same.
    """

    label: str
    file: str
    licence: str
    labels: tuple[str, ...]
    offers: tuple[str, ...]
    train: int
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


def load(name: str) -> ModuleType:
    """The file of a dataset or of pre-trained weights, imported."""
    return (DATASETS if name in DATASETS else WEIGHTS).load(name)
