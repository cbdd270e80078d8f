"""Replicas of a run that advance together, against each of them alone."""

import pytest
import torch
from conftest import Tiny
from fading.errors import FadingError
from fading.training.counterfactuals import Counterfactual
from fading.training.optimizers import SGD, AdamW, Momentum
from fading.training.order import batch_order
from fading.training.replicas import changes, groups, record_each, replica, together
from fading.training.retraining import record, start, weights
from fading.training.segment import Segment, batches

COUNTERFACTUALS = [
    Counterfactual((3,), -1.0),
    Counterfactual((1, 7), 1.0),
    Counterfactual((5,), 0.0),
    Counterfactual((), 0.0),
    Counterfactual((0,), -1.0),
]


def stretch(kind, optimizer):
    """Steps 5 to 9 of a run, and its replicas."""
    case, theta = Tiny.make(kind)
    segment = Segment(case, optimizer.start(theta), batches(Tiny.order(9, start=5)), optimizer, first_step=5)
    return segment, [replica(case, segment.state, counterfactual) for counterfactual in COUNTERFACTUALS]


@pytest.mark.parametrize("optimizer", [SGD(0.1), Momentum(0.05), AdamW(0.01, 0.1)], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("kind", Tiny.kinds)
def test_replicas_together_are_each_alone(kind, optimizer):
    segment, replicas = stretch(kind, optimizer)
    alone = list(record_each(segment, replicas, [1, 4], at_once=1))
    for at_once in (2, 5, 9):  # 5 = 2 + 2 + 1
        for (thetas, losses), (own, own_losses) in zip(
            record_each(segment, replicas, [1, 4], at_once), alone, strict=True
        ):
            torch.testing.assert_close(thetas, own, rtol=1e-9, atol=1e-11)
            torch.testing.assert_close(losses, own_losses, rtol=1e-9, atol=1e-11)
    assert not torch.equal(alone[0][0], alone[2][0]), "their weights tell them apart"


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_changes_are_differences_from_the_unchanged_run(at_once):
    segment, replicas = stretch("resnet-gelu", SGD(0.1))
    _, before = record(segment, None, [1, 4])
    found = [change for _, change in changes(segment, replicas, [1, 4], at_once, before)]
    for (_, losses), change in zip(record_each(segment, replicas, [1, 4], 1), found, strict=True):
        torch.testing.assert_close(change, losses - before, rtol=1e-8, atol=1e-10)
    assert not found[2].any(), "the A/A null is the unchanged run to the bit, together too"


def test_alone_each_has_the_bytes_of_its_own_run():
    segment, replicas = stretch("resnet-gelu", Momentum(0.05))
    assert together(segment) == 1, "on a CPU"
    for counterfactual, (thetas, losses) in zip(COUNTERFACTUALS, record_each(segment, replicas, [2], 1), strict=True):
        own = Segment(segment.case, start(segment.state, counterfactual), segment.batches, segment.optimizer, 5)
        expected, expected_losses = record(own, weights(segment.case, counterfactual), [2])
        assert torch.equal(thetas, expected)
        assert torch.equal(losses, expected_losses)


def test_groups_leave_room_for_the_unchanged_run():
    assert list(map(len, groups(range(8), 1))) == [1] * 8
    assert list(map(len, groups(range(8), 2))) == [1] * 8
    assert list(map(len, groups(range(8), 4))) == [3, 3, 2]
    assert [item for few in groups(range(8), 4) for item in few] == list(range(8))


@pytest.mark.parametrize("at_once", [1, 5])
def test_replicas_that_diverge_are_refused(at_once):
    case, theta = Tiny.make("logistic")
    optimizer, drawn = SGD(1e200), batches(batch_order(Tiny.n, 8, 0, 4, 0))
    segment = Segment(case, theta[None], drawn, optimizer)
    replicas = [replica(case, segment.state, counterfactual) for counterfactual in COUNTERFACTUALS]
    with pytest.raises(FadingError, match=r"Training diverged.* step \d; lower|Training diverged: .* at step \d"):
        list(record_each(segment, replicas, [4], at_once))
