"""Effects of counterfactuals: those that retraining showed, joined from jobs, and those that scores predict."""

from collections.abc import Iterable

import numpy as np

from fading.errors import FadingError
from fading.training.counterfactuals import NO_EXAMPLE

RETRAINING, PROXIMAL, UNROLLED = "retraining", "proximal response", "linear response"  # truths


def stack(chunks: list[dict[str, np.ndarray]], names: Iterable[str]) -> dict[str, np.ndarray]:
    """Join chunks of counterfactuals: the named arrays, each along its first axis, groups filled up to the largest."""
    return {name: np.concatenate(_padded([chunk[name] for chunk in chunks], name)) for name in names}


def theory(chunks: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Join what theory says of chunks of counterfactuals, by example; some chunks have no up-weighted example."""
    theories = [{name.partition(".")[2]: array for name, array in chunk.items() if "." in name} for chunk in chunks]
    theories = [arrays for arrays in theories if arrays]
    return stack(theories, theories[0])


def _padded(arrays, name):
    if name != "members":
        return arrays
    width = max(array.shape[1] for array in arrays)
    pads = (((0, 0), (0, width - array.shape[1])) for array in arrays)
    return [np.pad(array, pad, constant_values=NO_EXAMPLE) for array, pad in zip(arrays, pads, strict=True)]


def summed_scores(scored: dict[str, np.ndarray], members: np.ndarray) -> np.ndarray:
    """The sum of the members' scores, (K, M). Raises FadingError for a member that was not scored."""
    row = {example: i for i, example in enumerate(scored["examples"].tolist())}
    missing = sorted(set(members[members != NO_EXAMPLE].tolist()) - row.keys())
    if missing:
        raise FadingError(f"There are no scores of the training examples {', '.join(map(str, missing))}.")
    return np.stack(
        [sum(scored["scores"][row[member]] for member in group if member != NO_EXAMPLE) for group in members.tolist()]
    )


def by_place(scored: dict[str, np.ndarray], examples: int, among: np.ndarray) -> np.ndarray:
    """Scores (examples, M) by place in the training set, NaN but for those scored and, by their places, `among` these.

    Raises FadingError unless all of the latter were scored.
    """
    scores = np.full((examples, scored["scores"].shape[1]), np.nan, dtype=scored["scores"].dtype)
    places = np.searchsorted(scored["examples"], among)
    if not np.isin(among, scored["examples"]).all():
        raise FadingError(f"Of {len(among)} training examples {np.isin(among, scored['examples']).sum()} were scored.")
    scores[among] = scored["scores"][places]
    return scores


def common(predicted: np.ndarray, actual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both (K, M) for the test examples, the first of them, that both are of."""
    tests = min(predicted.shape[1], actual.shape[1])
    return predicted[:, :tests], actual[:, :tests]
