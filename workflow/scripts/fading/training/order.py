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


def candidates(examples: int, settings: dict) -> np.ndarray:
    """Which of so many training examples may be chosen, ascending; all of them without a setting `candidates`.

    Else as many as it counts, the first that training draws from a step on.
    """
    if "candidates" not in settings:
        return np.arange(examples)
    wanted = settings["candidates"]
    size, start = wanted["batch_size"], wanted["from"]
    stop = start + 2 * -(-examples // size)  # it may start within an epoch
    drawn = batch_order(examples, size, start, stop, wanted["order"])["indices"]
    first = np.sort(np.unique(drawn, return_index=True)[1])
    return np.sort(drawn[first[: wanted["count"]]])


def first_use(order: dict[str, np.ndarray], example: int) -> int:
    """The step that draws the example first; the number of recorded steps if none does."""
    uses = np.flatnonzero(order["indices"] == example)
    if not len(uses):
        return len(order["offsets"]) - 1
    return int(np.searchsorted(order["offsets"], uses[0], side="right")) - 1
