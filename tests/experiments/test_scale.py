"""How large networks are, how long they train and how well they predict."""

import numpy as np
import pandas as pd
import pytest
from fading.experiments.scale import size
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
