"""First order where it is all there is, what TracIn drops of it, and horizons of planted remainders."""

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import Tiny
from fading.artefacts import budget
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import per_example_gradients
from fading.errors import FadingError
from fading.experiments.expansion import remainder_statistics, remainders
from fading.training.optimizers import SGD, AdamW
from fading.training.segment import Segment
from problems import RATE, epochs, quadratic

KEYS = ["train_index", "other_index", "epsilon"]
PATH = {"smallest": np.array([-5.0, -1, -1, -1, -9]), "largest": np.full(5, 2.0)}


def test_on_a_quadratic_what_one_use_leaves_over_is_nothing():
    case, theta = quadratic()
    frame = remainders(Segment(case, theta[None], epochs(3), SGD(RATE)), [0, 3, 5], [1.0, 0.1], 0)
    assert len(frame) == 3 * (3 * 3 + 3)
    relative = (frame.remainder / frame.norm).dropna()
    assert len(relative) == 3 * 9
    assert relative.max() < 1e-12
    assert frame.asymmetry.max() < 1e-12
    assert frame.nonadditivity.max() < 1e-12
    first = frame[frame.step == 1]
    assert (first.tracin_remainder / first.norm).max() < 1e-12, "nothing has been propagated yet"


def test_on_a_quadratic_tracins_remainder_is_the_propagation_it_drops():
    case, theta = quadratic()
    drawn = epochs(3)
    frame = remainders(Segment(case, theta[None], drawn, SGD(RATE)), [0, 3, 5], [1.0, 0.1], 0)
    kick = -RATE / 8 * per_example_gradients(case, theta, case.train[torch.tensor([3])])[0]
    eye = torch.eye(len(theta), dtype=theta.dtype)
    steps = [eye - RATE * Curvature(case, theta, batch).matrix() for batch in drawn[1:]]
    expected = (steps[1] @ steps[0] @ kick - kick).norm().item()
    single = frame[(frame.train_index == 3) & (frame.other_index == -1)]
    row = single[(single.step == 3) & (single.epsilon == 1.0)]
    assert row.tracin_remainder.item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("kind", ["logistic", "resnet-gelu", "bert"])
def test_on_smooth_models_the_remainder_is_of_second_order(kind):
    case, theta = Tiny.make(kind)
    frame = remainders(Segment(case, theta[None], epochs(7), SGD(RATE)), [0, 3, 5], [0.01, 0.001], 0)
    statistics = remainder_statistics(frame, PATH, RATE).set_index(["statistic", "train_index"])
    slopes = statistics.loc["slope"].estimate
    assert len(slopes) == 3
    assert slopes.between(1.9, 2.1).all()


@pytest.mark.parametrize("optimizer", [SGD(RATE), AdamW(1e-3)])
def test_in_parts_it_is_the_same_within_rounding_and_one_that_does_not_fit_is_refused(optimizer, monkeypatch):
    case, theta = Tiny.make("transformers-bert")
    segment = Segment(case, optimizer.start(theta), epochs(3), optimizer)

    def measured():
        return remainders(segment, [0, 3, 5], [1.0, 0.1], 0)

    whole, room = measured(), segment.state.nbytes
    for vectors in (20, 17):  # those of an example at a time, those of one |ε|
        monkeypatch.setattr(budget, "_limit", vectors * room)
        in_parts = measured().sort_values([*KEYS, "step"], ignore_index=True)
        pd.testing.assert_frame_equal(in_parts, whole.sort_values([*KEYS, "step"], ignore_index=True), rtol=1e-8)
    monkeypatch.setattr(budget, "_limit", 14 * room)
    with pytest.raises(FadingError, match="2 counterfactuals in step needs"):
        measured()


def test_steps_count_from_the_segments_start():
    case, theta = Tiny.make("logistic")
    early, late = (
        remainders(Segment(case, theta[None], epochs(3), SGD(RATE), first), [0, 3, 5], [1.0, 0.1], 0)
        for first in (0, 9)
    )
    assert early.step.unique().tolist() == [1, 2, 3]
    pd.testing.assert_frame_equal(early, late)  # SGD does not know the time


def test_a_random_direction_of_the_same_length_leaves_over_more_than_all_and_is_the_seeds():
    case, theta = Tiny.make("bert")
    segment = Segment(case, theta[None], epochs(2), SGD(RATE))
    frames = [remainders(segment, [0, 3], [1.0, 0.1], seed) for seed in (0, 0, 1)]
    pd.testing.assert_frame_equal(frames[0], frames[1])
    relative, other = ((frame.random_remainder / frame.norm).dropna() for frame in frames[::2])
    assert relative.to_numpy() == pytest.approx(2**0.5, rel=0.1)
    assert (relative != other).all()


def planted(remainders, norm=1.0):
    """A frame with the remainders by step, the same for three examples and ε of 1, .1 and −1; and their pairs."""
    columns = {"other_index": -1, "norm": norm, "asymmetry": 0.0, "tracin_remainder": 0.5, "random_remainder": 1.5}
    steps = {"step": range(1, len(remainders) + 1)}
    frames = [
        pd.DataFrame({**steps, "remainder": remainders, "epsilon": epsilon, "train_index": example, **columns})
        for epsilon in (1.0, 0.1, -1.0)
        for example in (4, 6, 9)
    ]
    pairs = {(4, 6): 0.1, (4, 9): 0.2, (6, 9): 0.6}
    for (first, second), value in pairs.items():
        keys = {**steps, "epsilon": 1.0, "train_index": first, "other_index": second}
        frames.append(pd.DataFrame({**keys, "norm": norm, "nonadditivity": value}))
    return pd.concat(frames, ignore_index=True)


def estimates(frame):
    columns = ["estimator", "statistic", "epsilon", "step"]
    return remainder_statistics(frame, PATH, 0.1).groupby(columns, dropna=False).estimate.mean()


def test_nonadditivity_is_each_examples_pseudo_value_over_the_pairs():
    statistics = remainder_statistics(planted([0.1, 0.2]), PATH, 0.1)
    pairs = statistics[statistics.statistic == "nonadditivity"]
    without = {4: 0.6, 6: 0.2, 9: 0.1}
    expected = {example: 3 * 0.3 - 2 * left for example, left in without.items()}
    assert pairs.set_index("train_index").estimate.to_dict() == pytest.approx(expected)
    assert (pairs.epsilon.unique().tolist(), pairs.step.unique().tolist()) == ([1], [2])


def test_the_horizon_is_the_first_step_whose_error_passes_half():
    passing = estimates(planted([0.1, 0.5, 0.6, 0.4]))
    response = "linear-response"
    assert passing[response, "horizon", 1.0, 4] == 3
    assert passing[response, "predicted horizon", 0.1, 4] == pytest.approx(np.log(10) / 0.5), "-9 is of a later step"
    assert passing[response, "predicted horizon", 1.0, 4] == 0
    never = estimates(planted([0.1, 0.2]))
    assert never[response, "horizon", 1.0, 2] == 3, "one more than the last step"


def test_remainders_are_of_each_estimator_at_the_first_step_and_at_the_last():
    frame = planted([0.1, 0.5, 0.6, 0.4], norm=2.0)
    left = estimates(frame).xs("remainder", level="statistic").xs(1.0, level="epsilon")
    expected = {("linear-response", 1): 0.05, ("linear-response", 4): 0.2}
    expected |= {("tracin", step): 0.25 for step in (1, 4)} | {("random", step): 0.75 for step in (1, 4)}
    assert left.to_dict() == pytest.approx(expected)
    without = estimates(frame.assign(tracin_remainder=np.nan)).index.get_level_values("estimator")
    assert set(without) == {"", "linear-response", "random"}, "TracIn is of SGD"
    assert {key[0] for key in estimates(frame).index if key[1] in ("asymmetry", "nonadditivity")} == {""}
