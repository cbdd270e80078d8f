"""The order in which training draws its examples, fixed before training so that every counterfactual shares it."""

import numpy as np


def batch_order(examples: int, batch_size: int, start: int, stop: int, seed: int) -> dict[str, np.ndarray]:
    """Which examples steps start to stop − 1 draw: each epoch is a shuffle of all, its last batch what remains.

    Returns indices, the batches in a row, and offsets (stop − start + 1,): the batch of step start + t is
    indices[offsets[t]:offsets[t+1]]. What a step draws depends on examples, batch size and seed alone.
    """
    generator = np.random.default_rng(seed)
    batches = []
    while len(batches) < stop:
        batches += np.split(generator.permutation(examples), range(batch_size, examples, batch_size))
    batches = batches[start:stop]
    return {"indices": np.concatenate(batches), "offsets": np.cumsum([0, *map(len, batches)])}


def drawn_first(examples: int, batch_size: int, start: int, seed: int, count: int) -> np.ndarray:
    """The first `count` examples, ascending, that training draws from step `start` on: (count,)."""
    epoch = -(-examples // batch_size)
    drawn = batch_order(examples, batch_size, start, start + 2 * epoch, seed)["indices"]  # may start within an epoch
    first = np.sort(np.unique(drawn, return_index=True)[1])
    return np.sort(drawn[first[:count]])


def first_use(order: dict[str, np.ndarray], example: int) -> int:
    """The step that draws the example first; the number of recorded steps if none does."""
    uses = np.flatnonzero(order["indices"] == example)
    if not len(uses):
        return len(order["offsets"]) - 1
    return int(np.searchsorted(order["offsets"], uses[0], side="right")) - 1
