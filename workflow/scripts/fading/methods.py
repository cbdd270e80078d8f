"""The names of what corrects a mis-prediction: interventions, and rankings of the training examples."""

from fading.influence import BY_EXAMPLE, OF_THE_PAST

DESCEND, ASCEND, RELABEL, DROP, MISLEAD, RETRAIN = "descend", "ascend", "relabel", "drop", "mislead", "retrain"
GRADIENT_DOT, RANDOM, NEIGHBOURS = NEEDED = "gradient-dot", "random", "nearest-neighbours"  # controls are made of them
OF_LABEL, LABEL_NEIGHBOURS, EARLIER = "random-of-label", "label-neighbours", "gradient-dot-half-way"
TARGET = "target"  # the target itself, as if it were a training example


def rankers(estimators: list[str]) -> list[str]:
    """Of the estimators, those that score every training example for what follows a checkpoint."""
    return [name for name in estimators if name not in BY_EXAMPLE | OF_THE_PAST]
