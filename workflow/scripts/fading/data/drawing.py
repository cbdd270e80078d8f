"""Draw a case's examples from a dataset, the same in every study and seed."""

from dataclasses import dataclass
from types import ModuleType

import numpy as np


@dataclass(frozen=True)
class Draw:
    """The examples of one split: rows of the dataset (n,), labels (n,), and the examples themselves, n of them."""

    rows: np.ndarray
    labels: np.ndarray
    examples: object


def draw_examples(dataset: ModuleType, settings: dict, source, encoder, progress) -> dict[str, np.ndarray]:
    """A case's training and test examples, and what the frozen part of its model makes of them.

    `dataset` is the dataset's file (see the subpackage), `source` what it fetched, `encoder` encodes sentences, None
    for images. `settings` holds what the model `takes`, the counts train and test, tokens where the data are sentences,
    and flipped and classes where errors are planted: the share of training labels that another replaces, of so many.
    Returns, for train and test: <split>_labels, <split>_rows (which rows of the dataset they are) and
    <split>_inputs.<i>; with planted errors train_true_labels as well. Training and test examples are disjoint.
    """
    arrays = {}
    splits = dataset.draw(source, settings["train"], settings["test"])
    for split, drawn in zip(("train", "test"), splits, strict=True):
        arrays[f"{split}_labels"] = drawn.labels.astype(np.int64)
        arrays[f"{split}_rows"] = drawn.rows.astype(np.int64)
        for i, tensor in enumerate(dataset.INPUTS[settings["takes"]](drawn.examples, settings, encoder, progress)):
            arrays[f"{split}_inputs.{i}"] = tensor.numpy()
    if "flipped" in settings:
        arrays["train_true_labels"] = arrays["train_labels"]
        arrays["train_labels"] = flipped(arrays["train_labels"], settings["flipped"], settings["classes"])
    return arrays


def subset(count: int, size: int, stream: int) -> np.ndarray:
    """The first `count` of a fixed shuffle of range(size), the same in every study and seed; a shuffle per stream."""
    return np.random.default_rng([20230607, stream]).permutation(size)[:count]


def flipped(labels: np.ndarray, share: float, classes: int) -> np.ndarray:
    """The labels (n,), that share of them replaced by another class at random, the same in every study and seed."""
    count = round(share * len(labels))
    replaced = subset(count, len(labels), stream=2)
    labels = labels.copy()
    labels[replaced] = (labels[replaced] + np.random.default_rng(count).integers(1, classes, count)) % classes
    return labels
