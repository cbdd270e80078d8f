"""What every use of every example did, against real retraining with one weight changed at one step, and forwards."""

from dataclasses import replace

import pytest
import torch
from conftest import Tiny
from derivatives.test_response import BY_NAME, OPTIMIZERS, differences, names, warmed_up, weighted_once
from fading.derivatives.response import linear_response, loss_response
from fading.derivatives.reverse import in_reverse, pulled_back, uses
from fading.training.optimizers import SGD, AdamW
from fading.training.segment import Segment, descend

KINDS = ["resnet-gelu", "bert", "sentences", "logistic", *BY_NAME]


@pytest.fixture(autouse=True)
def few_losses_at_a_time(monkeypatch):
    monkeypatch.setattr("fading.derivatives.reverse.TOGETHER", 2)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=names)
@pytest.mark.parametrize("kind", KINDS)
def test_the_effect_of_a_use_is_the_derivative_of_retraining_with_that_weight_changed(tiny, kind, optimizer):
    case, theta = tiny.make(kind)
    segment = warmed_up(case, theta, optimizer, steps=4)
    found = uses(segment, case.tested)
    for place in (0, 2, 3):
        example = int(segment.batches[place][1])
        row = ((found.step == 5 + place) & (found.example == example)).nonzero().item()
        up, down = (case.measured_losses(weighted_once(segment, example, change, place)) for change in (1e-5, -1e-5))
        effect = (up - down) / 2e-5
        assert (found.effect[row] - effect).norm() < 1e-5 * effect.norm()


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=names)
@pytest.mark.parametrize("kind", KINDS)
def test_the_sum_over_uses_is_the_derivative_of_retraining(tiny, kind, optimizer):
    case, theta = tiny.make(kind)
    segment = warmed_up(case, theta, optimizer, steps=2)
    drawn = segment.batches
    never = next(i for i in range(Tiny.n) if not any(i in batch for batch in drawn))
    influence = uses(segment, case.tested).by_example(Tiny.n)
    for example in (int(drawn[0][0]), int(drawn[1][2])):
        _, effect = differences(segment, (example,), 1e-5, [2])
        assert (influence[example] - effect[0]).norm() < 1e-5 * effect[0].norm()
    assert not influence[never].any(), "what no step draws has no influence"


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=names)
def test_the_sum_over_uses_is_the_response_in_reverse(tiny, optimizer):
    case, theta = tiny.make("bert")
    segment = warmed_up(case, theta, optimizer)
    *_, (_, at, psi) = linear_response(segment, [(k,) for k in range(Tiny.n)])
    forwards = loss_response(case, at, psi)
    backwards = uses(segment, case.tested).by_example(Tiny.n)
    assert (backwards - forwards).abs().max() < 1e-10 * forwards.abs().max()


@pytest.mark.parametrize("room", [1, 3, 100])
@pytest.mark.parametrize("steps", [1, 3, 7])
def test_steps_in_reverse_are_those_of_training_bit_for_bit(tiny, steps, room, monkeypatch):
    case, theta = tiny.make("logistic")
    monkeypatch.setattr("fading.artefacts.budget._limit", 2 * room * theta.nbytes * 3)  # AdamW's states take 3 rows
    segment = warmed_up(case, theta, OPTIMIZERS[3], steps)
    states = [segment.state, *(state for _, state, _ in descend(segment))]
    backwards = list(in_reverse(segment))
    assert [step for step, *_ in backwards] == list(range(5 + steps))[:4:-1]
    assert isinstance(segment.optimizer, AdamW)
    for step, batch, before, after in backwards:
        assert torch.equal(batch, segment.batches[step - 5])
        assert torch.equal(before, states[step - 5])
        assert torch.equal(after, states[step - 4])


def test_losses_read_at_several_steps_are_those_of_shorter_runs(tiny):
    case, theta = tiny.make("resnet-gelu")
    segment = warmed_up(case, theta, SGD(0.2))
    steps = list(pulled_back(segment, {8, 12}, case.tested, ages=3))
    assert [step.step for step in steps] == [11, 10, 9, 7, 6, 5], "three steps before each reading, and no step between"
    assert [set(step.read.tolist()) for step in steps] == [{12}] * 3 + [{8}] * 3
    shorter = replace(segment, batches=segment.batches[:3])
    alone = list(pulled_back(shorter, {8}, case.tested))
    for several, single in zip(steps[3:], alone, strict=True):
        torch.testing.assert_close(several.slopes, single.slopes, rtol=0, atol=0)


def test_no_hessian_product_is_more_than_needed(tiny, monkeypatch):
    case, theta = tiny.make("logistic")
    counted = []
    product = "fading.derivatives.curvature.Curvature.__call__"
    monkeypatch.setattr(product, lambda self, vectors: counted.append(len(vectors)) or torch.zeros_like(vectors))
    list(pulled_back(Segment(case, theta[None], [torch.arange(8)] * 6, SGD(0.1)), {4, 6}, case.tested, ages=3))
    assert counted == [case.measured] * 4, "two before each reading, of three steps"
