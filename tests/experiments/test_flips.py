"""The most helpful training examples of single predictions left out, until these flip."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import Tiny
from fading.errors import FadingError
from fading.experiments import flips as module
from fading.experiments.correction.names import LABEL_NEIGHBOURS, NEIGHBOURS
from fading.experiments.flips import flips, predicted_right
from fading.training.optimizers import SGD
from fading.training.segment import Segment, batches, state_after, unit_weights

COUNTS = [1, 4, 12, 20]


@pytest.fixture(scope="module")
def whole() -> Segment:
    """Training of a logistic model whose test examples are easy: they are training examples moved a little."""
    case, theta = Tiny.make("logistic", weight_decay=0.0)
    near = tuple(part[:9] + 0.01 for part in case.train.inputs)
    case = replace(case, test=replace(case.test, inputs=near, labels=case.train.labels[:9]), measured=9)
    return Segment(case, theta[None], batches(Tiny.order(30)), SGD(0.5))


@pytest.fixture(scope="module")
def end(whole):
    return state_after(whole)[0]


@pytest.fixture(scope="module")
def scores(whole):
    """What knows nothing; and what holds the examples of a target's label to be helpful, the nearest most."""
    random = torch.Generator().manual_seed(0)
    case = whole.case
    same = (case.train.labels[:, None] == case.test.labels[None]).double()
    distance = torch.cdist(case.train.inputs[0], case.test.inputs[0])
    return {
        "random": torch.randn(Tiny.n, case.measured, generator=random, dtype=torch.float64),
        "of-label": distance / 100 - same,
    }


def of_targets(whole, end, scores, named, targets, counts):
    """The rows of so many targets."""
    chosen = predicted_right(whole.case, end, scores, targets)
    return pd.concat([flips(whole, end, scores, named, target, counts) for target in chosen], ignore_index=True)


def right(case, theta):
    return case.logits(theta, case.tested.inputs).argmax(1) == case.tested.labels


def flipped_without(whole, theta, left_out, target):
    """Whether the target's prediction, right at θ, is wrong without these examples, and its loss's change."""
    weights = unit_weights(whole.case)
    weights[left_out] = 0
    without = state_after(whole, weights)[0]
    change = whole.case.measured_losses(without) - whole.case.measured_losses(theta)
    return not right(whole.case, without)[target].item(), change[target].item()


def test_where_nothing_is_right_nothing_can_flip(whole, end, scores):
    wrong = replace(whole.case.test, labels=(whole.case.logits(end, whole.case.test.inputs).argmax(1) + 1) % 3)
    with pytest.raises(FadingError, match="None of the first 9 measured test examples is predicted right"):
        predicted_right(replace(whole.case, test=wrong), end, scores, 3)


def test_the_most_helpful_are_left_out_until_a_prediction_flips(whole, end, scores):
    table = of_targets(whole, end, scores, ["of-label", "random"], 3, COUNTS)
    targets = right(whole.case, end).nonzero()[:3, 0].tolist()
    assert table.test_index.drop_duplicates().tolist() == targets
    assert table.groupby(["ranking", "test_index"]).removed.apply(list).tolist() == [COUNTS] * 6
    for (name, target), rows in table.groupby(["ranking", "test_index"]):
        column, gone = scores[name][:, target], False
        for row in rows.itertuples():
            helpful = column.argsort()[: row.removed]
            assert row.predicted == pytest.approx(-column[helpful].sum().item()), "minus the sum of scores"
            if gone:
                assert np.isnan(row.actual)
                assert row.flipped == 1, "once flipped, flipped"
                continue
            gone, change = flipped_without(whole, end, helpful, target)
            assert (row.flipped, row.actual) == (gone, pytest.approx(change, abs=1e-12))
    by_label = table[table.ranking == "of-label"]
    assert by_label[by_label.removed == 20].flipped.all(), "without any of the label it can't be predicted"
    assert (by_label[by_label.removed == 1].flipped == 0).any()


def test_what_has_flipped_is_not_retrained(whole, end, scores, monkeypatch):
    retrained = []

    def counted(segment, weights):
        retrained.append(int((weights == 0).sum()))
        return state_after(segment, weights)

    monkeypatch.setattr(module, "state_after", counted)
    table = of_targets(whole, end, scores, ["of-label"], 2, COUNTS)
    assert retrained == table[table.actual.notna()].removed.tolist()
    assert len(retrained) < len(table)


def test_targets_are_right_predictions_that_every_estimator_scores(whole, end, scores):
    first, *others = right(whole.case, end).nonzero()[:, 0].tolist()
    labels = whole.case.test.labels.clone()
    labels[first] = (labels[first] + 1) % 3  # now it is predicted wrong
    mistaken = replace(whole, case=replace(whole.case, test=replace(whole.case.test, labels=labels)))
    few = scores | {"few": scores["random"][:, :7]}
    table = of_targets(mistaken, end, few, ["few"], Tiny.n, [1])
    assert table.test_index.tolist() == [target for target in others if target < 7]
    assert of_targets(mistaken, end, scores, ["random"], 1, [1]).test_index.tolist() == others[:1]


def test_label_neighbours_are_made_of_neighbours(whole, end, scores):
    ranked = scores | {NEIGHBOURS: torch.cdist(whole.case.train.inputs[0], whole.case.test.inputs[0])}
    table = of_targets(whole, end, ranked, [LABEL_NEIGHBOURS], 1, [2])
    (target,) = table.test_index
    same = whole.case.train.labels == whole.case.test.labels[target]
    order = ranked[NEIGHBOURS][:, target].argsort()
    _, change = flipped_without(whole, end, order[same[order]][:2], target)
    assert table.actual.item() == pytest.approx(change, abs=1e-12)
