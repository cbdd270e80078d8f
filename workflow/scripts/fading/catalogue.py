"""What there is to choose from: datasets and the kinds of model that each goes with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Dataset:
    """A dataset: its file below resources, its labels' names, the kinds of model for it, and whether it is sentences.

    `train` and `test` count the examples of its own splits; a dataset without splits has its whole size as `train` and
    no `test`: test examples are drawn from the same.
    """

    file: str
    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    sentences: bool
    train: int
    test: int | None

    @property
    def classes(self) -> int:
        """How many labels there are."""
        return len(self.labels)


GARMENTS = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")

DATASETS = {
    "fashion-mnist": Dataset("fashion-mnist.safetensors", GARMENTS, ("resnet", "logistic"), False, 60_000, 10_000),
    "movie-reviews": Dataset(
        "movie-reviews.parquet", ("negative", "positive"), ("bert", "logistic"), True, 10_043, None
    ),
}
