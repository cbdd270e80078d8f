"""Effects of uses beside predictions of them, against real training with a weight changed at one step."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import Tiny, reference_gradients
from derivatives.test_response import weighted_once
from fading.artefacts import budget
from fading.derivatives import reverse
from fading.experiments.memory import GRADIENT_DOT, ONCE, STEP_DOT, agreement
from fading.experiments.remembered import constant_slopes, effects_by_age, retrained_uses
from fading.training.optimizers import SGD, AdamW, Momentum, Schedule
from fading.training.segment import Segment, batch_loss, batches, descend, unit_weights
from problems import RATE, quadratic, spectrum, whole
from scipy import stats

OPTIMIZERS = [SGD(0.1), Momentum(0.05), AdamW(0.01, 0.1)]
NUDGE = 1e-4


def names(optimizer):
    return type(optimizer).__name__


def begun(case, theta, optimizer, batches, first=4) -> Segment:
    """A stretch that starts at step `first`, with moments as after so many steps."""
    before = Segment(case, optimizer.start(theta), batches[:first], optimizer)
    *_, (_, state, _) = descend(before)
    return Segment(case, state, batches[first:], optimizer, first)


def drawn(steps):
    return batches(Tiny.order(steps))


def nudged(segment: Segment, step: int, read: int) -> np.ndarray:
    """Central differences of the losses after step `read` by the weights that a batch has at one step: (|B|, M)."""
    shorter = replace(segment, batches=segment.batches[: read - segment.first_step])
    place, case = step - segment.first_step, segment.case
    rows = []
    for example in segment.batches[place].tolist():
        up, down = (case.measured_losses(weighted_once(shorter, example, e, place)) for e in (NUDGE, -NUDGE))
        rows.append((up - down) / (2 * NUDGE))
    return torch.stack(rows).numpy()


def measured(segment, read, ages, scores=None):
    case = segment.case
    ritz = spectrum(case, segment.state[0])
    return effects_by_age(segment, case.tested, read, ages, ritz, scores or {})


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=names)
def test_effects_are_those_of_changing_one_weight_at_one_step(tiny, optimizer):
    case, theta = tiny.make("resnet-gelu")
    segment = begun(case, theta, optimizer, drawn(10))
    random = torch.Generator().manual_seed(0)
    scores = {"some": torch.randn(Tiny.n, case.measured, generator=random, dtype=torch.float64)}
    frame, firsts = measured(segment, [7, 10], [1, 3], scores)
    assert set(zip(frame.read, frame.age, strict=True)) == {(7, 1), (7, 3), (10, 1), (10, 3)}
    for (read, age), rows in frame[frame.estimator == "some"].groupby(["read", "age"]):
        batch = segment.batches[read - age - segment.first_step]
        expected = agreement({"some": scores["some"][batch].numpy()}, nudged(segment, read - age, read))
        agree(rows, expected, rtol=1e-4, atol=1e-8)
    assert sorted(firsts) == [7, 9], "of the uses whose losses are read last"
    for step, (example, effect) in firsts.items():
        assert example == segment.batches[step - segment.first_step][0]
        np.testing.assert_allclose(effect, nudged(segment, step, 10)[0], rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=names)
def test_where_the_budget_holds_few_losses_they_are_followed_in_turn(tiny, optimizer, monkeypatch):
    case, theta = tiny.make("bert")
    segment = begun(case, theta, optimizer, drawn(10))
    random = torch.Generator().manual_seed(0)
    scores = {"some": torch.randn(Tiny.n, case.measured, generator=random, dtype=torch.float64)}
    whole, uses = measured(segment, [7, 10], [1, 3], scores)
    each = 2 * (len(segment.state) + 1) * segment.state[0].nbytes
    monkeypatch.setattr(budget, "_limit", int(2.5 * each / reverse.FOLLOWED))
    assert 1 < reverse.fitting(segment, [7, 10], case.measured, 3) < case.measured
    frame, again = measured(segment, [7, 10], [1, 3], scores)
    keys = ["read", "age", "estimator", "test_index"]
    ordered = (found.sort_values(keys, ignore_index=True) for found in (frame, whole))
    pd.testing.assert_frame_equal(*ordered, rtol=1e-8)
    assert again.keys() == uses.keys()
    for step, (example, effect) in uses.items():
        assert again[step][0] == example
        np.testing.assert_allclose(again[step][1], effect, rtol=1e-8)


def dots(segment, step) -> torch.Tensor:
    """⟨∇ℓ(θ; x), ∇ℓ(θ; z)⟩ of the step's batch and the measured examples before it, from gradients one by one."""
    case = segment.case
    theta = [segment.state, *(state for _, state, _ in descend(segment))][step - segment.first_step][0]
    batch = segment.batches[step - segment.first_step]
    return reference_gradients(case, theta, case.train[batch]) @ reference_gradients(case, theta, case.tested).T


def agree(rows, expected, **tolerance):
    for column in ("spearman", "slope", "size"):
        np.testing.assert_allclose(rows[column], expected[column], **tolerance)


def test_at_the_first_age_the_gradient_dot_product_lacks_only_the_step_between(tiny):
    """The loss is read after the step and the test gradient taken before it: the lack falls with the learning rate."""
    case, theta = tiny.make("resnet-gelu")
    lacking = []
    for rate in (1e-3, 1e-4):
        frame, _ = measured(begun(case, theta, SGD(rate), drawn(6)), [6], [1])
        lacking.append((frame[frame.estimator == GRADIENT_DOT].slope - 1).abs().max())
    assert lacking[0] < 0.05
    assert lacking[0] / lacking[1] == pytest.approx(10, rel=0.1)


def optimum(case):
    """Where training by whole batches stays."""
    nothing = torch.zeros(sum(shape.numel() for shape in case.shapes.values()), dtype=case.dtype)

    def loss(theta):
        return batch_loss(case, theta, torch.arange(Tiny.n), unit_weights(case))

    return -torch.linalg.solve(torch.func.hessian(loss)(nothing), torch.func.grad(loss)(nothing))


@pytest.mark.parametrize("schedule", [Schedule(), Schedule(warm_up=3, end=12)], ids=["constant", "scheduled"])
def test_on_a_quadratic_with_all_eigenpairs_the_filter_is_exact_at_every_age(schedule):
    """At the optimum, where steps on whole batches move nothing and the test gradients stay what they are."""
    case, _ = quadratic()
    segment, ages = Segment(case, optimum(case)[None], whole(9), SGD(RATE, schedule=schedule)), [1, 2, 4, 7]
    frame, _ = measured(segment, [8, 9], ages)
    assert set(frame.estimator) == {GRADIENT_DOT, STEP_DOT, ONCE}
    once, dot = (frame[frame.estimator == name] for name in (ONCE, STEP_DOT))
    np.testing.assert_allclose(once[["spearman", "slope", "size"]], 1, atol=1e-8)
    np.testing.assert_allclose(dot[dot.age == 1][["spearman", "slope", "size"]], 1, atol=1e-8)
    assert dot[dot.age == 7].slope.max() < 0.95
    agree(frame[frame.estimator == GRADIENT_DOT], dot, rtol=0, atol=0)


def test_at_constant_curvature_the_slope_known_at_the_fork_is_what_is_left():
    case, _ = quadratic()
    segment, ages = Segment(case, optimum(case)[None], whole(9), SGD(RATE)), [1, 2, 4, 7]
    frame, _ = measured(segment, [9], ages)
    known = constant_slopes(segment, case.tested, ages, spectrum(case, segment.state[0]))
    left = frame[frame.estimator == STEP_DOT].groupby("age").slope.mean()
    assert left.to_dict() == pytest.approx(known, rel=1e-8)
    assert frame.groupby("age").forecast.agg(["min", "max"]).to_dict() == {"min": known, "max": known}


def test_only_sgd_has_a_filter_and_a_forecast(tiny):
    case, theta = tiny.make("logistic")
    frame, _ = measured(begun(case, theta, AdamW(0.01), drawn(6)), [6], [1, 2])
    assert set(frame.estimator) == {GRADIENT_DOT, STEP_DOT}
    assert frame.forecast.isna().all()


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=names)
def test_at_its_time_is_what_the_step_moves_and_what_a_plain_gradient_step_would(tiny, optimizer):
    case, theta = tiny.make("bert")
    segment = begun(case, theta, optimizer, drawn(6))
    frame, _ = measured(segment, [6], [2])
    actual, batch = nudged(segment, 4, 6), segment.batches[0]
    gradient = reference_gradients(case, segment.state[0], case.tested)
    once = replace(segment, batches=segment.batches[:1])
    moves = [
        weighted_once(once, example, NUDGE, 0) - weighted_once(once, example, -NUDGE, 0) for example in batch.tolist()
    ]
    moved = torch.stack(moves) @ gradient.T / (2 * NUDGE)
    agree(frame[frame.estimator == STEP_DOT], agreement({"": moved.numpy()}, actual), rtol=1e-4, atol=1e-6)
    plain = -optimizer.learning_rate / len(batch) * dots(segment, 4)
    agree(frame[frame.estimator == GRADIENT_DOT], agreement({"": plain.numpy()}, actual), rtol=1e-4, atol=1e-6)
    apart = (moved - plain).norm() / plain.norm()
    assert (apart < 1e-5) == isinstance(optimizer, SGD | Momentum), "AdamW's step divides by its second moment"


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=names)
def test_leaving_out_a_use_is_training_with_weight_0_at_that_step_alone(tiny, optimizer):
    case, theta = tiny.make("resnet-gelu")
    segment = begun(case, theta, optimizer, drawn(9))
    shorter = replace(segment, batches=segment.batches[:3])
    *_, (_, end, _) = descend(shorter)
    effects = np.random.default_rng(0).normal(size=(2, 4))  # of fewer test examples than are measured
    uses = {3: (int(segment.batches[0][0]), effects[0]), 1: (int(segment.batches[2][3]), effects[1])}
    table = retrained_uses(segment, uses, 7)
    assert len(table) == 2 * 4
    for age, (example, effect) in uses.items():
        rows = table[table.age == age]
        without = weighted_once(shorter, example, -1.0, 3 - age)
        change = (case.measured_losses(without) - case.measured_losses(end[0]))[:4].numpy()
        np.testing.assert_allclose(rows.actual, change, rtol=0, atol=1e-14)
        np.testing.assert_array_equal(rows.predicted, -effect)
        assert set(rows.train_index) == {example}
        assert rows.spearman.mean() == pytest.approx(stats.spearmanr(-effect, change).statistic)
        assert rows.test_index.tolist() == list(range(4))


def test_leaving_out_a_use_that_does_little_is_minus_its_first_order_effect(tiny):
    case, theta = tiny.make("resnet-gelu")
    segment = begun(case, theta, SGD(1e-4), drawn(9))
    _, firsts = measured(segment, [9], [2, 4])
    table = retrained_uses(segment, {9 - step: first for step, first in firsts.items()}, 9)
    assert set(table.age) == {2, 4}
    np.testing.assert_allclose(table.actual, table.predicted, rtol=0.02)
