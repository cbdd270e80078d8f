"""The table of what computations cost, by a clock that the test sets."""

from itertools import count

import pytest
from conftest import Tiny
from fading.peers.benchmark import computations, measured
from fading.training.optimizers import Momentum


@pytest.mark.parametrize("kind", ["resnet-gelu", "bert", "logistic"])
def test_every_computation_is_measured_in_training_steps(kind, monkeypatch):
    case, theta = Tiny.make(kind)
    monkeypatch.setattr("fading.peers.benchmark.REPLICAS", (2, 3))
    optimizer = Momentum(0.1)
    functions = computations(case, optimizer.start(theta), optimizer, batch_size=8)
    monkeypatch.setattr("fading.peers.measure.perf_counter", count(0, 0.5).__next__)
    frame = measured(functions.items(), case.dtype, repeats=2).set_index("what")
    assert list(frame.index) == list(functions)
    assert frame.index[0] == "training step"
    assert (frame.seconds == 0.5).all()
    assert (frame.steps == 1).all()
    work = frame.gflop_per_second
    assert work["10 training steps"] == pytest.approx(10 * work["training step"])
    assert work["4 counterfactuals of 10 steps"] > 4 * work["10 training steps"], "they measure losses too"
    assert frame.of_matrix_product["gradient"] == pytest.approx(work["gradient"] / (2 * 1024**3 / 1e9 / 0.5))
