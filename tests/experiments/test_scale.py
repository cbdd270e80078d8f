"""How large networks are, how long they train and how well they predict."""

import numpy as np
import pandas as pd
import pytest
from fading.experiments.scale import CENSORED, FORECAST, OBSERVED, accuracies, half_lives_by_case, size
from fading.training.optimizers import Momentum
from fading.training.segment import Segment, batches, pack, train


def test_size_is_of_what_was_trained_and_accuracy_after_the_last_step(tiny):
    case, theta = tiny.make("resnet-gelu")
    optimizer = Momentum(0.1)
    kept, curve = train(Segment(case, optimizer.start(theta), batches(tiny.order(7)), optimizer), [0, 3, 7])
    (row,) = size(pack(case, kept), pd.DataFrame(curve), examples=tiny.n, test_examples=4, batch_size=8).itertuples()
    assert row.parameters == len(theta), "and not its moments"
    assert (row.examples, row.batch_size, row.steps) == (23, 8, 7)
    assert row.epochs == pytest.approx(7 / 3), "of three batches, the last a smaller one"
    right = case.logits(kept[7][0], case.test.inputs).argmax(1) == case.test.labels
    assert row.test_accuracy == pytest.approx(np.mean(right.numpy()))


def test_accuracies_are_means_over_runs_or_over_the_test_examples_of_the_only_one():
    of_all = {"parameters": 9, "examples": 8, "batch_size": 2, "steps": 4, "epochs": 1.0, "test_examples": 400}
    rows = [("several", seed, accuracy) for seed, accuracy in enumerate((0.8, 0.9, 0.85))] + [("one", 0, 0.9)]
    sizes = pd.DataFrame(rows, columns=["case", "seed", "test_accuracy"]).assign(**of_all)
    several, one = accuracies(sizes).itertuples()
    assert (several.case, several.test_accuracy, several.over) == ("several", pytest.approx(0.85), "3 runs")
    assert (one.case, one.test_accuracy, one.over) == ("one", pytest.approx(0.9), "400 test examples of one run")
    assert one.ci_high - one.test_accuracy == pytest.approx(1.96 * np.sqrt(0.9 * 0.1 / 400), rel=0.02)


def test_half_lives_are_of_the_calm_regime_and_say_what_was_not_seen():
    keys = ["case", "regime", "observed", "predicted", "observed_censored", "predicted_censored"]
    table = pd.DataFrame(
        [
            ("a", "calm", 3.5, 3.25, 0, 0),
            ("a", "edge", 1.5, 1.0, 0, 0),
            ("b", "calm", 25.0, 30.0, 0.5, 1),
            ("c", "calm", 19.0, np.nan, 0, 0),
        ],
        columns=keys,
    )
    made = set(half_lives_by_case(table).itertuples(index=False, name=None))
    assert made == {("a", OBSERVED, 3.5), ("a", FORECAST, 3.25), ("b", CENSORED, 25.0), ("c", OBSERVED, 19.0)}
