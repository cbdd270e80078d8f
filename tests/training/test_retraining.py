"""Retraining with some examples weighted otherwise, and with nothing else changed."""

import pytest
import torch
from conftest import Tiny
from fading.training import candidates
from fading.training.counterfactuals import NO_EXAMPLE, Counterfactual, left_out, up_weighted
from fading.training.optimizers import SGD, AdamW, Momentum
from fading.training.order import first_use
from fading.training.retraining import described, first_epoch, fork, record, start, weights
from fading.training.segment import Segment, batches, descend, train, unit_weights


def test_retraining_forks_at_the_last_checkpoint_that_no_member_touched():
    order = Tiny.order(6)
    drawn = batches(order)
    for example in range(Tiny.n):
        assert fork(order, (example,), [0, 1, 2, 6]) == first_use(order, example)
    early, late = int(drawn[0][0]), int(drawn[2][0])
    assert fork(order, (late, early), [0, 1, 2, 6]) == 0
    assert fork(order, (late,), [0, 1, 6]) == 1


def test_the_first_epoch_is_every_example_as_it_is_drawn():
    epoch = first_epoch(Tiny.order(6), Tiny.n)
    assert epoch == torch.cat(batches(Tiny.order(3))).tolist()
    assert sorted(epoch) == list(range(Tiny.n))


@pytest.mark.parametrize(
    "optimizer", [SGD(0.1), Momentum(0.05), AdamW(0.01, 0.1)], ids=lambda value: type(value).__name__
)
@pytest.mark.parametrize("kind", Tiny.kinds)
def test_leaving_out_from_the_fork_equals_leaving_out_from_the_start(tiny, kind, optimizer):
    case, theta = tiny.make(kind)
    order = tiny.order(6)
    whole = Segment(case, optimizer.start(theta), batches(order), optimizer)
    kept, _ = train(whole, [0, 1, 2, 6])
    late = int(batches(order)[2][0]), int(batches(order)[2][3])
    changed = weights(case, Counterfactual(late, -1.0))
    step = fork(order, late, [0, 1, 2, 6])
    assert step == 2
    forked = Segment(case, kept[2], batches(order, 2), optimizer, first_step=2)
    from_the_start, _ = record(whole, changed, [6])
    from_the_fork, _ = record(forked, changed, [4])
    assert torch.equal(from_the_start, from_the_fork)
    assert not torch.equal(from_the_start[0], kept[6][0])


def test_leaving_out_masks_and_moves_no_other_batch(tiny):
    case, theta = tiny.make("logistic")
    batch = torch.tensor([1, 2, 3])
    segment = Segment(case, theta[None], [batch], SGD(1.0))
    ((_, (moved,), _),) = descend(segment, weights(case, Counterfactual((2,), -1.0)))
    masked = unit_weights(case)
    masked[2] = 0
    losses = torch.func.grad(lambda t: (masked[batch] * case.losses(t, case.train[batch])).sum() / 3)
    torch.testing.assert_close(moved, theta - losses(theta) - case.weight_decay * theta)


def test_a_groups_weights_change_together(tiny):
    case, _ = tiny.make("logistic")
    changed = weights(case, Counterfactual((2, 5), -1.0))
    assert changed.nonzero()[:, 0].tolist() == [k for k in range(Tiny.n) if k not in (2, 5)]
    assert set(changed.tolist()) == {0, 1}


def test_the_null_is_exactly_zero_and_the_noise_floor_is_not(tiny):
    case, theta = tiny.make("resnet-gelu")
    steps, optimizer = batches(tiny.order(6, start=2)), Momentum(0.1)
    *changed, null, noise = up_weighted(steps[0], examples=3, epsilon=1.0)
    assert [counterfactual.members for counterfactual in changed] == [(example,) for example in steps[0][:3].tolist()]
    state = optimizer.start(theta)

    def retrained(counterfactual):
        segment = Segment(case, start(state, counterfactual), steps, optimizer)
        return record(segment, weights(case, counterfactual), [1, 4])

    unchanged, losses = record(Segment(case, state, steps, optimizer), None, [1, 4])
    thetas, null_losses = retrained(null)
    assert torch.equal(thetas, unchanged)
    assert torch.equal(null_losses, losses)
    (moved,) = (start(state, noise) != state).nonzero()
    assert moved.tolist() == [0, theta.abs().argmax()]
    thetas, _ = retrained(changed[0])
    assert (thetas - unchanged).norm(dim=1).min() > 0
    thetas, _ = retrained(noise)
    assert (thetas - unchanged).norm(dim=1).min() > 0
    assert described([*changed, null, noise])["members"][:, 0].tolist() == [*steps[0][:3], steps[0][0], NO_EXAMPLE]


def test_an_example_whose_loss_is_within_reach_goes_first_in_the_order_of_the_batch(tiny, monkeypatch):
    case, theta = tiny.make("resnet-gelu")
    batch = torch.tensor([3, 20, 7, 11, 5, 2, 17, 9, 14])
    losses = {k: case.losses(theta, case.train[k : k + 1]).item() for k in batch.tolist()}
    third = sorted(losses.values(), reverse=True)[2]
    monkeypatch.setattr(candidates, "REACH", third)
    high = [k for k in batch.tolist() if losses[k] >= third]
    low = sorted((k for k in losses if k not in high), key=losses.get, reverse=True)
    assert candidates.within_reach(case, theta, batch) == [*high, *low]
    monkeypatch.setattr(candidates, "REACH", 0)
    assert candidates.within_reach(case, theta, batch) == batch.tolist()


def test_what_is_recorded_are_parameters_and_measured_losses_after_the_steps_asked_for(tiny):
    case, theta = tiny.make("logistic")
    segment = Segment(case, theta[None], batches(tiny.order(9), 5), SGD(0.1), first_step=5)
    thetas, losses = record(segment, None, [1, 3])
    states = {step: state[0] for step, state, _ in descend(segment)}
    assert torch.equal(thetas, torch.stack([states[6], states[8]]))
    assert torch.equal(losses, torch.stack([case.measured_losses(states[6]), case.measured_losses(states[8])]))


def test_descriptions_fill_groups_up_with_no_example():
    counterfactuals = left_out(first_epoch(Tiny.order(6), Tiny.n), count=7, twice=5, size=2)
    arrays = described(counterfactuals)
    assert arrays["members"].shape == (14, 2)
    assert arrays["members"][0].tolist() == [*counterfactuals[0].members, NO_EXAMPLE]
    assert arrays["members"][12].tolist() == list(counterfactuals[12].members)
    assert arrays["epsilon"].tolist() == [-1] * 7 + [1] * 5 + [-1, -1]
