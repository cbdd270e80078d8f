"""Parts of the training set, drawn at random to be left out whole."""

import numpy as np


def removed(examples: int, shares: list[float], count: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` random subsets of so many training examples for each share: masks (K, examples), shares (K,).

    The draws are the same in every run, so that runs can be compared, and the first of more.
    """
    masks = np.zeros((len(shares) * count, examples), dtype=bool)
    for row, (share, number) in zip(
        masks, ((share, number) for share in shares for number in range(count)), strict=True
    ):
        generator = np.random.default_rng([number, round(share * examples)])
        row[generator.choice(examples, round(share * examples), replace=False)] = True
    return masks, np.repeat(shares, count)
