"""Order the training examples by what up-weighting them would do to one test example, the target.

The most helpful lower its loss the most, the most harmful raise it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from fading.errors import FadingError
from fading.experiments.correction.names import LABEL_NEIGHBOURS, NEIGHBOURS, OF_LABEL, RANDOM
from fading.models.case import Case


@dataclass(frozen=True)
class Ranking:
    """Scores (n,) of the training examples for one target, positive where harmful; `among` (n,), which may be taken."""

    scores: Tensor
    among: Tensor

    def helpful(self, count: int) -> Tensor:
        """The most helpful examples, ties by their place in the training set: (count,). Raises FadingError if fewer."""
        return _first(self.scores, self.among, count)

    def harmful(self, count: int, among: Tensor | None = None) -> Tensor:
        """The most harmful examples, ties by their place, of those in the mask `among` (n,) too, if it is given."""
        return _first(-self.scores, self.among if among is None else self.among & among, count)


def _first(scores, among, count):
    order = scores.argsort(stable=True)
    first = order[among[order]][:count]
    if len(first) < count:
        raise FadingError(f"There are {len(first)} training examples to choose from; {count} are wanted.")
    return first


def rankings(case: Case, target: int, scores: dict[str, Tensor]) -> dict[str, Ranking]:
    """The estimators' rankings for a target, from each one's scores (n,), with the controls made of them.

    Random examples of the target's label; and neighbours that know labels: the nearest of its label are the most
    helpful, the nearest of another the most harmful. Examples that were not scored, whose score is NaN, are not taken.
    """
    same = case.train.labels == case.test.labels[target]
    by_method = {name: Ranking(column, ~column.isnan()) for name, column in scores.items()}
    if RANDOM in scores:
        by_method[OF_LABEL] = Ranking(scores[RANDOM], same & by_method[RANDOM].among)
    if NEIGHBOURS in scores:
        scored = by_method[NEIGHBOURS].among
        near = scores[NEIGHBOURS] - scores[NEIGHBOURS][scored].max() - 1  # below zero, whatever the sign of the cosine
        by_method[LABEL_NEIGHBOURS] = Ranking(torch.where(same, near, -near), scored)
    return by_method
