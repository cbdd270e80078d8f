"""Planted errors: as many as asked, how well rankings find them, and what mending what they find does."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import Tiny, reference_gradients
from fading.data.drawing import flipped
from fading.evidence.tables import averaged
from fading.experiments import EXPERIMENTS
from fading.experiments.correction.names import NOTHING, RANDOM, RELABEL, REMOVE
from fading.experiments.correction.planted import (
    average_precision,
    folds,
    gains,
    losses_without,
    recovered,
    remedied,
    suspects,
    suspicions,
)
from fading.models.case import Examples
from fading.training.optimizers import SGD
from fading.training.order import batch_order
from fading.training.segment import Segment, batches, state_after
from scipy import stats


def test_flipped_labels_are_as_many_as_asked_and_all_wrong():
    labels = np.arange(400) % 10
    by_seed = [flipped(labels, 0.2, 10, seed) for seed in range(5)]
    for seed, wrong in enumerate(by_seed):
        assert (wrong != labels).sum() == 80
        assert set(wrong) <= set(range(10))
        assert (flipped(labels, 0.2, 10, seed) == wrong).all()
        assert (flipped(labels % 2, 0.5, 2, seed) != labels % 2).sum() == 200
    assert (labels == np.arange(400) % 10).all()
    shifts = np.concatenate([(wrong - labels)[wrong != labels] % 10 for wrong in by_seed])
    assert np.bincount(shifts).max() < 2 * 400 / 9, "every other class about as often"


def test_each_seed_plants_errors_of_its_own():
    labels = np.arange(2000) % 10
    planted = [flipped(labels, 0.2, 10, seed) != labels for seed in range(5)]
    for i in range(5):
        for j in range(i):
            assert 50 < (planted[i] & planted[j]).sum() < 110, "as many in common as by chance, 80"


def test_average_precision_is_the_area_under_the_curve():
    planted = torch.tensor([True, False, True, False, False])
    assert average_precision(torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0]), planted) == pytest.approx((1 + 2 / 3) / 2)
    generator = torch.Generator().manual_seed(0)
    planted, suspicion = torch.rand(400, generator=generator) < 0.2, torch.rand(400, generator=generator)
    area, recall = 0.0, 0.0
    for count in range(1, 401):  # the area, step by step of recall
        flagged = planted[suspicion.argsort(descending=True)[:count]]
        area += (flagged.sum() / planted.sum() - recall) * flagged.double().mean()
        recall = flagged.sum() / planted.sum()
    assert average_precision(suspicion, planted) == pytest.approx(area.item(), rel=1e-6)
    assert suspects(torch.zeros(3000), 3).tolist() == [0, 1, 2], "ties go by place"


def table(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    described = EXPERIMENTS["planted"].tables[name]
    return averaged(frame, described["mean"], described["by"], described["scale"])


def test_the_average_precision_is_averaged_over_runs():
    precisions = np.array([0.4, 0.5, 0.7])
    frame = pd.DataFrame({"case": "a", "step": 7, "seed": range(3), "method": "abif", "average_precision": precisions})
    (row,) = table("planted", frame).itertuples()
    expected = stats.ttest_1samp(precisions, 0).confidence_interval(0.95)
    assert [row.ci_low, row.ci_high] == pytest.approx(list(expected))
    assert (row.over, row.df) == ("3 runs", 2)
    (few,) = table("planted", frame[:2]).itertuples()
    assert np.isnan([few.ci_low, few.ci_high]).all()


def test_what_is_recovered_is_averaged_over_runs_and_the_test_examples_that_they_share():
    random = np.random.default_rng(0)
    shared, of_runs = random.normal(size=40), random.normal(size=(5, 1))
    gains = 0.1 + 0.3 * of_runs + shared + 0.5 * random.normal(size=(5, 40))
    frame = pd.DataFrame({"seed": np.repeat(range(5), 40), "test_index": np.tile(range(40), 5), "gain": gains.ravel()})
    (row,) = table(
        "planted-recovery", frame.assign(case="a", step=7, method="abif", remedy=RELABEL, against=RANDOM)
    ).itertuples()
    assert row.gain == pytest.approx(gains.mean())
    assert row.se_rows == pytest.approx(gains.mean(1).std(ddof=1) / np.sqrt(5))
    assert row.se_columns == pytest.approx(1 / np.sqrt(40), rel=0.3), "more runs would not average it away"
    assert (row.over, row.rows) == ("5 runs × 40 test examples", 5)


def test_suspicions_are_what_they_are_named():
    case, theta = Tiny.make("bert")
    gradients = reference_gradients(case, theta, case.train)
    scores = torch.randn(Tiny.n, Tiny.measured, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    held_out = torch.arange(Tiny.n, dtype=torch.float64)
    suspected = suspicions(case, theta, {"abif": scores}, held_out, seed=3)
    assert torch.equal(suspected["cross-validated loss"], held_out)
    torch.testing.assert_close(suspected["self-influence"], gradients.square().sum(1))
    torch.testing.assert_close(suspected["training loss"], case.losses(theta, case.train))
    torch.testing.assert_close(suspected["abif"], scores.mean(1))
    assert torch.equal(suspected[RANDOM], suspicions(case, theta, {}, held_out, seed=3)[RANDOM])
    assert not torch.equal(suspected[RANDOM], suspicions(case, theta, {}, held_out, seed=4)[RANDOM])


def test_a_cross_validated_loss_is_of_training_that_never_saw_the_example():
    case, theta = Tiny.make("resnet-gelu", 0.0)
    whole = Segment(case, theta[None], batches(Tiny.order(7)), SGD(0.2))
    first, second = folds(Tiny.n, seed=1)
    assert sorted([*first.tolist(), *second.tolist()]) == list(range(Tiny.n))
    assert abs(len(first) - len(second)) == 1
    assert not torch.equal(first, folds(Tiny.n, seed=2)[0])
    found = losses_without(whole, first, [3, 7])
    weights = torch.full((Tiny.n,), Tiny.n / len(second), dtype=torch.float64)
    weights[first] = 0
    assert weights.mean() == pytest.approx(1), "a batch weighs what it weighs with all"
    for losses, steps in zip(found, (3, 7), strict=True):
        theta_without = state_after(replace(whole, batches=whole.batches[:steps]), weights)[0]
        torch.testing.assert_close(losses, case.losses(theta_without, case.train[first]))
    wrong = case.train.labels.clone()
    wrong[first[0]] = (wrong[first[0]] + 1) % 3
    again = replace(whole, case=replace(case, train=replace(case.train, labels=wrong)))
    assert torch.equal(losses_without(again, first, [7])[0, 1:], found[1, 1:]), "its own label moves nothing else"


def test_gains_are_over_nothing_and_over_random_suspects_by_the_same_remedy():
    hits = {(NOTHING, REMOVE): np.array([1.0, 0.0]), (RANDOM, REMOVE): np.array([1.0, 1.0])}
    table = gains({**hits, ("abif", REMOVE): np.array([0.0, 1.0])})
    assert set(table.test_index) == {0, 1}
    by_method = table.groupby(["method", "against"]).gain.apply(list)
    assert by_method["abif", NOTHING] == [-1, 1]
    assert by_method["abif", RANDOM] == [-1, 0]
    assert by_method[RANDOM, NOTHING] == [0, 1]
    assert by_method[NOTHING, NOTHING] == [0, 0]


def test_remedies_mend_what_was_found_and_are_judged_on_unmeasured_examples():
    case, theta = Tiny.make("logistic", 0.0)
    true_labels, suspected = (case.train.labels + 1) % 3, torch.tensor([2, 5])
    labels, weights = remedied(case, REMOVE, suspected, true_labels)
    assert torch.equal(labels, case.train.labels)
    assert weights.tolist() == [0.0 if example in (2, 5) else 1.0 for example in range(Tiny.n)]
    labels, weights = remedied(case, RELABEL, suspected, true_labels)
    assert (weights == 1).all()
    assert (labels != case.train.labels).nonzero()[:, 0].tolist() == [2, 5]
    onwards = Segment(case, theta[None], batches(batch_order(Tiny.n, 8, 0, 4, 0)), SGD(0.1))
    hits = recovered(onwards, labels, weights)
    mended = replace(case, train=Examples(case.train.inputs, labels))
    moved = state_after(replace(onwards, case=mended), weights)[0]
    unseen = case.test[Tiny.measured :]
    assert hits.tolist() == (case.logits(moved, unseen.inputs).argmax(1) == unseen.labels).double().tolist()
