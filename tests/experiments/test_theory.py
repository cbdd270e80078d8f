"""What theory says of a continuation, against retraining and against the linear response at constant curvature."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import Tiny, reference_gradients
from fading.derivatives.response import linear_response, loss_response
from fading.errors import FadingError
from fading.experiments.theory import along_the_path, beside_theory, constant_curvature, predictions, second_use
from fading.training.counterfactuals import Counterfactual, up_weighted
from fading.training.optimizers import SGD, Momentum
from fading.training.retraining import record, weights
from fading.training.segment import Segment, state_after
from problems import RATE, epochs, quadratic, spectrum, whole


def test_second_use():
    used = torch.tensor([[1, 0, 1], [0, 1, 1], [1, 0, 0]], dtype=torch.bool)
    assert second_use(used).tolist() == [3, 4, 2]


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", [SGD(0.1), Momentum(0.05)], ids=["sgd", "momentum"])
def test_predictions_are_read_off_at_the_steps_recorded(optimizer):
    case, theta = Tiny.make("resnet-gelu")
    everything = epochs(11)
    state = state_after(Segment(case, optimizer.start(theta), everything[:4], optimizer))
    segment, steps = Segment(case, state, everything[4:], optimizer, 4), [1, 3, 6]
    changed = [Counterfactual((example,), epsilon) for example, epsilon in ((9, 1e-4), (10, -2e-4))]
    unchanged, losses = record(segment, None, steps)
    runs = [record(segment, weights(case, counterfactual), steps) for counterfactual in changed]
    deltas = torch.stack([thetas - unchanged for thetas, _ in runs])
    predicted = predictions(segment, changed, deltas, spectrum(case, state[0]), steps)
    actual = torch.stack([moved - losses for _, moved in runs]).numpy()
    np.testing.assert_allclose(predicted["effect"], actual, rtol=0.01, atol=1e-10)
    assert predicted["error"].max() < 0.01
    assert predicted["reused"].tolist() == [4, 4]
    if isinstance(optimizer, SGD):
        assert predicted["forcing"].shape == (2, 7)
        assert (predicted["forcing"][:, [1, 2, 4, 5]] == 0).all(), "these steps draw neither"
        for step, at in ((0, state[0]), (3, unchanged[1])):  # as the unchanged run stands before it
            slopes = reference_gradients(case, at, case.train[torch.tensor([9, 10])]).norm(dim=1).numpy()
            np.testing.assert_allclose(predicted["forcing"][:, step], 0.1 / 8 * np.array([1e-4, 2e-4]) * slopes)
        np.testing.assert_allclose(deltas[:, 0].norm(dim=1), predicted["forcing"][:, 0], rtol=1e-6)
    else:
        assert predicted.keys() & {"forcing", "once", "horizon", "path", "effect-once"} == set()


DRAWN = [torch.tensor(batch) for batch in ([9, 10, 3], [4, 5], [9, 6, 7, 8], [1, 2])]  # 9 again, 10 never


def test_the_response_to_the_first_step_is_that_of_retraining_with_only_that_step_changed():
    case, theta = Tiny.make("bert")
    segment, steps = Segment(case, theta[None], DRAWN, SGD(0.2)), [1, 2, 4]
    changed = [Counterfactual((example,), 1e-4) for example in (9, 10)]
    unchanged, losses = record(segment, None, steps)
    deltas = torch.stack([record(segment, weights(case, one), steps)[0] - unchanged for one in changed])
    predicted = predictions(segment, changed, deltas, spectrum(case, theta), steps)
    for one, once, effect in zip(changed, predicted["effect-once"], predicted["effect"], strict=True):
        moved = state_after(replace(segment, batches=DRAWN[:1]), weights(case, one))
        _, onwards = record(Segment(case, moved, DRAWN[1:], SGD(0.2), 1), None, [1, 3])
        np.testing.assert_allclose(once[1:], (onwards - losses[1:]).numpy(), rtol=0.01, atol=1e-10)
        np.testing.assert_allclose(once[:2], effect[:2])
    again, never = (predicted["effect"] - predicted["effect-once"])[:, 2]
    assert np.abs(again).max() > 0.1 * np.abs(predicted["effect"][0, 2]).max()
    assert not never.any()


def test_without_curvature_updates_add_up_along_the_path():
    case, theta = Tiny.make("bert")
    segment, steps = Segment(case, theta[None], DRAWN, SGD(0.2)), [1, 2, 4]
    at, _ = record(segment, None, [1, 2, 3, 4])
    tested = [reference_gradients(case, at[step - 1], case.tested) for step in steps]
    before, third = (reference_gradients(case, point, case.train[torch.tensor([9, 10])]) for point in (theta, at[1]))
    first = -0.2 / 3 * before
    both = first - torch.tensor([[0.2 / 4], [0]], dtype=torch.float64) * third
    effects = along_the_path(segment, torch.tensor([9, 10]), steps)
    for place, (gradients, summed) in enumerate(zip(tested, (first, first, both), strict=True)):
        torch.testing.assert_close(effects["path"][:, place], first @ gradients.T)
        torch.testing.assert_close(effects["tracin"][:, place], summed @ gradients.T)


def test_at_constant_curvature_the_forecast_is_the_linear_response():
    case, theta = quadratic()
    state = state_after(Segment(case, theta[None], whole(4000), SGD(1.0)))
    examples, steps = torch.tensor([2, 11]), [1, 3, 8]
    onwards = Segment(case, state, whole(8), SGD(RATE))
    forecasts = constant_curvature(onwards, spectrum(case, state[0]), examples, steps)
    for step, at, psi in linear_response(onwards, [(2,), (11,)]):
        if step in steps:
            expected = loss_response(case, at, psi)
            torch.testing.assert_close(forecasts["horizon"][:, steps.index(step)], expected, rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(forecasts["static"][:, 0], forecasts["once"][:, 0])
    torch.testing.assert_close(forecasts["once"][:, 0], forecasts["horizon"][:, 0])
    assert forecasts.keys() == {"static", "once", "repeated", "horizon"}
    with_momentum = Segment(case, state, whole(8), Momentum(RATE))
    assert constant_curvature(with_momentum, spectrum(case, state[0]), examples, steps).keys() == {"static"}


def test_where_the_krylov_space_is_small_the_rest_shrinks_by_weight_decay_alone():
    case, theta = Tiny.make("logistic", weight_decay=0.5)
    nothing = spectrum(case, theta).largest(0)
    segment = Segment(case, theta[None], whole(3), SGD(0.1))
    forecasts = constant_curvature(segment, nothing, torch.tensor([2]), [1, 3])
    torch.testing.assert_close(forecasts["once"][:, 1], 0.95**2 * forecasts["static"][:, 1])
    torch.testing.assert_close(forecasts["horizon"][:, 1], (1 + 0.95 + 0.95**2) * forecasts["static"][:, 1])
    torch.testing.assert_close(forecasts["repeated"][:, 1], 3 * forecasts["static"][:, 1])


def test_counterfactuals_go_in_parts_that_fit_the_budget_and_say_the_same(monkeypatch):
    case, theta = Tiny.make("bert")
    segment, steps = Segment(case, theta[None], epochs(5), SGD(0.1)), [1, 3, 5]
    counterfactuals = up_weighted(segment.batches[0].tolist(), examples=3, epsilon=1.0)

    def told():
        return beside_theory(segment, counterfactuals, spectrum(case, theta), steps, at_once=1, progress=iter)

    expected, one = told(), 9 * theta.nbytes / 0.6  # three steps recorded, and six vectors beside
    assert expected["loss_change"].shape == (5, 3, Tiny.measured)
    assert not expected["norm"][3].any(), "the A/A null"
    for held in (2.5 * one, 1.5 * one):  # parts of 2, 2 and 1, the last without an up-weighting, and of one
        monkeypatch.setattr("fading.artefacts.budget._limit", int(held))
        for name, array in told().items():
            np.testing.assert_allclose(array, expected[name], rtol=1e-8, atol=1e-11, err_msg=name)
    monkeypatch.setattr("fading.artefacts.budget._limit", int(0.9 * one))
    with pytest.raises(FadingError, match="A counterfactual that is recorded 3 times needs"):
        told()
