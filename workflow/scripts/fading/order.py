"""The order in which training draws its examples, fixed before training so that every counterfactual shares it."""

import numpy as np


def batch_order(examples: int, batch_size: int, steps: int, seed: int) -> dict[str, np.ndarray]:
    """Which examples each step draws: epoch after epoch, each a shuffle of all, the last batch of an epoch the rest.

    Returns indices, the batches in a row, and offsets (steps + 1,): batch t is indices[offsets[t]:offsets[t+1]].
    """
    generator = np.random.default_rng(seed)
    batches = []
    while len(batches) < steps:
        shuffled = generator.permutation(examples)
        batches += np.split(shuffled, range(batch_size, examples, batch_size))
    batches = batches[:steps]
    offsets = np.cumsum([0, *map(len, batches)])
    return {"indices": np.concatenate(batches), "offsets": offsets}


def first_use(order: dict[str, np.ndarray], example: int) -> int:
    """The step that draws the example first; the number of recorded steps if none does."""
    uses = np.flatnonzero(order["indices"] == example)
    if not len(uses):
        return len(order["offsets"]) - 1
    return int(np.searchsorted(order["offsets"], uses[0], side="right")) - 1
