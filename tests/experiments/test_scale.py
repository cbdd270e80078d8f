"""How large networks are, how long they train and how well they predict."""

import numpy as np
import pandas as pd
import pytest
from fading.experiments.scale import CENSORED, FORECAST, OBSERVED, half_lives_by_case, size
from fading.training.optimizers import Momentum
from fading.training.segment import Segment, batches, pack, train


def test_size_is_of_what_was_trained_and_accuracy_after_the_last_step(tiny):
    case, theta = tiny.make("resnet-gelu")
    optimizer = Momentum(0.1)
    kept, curve = train(Segment(case, optimizer.start(theta), batches(tiny.order(7)), optimizer), [0, 3, 7])
    (row,) = size(pack(case, kept), pd.DataFrame(curve), examples=tiny.n, batch_size=8).itertuples()
    assert row.parameters == len(theta), "and not its moments"
    assert (row.examples, row.batch_size, row.steps) == (23, 8, 7)
    assert row.epochs == pytest.approx(7 / 3), "of three batches, the last a smaller one"
    right = case.logits(kept[7][0], case.test.inputs).argmax(1) == case.test.labels
    assert row.test_accuracy == pytest.approx(np.mean(right.numpy()))


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
