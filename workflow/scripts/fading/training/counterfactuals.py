"""Which counterfactuals there are: training with some examples weighted otherwise, and nothing else changed.

Plain Python, so that a plan of a study can count them without what it takes to train.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fading.errors import FadingError

NO_EXAMPLE = -1


@dataclass(frozen=True)
class Counterfactual:
    """The training examples `members` have weight 1 + ε instead of 1: ε = −1 leaves them out, ε = 0 is the A/A null.

    Without members it is the noise floor: the largest parameter starts one unit in the last place higher.
    """

    members: tuple[int, ...]
    epsilon: float


def up_weighted(first_batch: Sequence[int], examples: int, epsilon: float) -> list[Counterfactual]:
    """The counterfactuals of a continuation: up-weightings, then the A/A null and the noise floor.

    The first `examples` of the first batch, in the order given, are up-weighted: all act from the first step on.
    Raises FadingError if the batch has fewer.
    """
    if len(first_batch) < examples:
        raise FadingError(f"The first batch has {len(first_batch)} examples, fewer than the {examples} to up-weight.")
    changed = [Counterfactual((int(example),), epsilon) for example in first_batch[:examples]]
    return [*changed, Counterfactual((int(first_batch[0]),), 0.0), Counterfactual((), 0.0)]


def left_out(first_epoch: Sequence[int], count: int, twice: int, size: int) -> list[Counterfactual]:
    """`count` training examples, each left out (ε = −1); the first `twice` of them counted twice (ε = 1) as well.

    Then groups of `size` of the latter left out. The examples are evenly spaced over the first epoch, whose order is
    random, and so are the first of them; groups do not overlap, so that a group's effect can be compared with the sum
    of its members'.
    """
    spacing = (len(first_epoch) - 1) / (count - 1)
    spaced = [int(first_epoch[round(place * spacing)]) for place in range(count)]
    doubled = spaced[:: count // twice][:twice]
    examples = [*doubled, *(example for example in spaced if example not in doubled)]
    singles = [Counterfactual((example,), -1.0) for example in examples]
    again = [Counterfactual((example,), 1.0) for example in doubled]
    groups = [tuple(doubled[start : start + size]) for start in range(0, twice - size + 1, size)]
    return [*singles, *again, *(Counterfactual(group, -1.0) for group in groups)]


def share(counterfactuals: Sequence[Counterfactual], chunk: int, size: int) -> Sequence[Counterfactual]:
    """What one job takes of them: the chunk of that number, of `size` each."""
    return counterfactuals[chunk * size : (chunk + 1) * size]
