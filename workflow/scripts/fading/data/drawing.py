"""Draw a case's examples from a dataset, the same in every study and seed; plant errors in labels, others by seed."""

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from fading.errors import FadingError

ENTROPY = 20230607  # of all that is drawn at random here; streams 0 and 1 shuffle datasets, 2 plants errors


@dataclass(frozen=True)
class Draw:
    """The examples of one split: rows of the dataset (n,), labels (n,), and the examples themselves, n of them."""

    rows: np.ndarray
    labels: np.ndarray
    examples: object


def draw_examples(dataset: ModuleType, settings: dict, source, encoder, progress) -> dict[str, np.ndarray]:
    """A case's training and test examples, and what the frozen part of its model makes of them.

    `dataset` is the dataset's file (see the subpackage), `source` what it fetched, `encoder` encodes sentences, None
    for images. `settings` holds what the model `takes`, the counts train and test, and tokens where the data are
    sentences. Returns, for train and test: <split>_labels, the true ones, <split>_rows (which rows of the dataset they
    are) and <split>_inputs.<i>. Training and test examples are disjoint.
    """
    arrays = {}
    splits = dataset.draw(source, settings["train"], settings["test"])
    for split, drawn in zip(("train", "test"), splits, strict=True):
        arrays[f"{split}_labels"] = drawn.labels.astype(np.int64)
        arrays[f"{split}_rows"] = drawn.rows.astype(np.int64)
        for i, tensor in enumerate(dataset.INPUTS[settings["takes"]](drawn.examples, settings, encoder, progress)):
            arrays[f"{split}_inputs.{i}"] = tensor.numpy(force=True)
    return arrays


def draw_splits(splits: list[tuple], counts: tuple[int, int]) -> tuple[Draw, Draw]:
    """Training and test examples, so many of each, each from a shuffle of its own split.

    A split is its rows of the dataset (n,), its labels (n,) and its examples, an array of n. Raises FadingError if one
    has fewer than are asked for.
    """
    drawn = []
    for stream, (name, (rows, labels, examples), count) in enumerate(
        zip(("train", "test"), splits, counts, strict=True)
    ):
        if count > len(labels):
            raise FadingError(f"examples.{name}: found {count}; accepted is at most {len(labels)}, all that there are.")
        chosen = subset(count, len(labels), stream)
        drawn.append(Draw(rows[chosen], labels[chosen], examples[chosen]))
    return tuple(drawn)


def subset(count: int, size: int, stream: int) -> np.ndarray:
    """The first `count` of a fixed shuffle of range(size), the same in every study and seed; a shuffle per stream."""
    return np.random.default_rng([ENTROPY, stream]).permutation(size)[:count]


def flipped(labels: np.ndarray, share: float, classes: int, seed: int) -> np.ndarray:
    """The labels (n,), that share of them replaced by another class: which, and by which, is random from the seed."""
    count, generator = round(share * len(labels)), np.random.default_rng([ENTROPY, 2, seed])
    replaced = generator.permutation(len(labels))[:count]
    labels = labels.copy()
    labels[replaced] = (labels[replaced] + generator.integers(1, classes, count)) % classes
    return labels
