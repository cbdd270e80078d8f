"""The names of what corrects a mis-prediction: interventions, and rankings of the training examples."""

from fading.influence import BY_EXAMPLE, OF_THE_PAST

DESCEND, ASCEND, RELABEL, DROP, MISLEAD, RETRAIN = "descend", "ascend", "relabel", "drop", "mislead", "retrain"
REMOVE = "remove"
GRADIENT_DOT, RANDOM, NEIGHBOURS = NEEDED = "gradient-dot", "random", "nearest-neighbours"  # controls are made of them
OF_LABEL, LABEL_NEIGHBOURS, EARLIER = "random-of-label", "label-neighbours", "gradient-dot-half-way"
REMEDIES = REMOVE, RELABEL  # of planted errors
EVERYTHING, NOTHING = "all planted errors", "nothing"  # the most and the least that can be found
TARGET = "target"  # the target itself, as if it were a training example
CONTROLS = (TARGET, RANDOM, OF_LABEL, NEIGHBOURS, LABEL_NEIGHBOURS)  # are no estimates of influence
INTERVENTIONS = {
    DESCEND: "descend on helpful",
    RELABEL: "relabel harmful",
    ASCEND: "ascend on harmful",
    DROP: "go on without harmful",
    RETRAIN: "retrain without harmful",
    MISLEAD: "mislead by harmful",
}
# Those that need nothing but a run's checkpoints.
FROM_CHECKPOINTS = (GRADIENT_DOT, "gradient-cosine", "tracin", NEIGHBOURS, LABEL_NEIGHBOURS, RANDOM)


def rankers(estimators: list[str]) -> list[str]:
    """Of the estimators, those that score every training example for what follows a checkpoint."""
    return [name for name in estimators if name not in BY_EXAMPLE | OF_THE_PAST]
