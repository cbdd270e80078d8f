"""Draw a case's examples from a dataset and compute what the frozen part of its model makes of them."""

import numpy as np
import torch
from torch.nn import functional as F

from fading import bert
from fading.catalogue import DATASETS
from fading.datasets import labelled_reviews, subset
from fading.models import BERT_LOWER_LAYERS


def _images(images, settings, weights, progress):
    return ((torch.from_numpy(images)[:, None].float() / 255 - 0.2860) / 0.3530,)  # Fashion-MNIST's mean and deviation


def _pixels(images, settings, weights, progress):
    pooled = F.avg_pool2d(torch.from_numpy(images)[:, None].float() / 255, 2)
    return (F.normalize(pooled.flatten(1)),)


def _hidden(sentences, settings, weights, progress):
    return bert.hidden_states(weights, sentences, settings["tokens"], BERT_LOWER_LAYERS, progress)


def _embeddings(sentences, settings, weights, progress):
    return (bert.embeddings(weights, sentences, settings["tokens"], progress),)


INPUTS = {
    ("fashion-mnist", "resnet"): _images,
    ("fashion-mnist", "logistic"): _pixels,
    ("movie-reviews", "bert"): _hidden,
    ("movie-reviews", "logistic"): _embeddings,
}


def draw_examples(settings: dict, source, weights: dict | None, progress) -> dict[str, np.ndarray]:
    """Draw a case's examples from a dataset and compute what its frozen part makes of them.

    `settings` holds dataset, kind of model, the counts train and test, tokens where the data are sentences, and flipped
    where errors are planted, the share of training labels that another replaces; `source` is what datasets.py gives for
    the dataset; `weights` are the pre-trained ones that encode sentences.
    Returns, for train and test: <split>_labels, <split>_rows (which rows of the dataset they are) and
    <split>_inputs.<i>; with planted errors train_true_labels as well. Training and test examples are disjoint.
    """
    if settings["dataset"] == "fashion-mnist":
        rows = {
            "train": subset(settings["train"], len(source["train_labels"]), stream=0),
            "test": subset(settings["test"], len(source["t10k_labels"]), stream=1),
        }
        labels = {"train": source["train_labels"][rows["train"]], "test": source["t10k_labels"][rows["test"]]}
        raw = {"train": source["train_images"][rows["train"]], "test": source["t10k_images"][rows["test"]]}
    else:
        reviews = labelled_reviews(source)
        drawn = reviews.iloc[subset(settings["train"] + settings["test"], len(reviews), stream=0)]
        parts = {"train": drawn.iloc[: settings["train"]], "test": drawn.iloc[settings["train"] :]}
        rows = {split: part.index.to_numpy() for split, part in parts.items()}
        labels = {split: part.label.to_numpy() for split, part in parts.items()}
        raw = {split: part.text.tolist() for split, part in parts.items()}
    compute = INPUTS[settings["dataset"], settings["kind"]]
    arrays = {}
    for split in ("train", "test"):
        arrays[f"{split}_labels"] = labels[split].astype(np.int64)
        arrays[f"{split}_rows"] = rows[split].astype(np.int64)
        for i, tensor in enumerate(compute(raw[split], settings, weights, progress)):
            arrays[f"{split}_inputs.{i}"] = tensor.numpy()
    if "flipped" in settings:
        arrays["train_true_labels"] = arrays["train_labels"]
        arrays["train_labels"] = flipped(
            arrays["train_labels"], settings["flipped"], DATASETS[settings["dataset"]].classes
        )
    return arrays


def flipped(labels: np.ndarray, share: float, classes: int) -> np.ndarray:
    """The labels (n,), that share of them replaced by another class at random, the same in every study and seed."""
    count = round(share * len(labels))
    chosen = subset(count, len(labels), stream=2)
    labels = labels.copy()
    labels[chosen] = (labels[chosen] + np.random.default_rng(count).integers(1, classes, count)) % classes
    return labels
