"""What there is to choose from: datasets and the kinds of model that each goes with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Dataset:
    """A dataset: its file below resources, classes, size, the kinds of model for it, and whether it is sentences.

    `train` and `test` count the examples of its own splits; a dataset without splits has its whole size as `train` and
    no `test`: test examples are drawn from the same.
    """

    file: str
    classes: int
    kinds: tuple[str, ...]
    sentences: bool
    train: int
    test: int | None


DATASETS = {
    "fashion-mnist": Dataset("fashion-mnist.safetensors", 10, ("resnet", "logistic"), False, 60_000, 10_000),
    "movie-reviews": Dataset("movie-reviews.parquet", 2, ("bert", "logistic"), True, 10_043, None),
}
