"""The names of what corrects a mis-prediction: interventions, and rankings of the training examples."""

DESCEND, ASCEND, RELABEL, DROP, MISLEAD, RETRAIN = "descend", "ascend", "relabel", "drop", "mislead", "retrain"
REMOVE = "remove"
GRADIENT_DOT, RANDOM, NEIGHBOURS = NEEDED = "gradient-dot", "random", "nearest-neighbours"  # controls are made of them
OF_LABEL, LABEL_NEIGHBOURS, EARLIER = "random-of-label", "label-neighbours", "gradient-dot-half-way"
REMEDIES = REMOVE, RELABEL  # of planted errors
EVERYTHING, NOTHING = "all planted errors", "nothing"  # the most and the least that can be found
ITSELF = "target"  # the target itself, as if it were a training example
CONTROLS = (ITSELF, RANDOM, OF_LABEL, NEIGHBOURS, LABEL_NEIGHBOURS)  # are no estimates of influence
INTERVENTIONS = {
    DESCEND: "descend on helpful",
    RELABEL: "relabel harmful",
    ASCEND: "ascend on harmful",
    DROP: "go on without harmful",
    RETRAIN: "retrain without harmful",
    MISLEAD: "mislead by harmful",
}
TARGET, HELPFUL, HARMFUL = "target", "helpful", "harmful"  # of a gallery
SHOWN = 4  # examples of each end in a gallery
# Those that need nothing but a run's checkpoints.
FROM_CHECKPOINTS = (GRADIENT_DOT, "gradient-cosine", "tracin", NEIGHBOURS, LABEL_NEIGHBOURS, RANDOM)
