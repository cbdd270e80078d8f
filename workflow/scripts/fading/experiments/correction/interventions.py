"""Train on examples that influence a mis-prediction, until it is right.

An intervention takes the first k of one end of a ranking and trains on with them, until the target is predicted right
or the steps are spent. Of the test set it sees the target's own label and no other.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from fading.errors import FadingError
from fading.experiments.correction.names import ASCEND, DESCEND, MISLEAD, RELABEL
from fading.experiments.correction.nesting import block, in_turn
from fading.experiments.correction.rankings import Ranking
from fading.models.case import Case, Examples
from fading.training.counterfactuals import Counterfactual
from fading.training.optimizers import Optimizer
from fading.training.retraining import fork, record, weights
from fading.training.segment import Segment, batch_loss, batches, descend, unit_weights


@dataclass(frozen=True)
class Trained:
    """A model trained for `step` steps to `state` (1 + s, p), and the batches that training would draw next.

    What else a correction changes is looked for on a block of `others` test examples. Which they are, and where targets
    are looked for first, goes by the run's `seed`.
    """

    case: Case
    state: Tensor
    step: int
    upcoming: list[Tensor]
    others: int
    seed: int

    def predicted(self, theta: Tensor, examples: Examples) -> Tensor:
        """The class of largest logit, for each example: (n,)."""
        return self.case.outputs(theta, examples).argmax(1)

    @cached_property
    def before(self) -> Tensor:
        """What the model predicts of every test example before any correction: (n_test,)."""
        return self.predicted(self.state[0], self.case.test)

    def right(self, count: int) -> list[int]:
        """The first `count` measured test examples, in the run's turn, predicted right; as many as there are."""
        return self._measured(self.before == self.case.test.labels, count)

    def wrong(self, count: int) -> list[int]:
        """The first `count` predicted wrong; as many as there are. Raises FadingError if there is none."""
        mispredicted = self._measured(self.before != self.case.test.labels, count)
        if not mispredicted:
            raise FadingError(
                f"All {self.case.measured} measured test examples are predicted right: nothing is to be corrected."
            )
        return mispredicted

    def _measured(self, mask, count):
        turn = in_turn(self.case.measured, self.seed)
        return turn[mask[turn]][:count].tolist()

    def elsewhere(self, theta: Tensor, target: int) -> tuple[float, float]:
        """Retention, the share of predictions on other test examples that stay, and their accuracy's change."""
        own = block(len(self.case.test), self.others, self.seed)
        other = own[own != target]
        before, labels = self.before[other], self.case.test.labels[other]
        now = self.predicted(theta, self.case.test[other])
        kept, change = (now == before).double().mean(), (now == labels).double().mean()
        return kept.item(), (change - (before == labels).double().mean()).item()

    def seen(self, theta: Tensor, target: int) -> dict[str, float]:
        """What changed beside the target: retention and accuracy_change elsewhere, distance of the parameters."""
        retention, accuracy_change = self.elsewhere(theta, target)
        distance = (theta - self.state[0]).norm().item()
        return {"retention": retention, "accuracy_change": accuracy_change, "distance": distance}


@dataclass(frozen=True)
class Clipped:
    """An optimiser that is given gradients cut to a norm of at most `limit`."""

    optimizer: Optimizer
    limit: float

    def step(self, state: Tensor, gradient: Tensor, t: int) -> Tensor:
        return self.optimizer.step(state, gradient * (self.limit / gradient.norm()).clamp(max=1), t)


@dataclass(frozen=True)
class Treatment:
    """Training to be done, on which segment and with which weights (n,) of its case's training examples."""

    segment: Segment
    weights: Tensor


def practice(trained: Trained, examples: Examples, optimizer: Optimizer, steps: int, sign: float = 1.0) -> Treatment:
    """Steps down the examples' mean loss, or up with the sign −1, from moments of zero, so that they count from 0."""
    case, start = replace(trained.case, train=examples), optimizer.start(trained.state[0])
    segment = Segment(case, start, [torch.arange(len(examples))] * steps, optimizer)
    return Treatment(segment, sign * unit_weights(case))


def treatment(
    trained: Trained, ranking: Ranking, intervention: str, target: int, count: int, optimizer: Optimizer, steps: int
) -> Treatment:
    """What an intervention does with `count` examples of a ranking.

    descend: steps down the loss of the most helpful. ascend: up that of the most harmful, with gradients no longer than
    the first, since a loss has no top. relabel: down that of the most harmful of other labels, under the target's
    label. drop: training goes on where it stopped, the most harmful at weight 0. mislead: down the loss of the most
    harmful, so that a right prediction turns wrong.
    """
    case, label = trained.case, trained.case.test.labels[target]
    if intervention == DESCEND:
        return practice(trained, case.train[ranking.helpful(count)], optimizer, steps)
    if intervention == RELABEL:
        others = case.train[ranking.harmful(count, case.train.labels != label)]
        return practice(trained, Examples(others.inputs, label.expand(count)), optimizer, steps)
    harmful = ranking.harmful(count)
    if intervention == MISLEAD:
        return practice(trained, case.train[harmful], optimizer, steps)
    if intervention == ASCEND:
        up = practice(trained, case.train[harmful], optimizer, steps, sign=-1.0)
        theta = trained.state[0].detach().requires_grad_()
        loss = batch_loss(up.segment.case, theta, up.segment.batches[0], up.weights)
        (first,) = torch.autograd.grad(loss, theta)
        return replace(up, segment=replace(up.segment, optimizer=Clipped(optimizer, first.norm().item())))
    onwards = Segment(case, trained.state, trained.upcoming[:steps], optimizer, trained.step)
    return Treatment(onwards, weights(case, without(harmful)))


def without(examples: Tensor) -> Counterfactual:
    """Training in which the examples have weight 0."""
    return Counterfactual(tuple(examples.tolist()), -1.0)


@dataclass(frozen=True)
class Correction:
    """What a correction did: the target's loss in nats before and after each step until it stopped (t + 1,), θ by step.

    `taken` counts the steps until the prediction was as wanted, None if it never was; `visits` (t + 1,) the gradients
    of single examples that were computed up to each step. If it `went_on`, θ is of steps after the stop as well.
    """

    losses: list[float]
    thetas: dict[int, Tensor]
    taken: int | None
    visits: list[int]
    went_on: bool

    def stop(self, steps: int) -> int:
        """At which step it has stopped when it may take so many."""
        return min(steps, len(self.losses) - 1)


def correct(
    trained: Trained, target: int, treatment: Treatment, steps: list[int], right: bool = True, go_on: bool = False
) -> Correction:
    """Treat until the target's prediction is right (or wrong); θ is kept after `steps` and at the stop.

    If it is to `go_on`, training does not end there, so that θ is kept after all of `steps`.
    """
    case, example, start = trained.case, trained.case.test[target : target + 1], treatment.segment.first_step
    losses, thetas, taken = [case.evaluated(trained.state[0], example).item()], {}, None
    for step, (theta, *_), _ in descend(treatment.segment, treatment.weights):
        if taken is None:
            logits = case.outputs(theta, example)
            losses.append(case.output_losses(logits, example.labels).item())
            if (logits.argmax(1) == example.labels).item() == right:
                taken = step - start
        if step - start in (*steps, taken):
            thetas[step - start] = theta
        if taken is not None and not go_on:
            break
    visits = [0, *accumulate(map(len, treatment.segment.batches))]
    return Correction(losses, thetas, taken, visits[: len(losses)], go_on)


def outcomes(trained: Trained, target: int, correction: Correction, steps: list[int]) -> list[dict]:
    """A row for each number of steps that a correction may take: what it had reached where it stopped.

    step (how many it may take), success (0 or 1), taken (steps until then, NaN without success), loss_before and loss
    of the target, retention and accuracy_change elsewhere, distance ‖θ − θ_before‖, visits; and retention_equal, after
    exactly `step` steps whatever becomes of the target, NaN where it has not gone on. Methods that succeed sooner take
    fewer steps and keep more for that alone; at equal steps they don't.
    """
    seen = {stop: trained.seen(theta, target) for stop, theta in correction.thetas.items()}
    rows = []
    for allowed in steps:
        stop = correction.stop(allowed)
        success = correction.taken is not None and correction.taken <= allowed
        losses = correction.losses[0], correction.losses[stop]
        taken = correction.taken if success else np.nan
        equal = seen[allowed]["retention"] if correction.went_on else np.nan
        rows.append(_outcome(allowed, success, taken, losses, seen[stop], equal, correction.visits[stop]))
    return rows


def retrained(
    trained: Trained,
    target: int,
    harmful: Tensor,
    checkpoints: dict[int, Tensor],
    order: dict[str, np.ndarray],
    optimizer: Optimizer,
) -> dict:
    """The outcome of training from the start without the harmful examples, which a correction is to spare.

    It continues from the last of the checkpoints {t: state} that none of them has touched: the same for less.
    """
    case, counterfactual, steps = trained.case, without(harmful), len(order["offsets"]) - 1
    start = fork(order, counterfactual.members, list(checkpoints))
    again = Segment(case, checkpoints[start], batches(order, start), optimizer, start)
    thetas, _ = record(again, weights(case, counterfactual), [steps - start])
    example = case.test[target : target + 1]
    losses = [case.evaluated(theta, example).item() for theta in (trained.state[0], thetas[0])]
    success = (trained.predicted(thetas[0], example) == example.labels).item()
    taken = steps if success else np.nan
    return _outcome(steps, success, taken, losses, trained.seen(thetas[0], target), np.nan, len(order["indices"]))


def _outcome(step, success, taken, losses, seen, retention_equal, visits):
    loss_before, loss = losses
    return {
        "step": step,
        "success": float(success),
        "taken": taken,
        "loss_before": loss_before,
        "loss": loss,
        **seen,
        "retention_equal": retention_equal,
        "visits": visits,
    }
