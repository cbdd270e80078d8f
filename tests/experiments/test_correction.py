"""Corrections: their direction on a convex problem, whom they look at, when they stop; how often they succeed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import Tiny, reference_gradients
from fading.errors import FadingError
from fading.experiments.correction.attempts import attempts
from fading.experiments.correction.attempts import trials as run_trials
from fading.experiments.correction.gallery import gallery, with_text
from fading.experiments.correction.interventions import (
    Clipped,
    Trained,
    correct,
    outcomes,
    practice,
    retrained,
    treatment,
)
from fading.experiments.correction.names import (
    ASCEND,
    DESCEND,
    DROP,
    HARMFUL,
    HELPFUL,
    ITSELF,
    LABEL_NEIGHBOURS,
    MISLEAD,
    NEIGHBOURS,
    OF_LABEL,
    RANDOM,
    RELABEL,
    RETRAIN,
    SHOWN,
    TARGET,
)
from fading.experiments.correction.nesting import block, in_turn
from fading.experiments.correction.rankings import Ranking, rankings
from fading.experiments.correction.success import paired, summary
from fading.experiments.effects import by_place
from fading.models.case import Examples
from fading.training.optimizers import SGD, AdamW, Momentum
from fading.training.order import batch_order
from fading.training.segment import Segment, batch_loss, batches, descend, state_after, unit_weights
from scipy import stats

ALL = (DESCEND, ASCEND, RELABEL, DROP, MISLEAD)
EVERYONE = torch.ones(Tiny.n, dtype=torch.bool)


def trained(kind="logistic", weight_decay=0.0, others=9, seed=0):
    case, theta = Tiny.make(kind, weight_decay)
    upcoming = batches(batch_order(Tiny.n, 8, 3, 12, 0))
    return Trained(case, theta[None], 3, upcoming, others, seed)


def influence(model, target):
    """Gradient dot products with a target, positive where harmful, one example at a time."""
    case, theta = model.case, model.state[0]
    gradients = reference_gradients(case, theta, case.train)
    (own,) = reference_gradients(case, theta, case.test[target : target + 1])
    return Ranking(-gradients @ own, EVERYONE)


def loss_after_a_step(model, treated, target):
    first = replace(treated.segment, batches=treated.segment.batches[:1])
    theta = state_after(first, treated.weights)[0]
    return model.case.losses(theta, model.case.test[target : target + 1]).item()


@pytest.mark.parametrize("target", range(9))
def test_on_a_convex_problem_a_step_moves_the_targets_loss_as_convexity_proves(target):
    model, rate, count = trained(), 1e-3, 4
    example = model.case.test[target : target + 1]
    before = model.case.losses(model.state[0], example).item()
    ranking = influence(model, target)
    # A softmax loss on features of norm r has a Hessian of norm ½ r² at most, so that a step −ηg changes it by
    # −η⟨g_z, g⟩ + ¼ η² r² ‖g‖² at most, and since it is convex by −η⟨g_z, g⟩ at least.
    radius = example.inputs[0].square().sum().item() + 1
    gradients = reference_gradients(model.case, model.state[0], model.case.train)
    for intervention, used, sign in (
        (DESCEND, ranking.helpful(count), 1),
        (ASCEND, ranking.harmful(count), -1),
        (MISLEAD, ranking.harmful(count), 1),
    ):
        treated = treatment(model, ranking, intervention, target, count, SGD(rate), 1)
        after = loss_after_a_step(model, treated, target)
        slope = sign * rate * ranking.scores[used].mean().item()
        curve = rate**2 / 4 * radius * gradients[used].mean(0).square().sum().item()
        assert slope - 1e-12 <= after - before <= slope + curve + 1e-12
        assert (after < before) == (intervention != MISLEAD), "far above what the second order could turn"
    relabelled = treatment(model, ranking, RELABEL, target, count, SGD(rate), 1).segment.case.train
    used = ranking.harmful(count, model.case.train.labels != example.labels)
    assert torch.equal(relabelled.inputs[0], model.case.train.inputs[0][used])
    assert (relabelled.labels == example.labels).all()


@pytest.mark.parametrize("kind", ["logistic", "bert", "resnet-gelu"])
@pytest.mark.parametrize("intervention", ALL)
def test_no_test_label_but_the_targets_own_is_used(kind, intervention):
    model, target = trained(kind), 4
    labels = torch.zeros_like(model.case.test.labels)
    labels[target] = model.case.test.labels[target]
    blind = replace(model, case=replace(model.case, test=Examples(model.case.test.inputs, labels)))
    scores = {name: torch.randn(Tiny.n, generator=torch.Generator().manual_seed(1)) for name in (RANDOM, NEIGHBOURS)}
    for method in (RANDOM, OF_LABEL, LABEL_NEIGHBOURS):
        if method == OF_LABEL and intervention == RELABEL:
            continue  # has no other labels
        corrections = []
        for seeing in (model, blind):
            ranking = rankings(seeing.case, target, scores)[method]
            treated = treatment(seeing, ranking, intervention, target, 2, SGD(0.1), 3)
            corrections.append(correct(seeing, target, treated, [1, 3]))
        first, second = corrections
        assert first.losses == second.losses
        assert first.thetas.keys() == second.thetas.keys()
        assert all(torch.equal(theta, second.thetas[step]) for step, theta in first.thetas.items())


def test_retention_and_accuracy_are_of_other_test_examples():
    model = trained(others=6)
    theta = model.state[0]
    right = model.before.clone()
    assert model.elsewhere(theta, 2) == (1, 0)
    model.__dict__["before"] = torch.where(torch.arange(9) == 2, (right + 1) % 3, right)  # as if it had been otherwise
    assert model.elsewhere(theta, 2)[0] == 1, "the target's own prediction changed"
    assert model.elsewhere(theta, 3)[0] == pytest.approx(4 / 5), "one of the five others changed"
    assert model.elsewhere(theta, 8)[0] == pytest.approx(5 / 6), "a target that is not among them"
    gained = float(right[2] == model.case.test.labels[2]) - float(model.before[2] == model.case.test.labels[2])
    assert model.elsewhere(theta, 3)[1] == pytest.approx(gained / 5)


def test_runs_have_targets_and_others_of_their_own():
    measured, tests, size = 64, 1000, 100
    turns = [in_turn(measured, seed).tolist() for seed in range(5)]
    assert all(sorted(turn) == list(range(measured)) for turn in turns)
    assert turns[0] == list(range(measured))
    firsts = [index for turn in turns for index in turn[:12]]
    assert len(set(firsts)) == len(firsts)
    assert [turn[0] for turn in turns] == [0, 13, 26, 39, 52]
    blocks = [block(tests, size, seed).tolist() for seed in range(10)]
    assert sorted(index for looked_at in blocks for index in looked_at) == list(range(tests))
    assert block(tests, size, 12).tolist() == blocks[2]
    assert block(9, 9, 7).tolist() == list(range(9)), "where only one fits, all runs have it"
    assert block(32, 30, 3).tolist() == list(range(30))


@pytest.mark.parametrize("seed", range(4))
def test_a_run_looks_at_its_own_targets_and_others(seed):
    model = trained(others=4, seed=seed)
    hit = (model.before == model.case.test.labels).tolist()
    turn = [(seed + place) % Tiny.measured for place in range(Tiny.measured)]  # a fifth of 5 measured is one
    assert model.wrong(2) == [index for index in turn if not hit[index]][:2]
    assert model.right(2) == [index for index in turn if hit[index]][:2]
    before, own = model.before.clone(), [0, 1, 2, 3] if seed % 2 == 0 else [4, 5, 6, 7]  # of 9, two blocks of 4
    for changed in range(9):
        model.__dict__["before"] = (before + (torch.arange(9) == changed)) % 3  # as if one had been otherwise
        kept = {target: model.elsewhere(model.state[0], target)[0] for target in (8, own[1])}
        assert kept[8] == (3 / 4 if changed in own else 1)
        assert kept[own[1]] == pytest.approx(2 / 3 if changed in {*own} - {own[1]} else 1), "without the target itself"


def test_ties_go_by_place():
    scores = torch.tensor([2.0, 1.0, 2.0, 1.0, 2.0, -0.0, 0.0])
    ranking = Ranking(scores, torch.tensor([True, True, True, True, False, True, True]))
    assert ranking.helpful(4).tolist() == [5, 6, 1, 3]
    assert ranking.harmful(3).tolist() == [0, 2, 1]
    assert ranking.harmful(2, torch.tensor([False] * 3 + [True] * 4)).tolist() == [3, 5]
    same = Ranking(torch.zeros(3000), torch.ones(3000, dtype=torch.bool))
    assert same.helpful(5).tolist() == same.harmful(5).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(FadingError, match="There are 6 training examples to choose from; 7 are wanted"):
        ranking.helpful(7)


def test_controls_know_the_label_and_nothing_more():
    case = trained().case
    generator = torch.Generator().manual_seed(2)
    scores = {name: 2 * torch.rand(Tiny.n, generator=generator) - 1 for name in (NEIGHBOURS, RANDOM)}
    known, label = rankings(case, 1, scores), case.test.labels[1]
    same = case.train.labels == label
    assert known[OF_LABEL].helpful(int(same.sum())).sort().values.tolist() == same.nonzero()[:, 0].tolist()
    aware = known[LABEL_NEIGHBOURS]
    nearest = scores[NEIGHBOURS].argsort().tolist()
    assert (scores[NEIGHBOURS][~same] > 0).any(), "of another label and pointing the other way: no help all the same"
    assert same[aware.helpful(int(same.sum()))].all()
    assert not same[aware.harmful(int((~same).sum()))].any()
    assert aware.helpful(3).tolist() == [example for example in nearest if same[example]][:3]
    assert aware.harmful(3).tolist() == [example for example in nearest if not same[example]][:3]


def test_what_was_not_scored_is_not_taken():
    case, scored = trained().case, torch.tensor([1, 4, 5, 8, 9, 12, 17, 20])
    generator = torch.Generator().manual_seed(3)
    names = (NEIGHBOURS, RANDOM, "abif")
    arrays = {name: torch.randn(len(scored), 2, generator=generator).numpy() for name in names}
    files = {name: {"scores": found, "examples": scored.numpy()} for name, found in arrays.items()}
    placed = {name: by_place(file, Tiny.n, scored.numpy()) for name, file in files.items()}
    for array, found in zip(placed.values(), arrays.values(), strict=True):
        np.testing.assert_array_equal(array[scored], found)
        assert np.isnan(np.delete(array, scored, 0)).all()
    fewer = by_place(files["abif"], Tiny.n, np.array([5, 17]))
    np.testing.assert_array_equal(fewer[[5, 17]], arrays["abif"][[2, 6]])
    assert np.isnan(fewer[:, 0]).sum() == Tiny.n - 2, "of those scored only those among whom to choose"
    with pytest.raises(FadingError, match="Of 2 training examples 1 were scored"):
        by_place(files["abif"], Tiny.n, np.array([5, 6]))
    known = rankings(case, 1, {name: torch.as_tensor(array[:, 1]) for name, array in placed.items()})
    same = case.train.labels == case.test.labels[1]
    own = int(same[scored].sum())
    assert 0 < own < len(scored)
    assert set(known) == {*names, OF_LABEL, LABEL_NEIGHBOURS}
    for name, ranking in known.items():
        count = own if name == OF_LABEL else len(scored)
        for chosen in (ranking.helpful(count), ranking.harmful(count)):
            assert set(chosen.tolist()) <= set(scored.tolist()), name
        with pytest.raises(FadingError, match=f"There are {count} training examples to choose from"):
            ranking.helpful(count + 1)
    assert same[known[LABEL_NEIGHBOURS].helpful(own)].all()


def test_dropping_goes_on_with_training_without_them():
    model, count = trained(weight_decay=0.1), 5
    ranking = influence(model, 0)
    treated = treatment(model, ranking, DROP, 0, count, SGD(0.1), 6)
    theta = model.state[0]
    harmful = (-ranking.scores).argsort()[:count].tolist()
    for batch in model.upcoming[:6]:
        at = theta.clone().requires_grad_()
        kept = [example for example in batch.tolist() if example not in harmful]
        loss = model.case.losses(at, model.case.train[torch.tensor(kept)]).sum() / len(batch) + 0.05 * at @ at
        theta = theta - 0.1 * torch.autograd.grad(loss, at)[0]
    assert torch.equal(treated.segment.state, model.state)
    assert treated.segment.first_step == model.step
    torch.testing.assert_close(state_after(treated.segment, treated.weights)[0], theta, rtol=1e-10, atol=1e-12)


def test_ascent_is_clipped_to_its_first_gradient():
    model = trained(weight_decay=0.1)
    treated = treatment(model, influence(model, 0), ASCEND, 0, 3, SGD(1.0), 30)
    segment, at = treated.segment, model.state[0].clone().requires_grad_()
    first = torch.autograd.grad(batch_loss(segment.case, at, segment.batches[0], treated.weights), at)[0]
    assert segment.optimizer.limit == pytest.approx(first.norm().item())
    previous = model.state[0]
    for _, (theta, *_), _ in descend(segment, treated.weights):
        assert (theta - previous).norm() <= first.norm() * (1 + 1e-9)
        previous = theta
    short, long = torch.tensor([[0.0, 0.0]]), torch.tensor([3.0, 4.0])
    assert Clipped(SGD(1.0), 10.0).step(short, long, 0)[0].tolist() == [-3, -4]
    assert Clipped(SGD(1.0), 1.0).step(short, long, 0)[0].tolist() == pytest.approx([-0.6, -0.8])
    assert Clipped(SGD(1.0), 1.0).step(short, torch.zeros(2), 0)[0].tolist() == [0, 0]


def test_a_correction_stops_when_it_has_succeeded():
    model = trained()
    target = model.wrong(9)[0]
    wide = replace(model.case, measured=9)
    right = (model.before == model.case.test.labels).tolist()
    assert replace(model, case=wide).right(9) == [place for place in range(9) if right[place]]
    example = model.case.test[target : target + 1]
    done = correct(model, target, practice(model, example, SGD(0.05), 200), [1, 2, 200])
    assert done.taken > 2
    assert sorted(done.thetas) == [1, 2, done.taken]
    assert done.losses[-1] < done.losses[0]
    assert model.predicted(done.thetas[done.taken], example) == example.labels
    assert model.predicted(done.thetas[2], example) != example.labels
    rows = pd.DataFrame(outcomes(model, target, done, [1, 2, 200]))
    assert rows.success.tolist() == [0, 0, 1]
    assert rows.taken.isna().tolist() == [True, True, False]
    assert rows.visits.tolist() == [1, 2, done.taken]
    assert rows.loss.tolist() == [done.losses[1], done.losses[2], done.losses[-1]]
    assert rows.retention.iloc[-1] == model.elsewhere(done.thetas[done.taken], target)[0]
    assert rows.distance.iloc[-1] == (done.thetas[done.taken] - model.state[0]).norm().item()
    given_up = correct(model, target, practice(model, example, SGD(1e-9), 4), [1, 4])
    assert (given_up.taken, sorted(given_up.thetas), len(given_up.losses)) == (None, [1, 4], 5)
    target = replace(model, case=wide).right(1)[0]
    treated = treatment(model, influence(model, target), MISLEAD, target, 6, SGD(0.5), 100)
    misled = correct(model, target, treated, [100], right=False)
    theta = misled.thetas[misled.taken]
    assert model.predicted(theta, model.case.test[target : target + 1]) != model.case.test.labels[target]


def test_what_is_kept_is_compared_at_equal_steps():
    model, steps, rule = trained("sentences"), [1, 2, 40], SGD(0.05)
    target = model.wrong(9)[0]
    example = model.case.test[target : target + 1]
    stopped, went_on = (
        correct(model, target, practice(model, example, rule, 40), steps, go_on=go_on) for go_on in (False, True)
    )
    assert 1 < stopped.taken < 40
    assert (stopped.taken, stopped.losses, stopped.visits) == (went_on.taken, went_on.losses, went_on.visits)
    rows, alike = (pd.DataFrame(outcomes(model, target, done, steps)) for done in (went_on, stopped))
    pd.testing.assert_frame_equal(rows.drop(columns="retention_equal"), alike.drop(columns="retention_equal"))
    assert alike.retention_equal.isna().all()
    theta, kept = model.state[0], {}
    for step in range(1, 41):
        at = theta.clone().requires_grad_()
        theta = theta - 0.05 * torch.autograd.grad(model.case.losses(at, example).sum(), at)[0]
        kept[step] = model.elsewhere(theta, target)[0]
    assert rows.retention_equal.tolist() == [kept[step] for step in steps]
    assert rows.retention.tolist() == [kept[min(step, stopped.taken)] for step in steps]
    assert kept[40] < kept[stopped.taken], "or the test would not tell them apart"


def test_only_descents_are_continued():
    case, start = Tiny.make("logistic")
    order, rule = batch_order(Tiny.n, 8, 0, 3, 0), SGD(0.01)
    whole = Segment(case, start[None], batches(order), rule)
    checkpoints = {0: start[None], **{step: state for step, state, _ in descend(whole)}}
    model = Trained(case, checkpoints[3], 3, batches(batch_order(Tiny.n, 8, 3, 12, 0)), 9, 0)
    generator = torch.Generator().manual_seed(1)
    scores = {name: torch.randn(Tiny.n, Tiny.measured, generator=generator) for name in (RANDOM, NEIGHBOURS)}
    settings = {
        **{"optimizer": "sgd", "learning_rate": 0.01, "learning_rates": [0.5], "steps": [1, 6], "targets": 2},
        **{"examples": [2], "harmful": [RANDOM], "retrained": [RANDOM]},
    }
    rows, paths = run_trials(model, scores, checkpoints, order, settings, iter)
    assert set(rows.intervention) == {*ALL, RETRAIN}
    descents = rows.intervention == DESCEND
    assert rows[descents].retention_equal.between(0, 1).all()
    assert rows[~descents].retention_equal.isna().all()
    assert set(rows[descents].method) == {RANDOM, OF_LABEL, NEIGHBOURS, LABEL_NEIGHBOURS, ITSELF}
    to_the_end = rows[descents & ((rows.success == 0) | (rows.taken == rows.step))]
    assert (to_the_end.retention == to_the_end.retention_equal).all(), "where none is left, both are the same"
    stops = paths[paths.intervention == DESCEND].groupby(["test_index", "method"]).step.max()
    last = rows[descents & (rows.step == 6)].set_index(["test_index", "method"]).sort_index()
    assert (last.taken.fillna(6) == stops).all(), "the target's loss is followed until it is right"


@pytest.mark.parametrize("harmful", [[3, 11, 20], [0]])
def test_retraining_leaves_examples_out_from_the_start(harmful):
    case, start = Tiny.make("resnet-gelu", 0.01)
    order, rule = batch_order(Tiny.n, 8, 0, 6, 1), SGD(0.1)
    whole = Segment(case, start[None], batches(order), rule)
    checkpoints = {0: start[None], **{step: state for step, state, _ in descend(whole)}}
    state = checkpoints[6]
    model = Trained(case, state, 6, [], 9, 0)
    outcome = retrained(model, 2, torch.tensor(harmful), checkpoints, order, rule)
    weights = unit_weights(case)
    weights[harmful] = 0
    theta = state_after(whole, weights)[0]
    assert outcome["loss"] == case.losses(theta, case.test[2:3]).item()
    assert outcome["loss_before"] == case.losses(state[0], case.test[2:3]).item()
    assert outcome["success"] == float(model.predicted(theta, case.test[2:3]) == case.test.labels[2])
    assert outcome["visits"] == 46
    assert (outcome["retention"], outcome["accuracy_change"]) == model.elsewhere(theta, 2)


def test_every_method_is_tried_with_every_rate_and_every_number_of_examples():
    settings = {"examples": [3, 10], "learning_rates": [0.1, 0.2], "harmful": ["a"], "retrained": ["b"]}
    tried = attempts([5, 6], [7], ["a", "b"], {**settings, "learning_rate": 1.0})
    assert len(set(tried)) == len(tried) == 2 * (2 * 3 + 2 + 3 + 1) + 1
    descents = [attempt for attempt in tried if attempt.intervention == DESCEND]
    others = [attempt for attempt in tried if attempt.intervention != DESCEND]
    assert {(attempt.k, attempt.learning_rate) for attempt in others} == {(10, 0.2), (10, 1.0)}
    assert {attempt.test_index for attempt in others if attempt.intervention == MISLEAD} == {7}
    settings_of_a = {(attempt.k, attempt.learning_rate) for attempt in descents if attempt.method == "a"}
    assert settings_of_a == {(3, 0.2), (10, 0.1), (10, 0.2)}
    assert {attempt.k for attempt in tried if attempt.method == ITSELF} == {1}


@pytest.mark.parametrize("rule", [Momentum(0.1), AdamW(0.1)])
def test_momentum_gathered_in_training_does_not_correct(rule):
    case, theta = Tiny.make("logistic")
    state = rule.start(theta)
    state[1:] = 5.0
    model = Trained(case, state, 3, batches(batch_order(Tiny.n, 8, 3, 12, 0)), 9, 0)
    ranking = influence(model, 0)
    for intervention in (DESCEND, ASCEND, RELABEL, MISLEAD):
        assert not treatment(model, ranking, intervention, 0, 2, rule, 1).segment.state[1:].any()
    going_on = treatment(model, ranking, DROP, 0, 2, rule, 1)
    assert torch.equal(going_on.segment.state, state), "training goes on as it was"


def test_adamw_practises_with_moments_and_bias_corrections_of_a_fresh_start():
    case, theta = Tiny.make("logistic")
    rule = AdamW(0.1, weight_decay=0.3)
    model = Trained(case, rule.start(theta), 300, [], 9, 0)
    (target,) = model.right(1)
    example, at = case.test[target : target + 1], theta.clone().requires_grad_()
    practised = correct(model, target, practice(model, example, rule, 3), [1, 2, 3], right=False)
    fresh = torch.optim.AdamW([at], lr=0.1, weight_decay=0.3)
    for step in (1, 2, 3):
        fresh.zero_grad()
        (case.losses(at, example).sum() + case.weight_decay / 2 * at @ at).backward()
        fresh.step()
        torch.testing.assert_close(practised.thetas[step], at.detach(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("intervention", ALL)
def test_corrections_count_their_own_steps(intervention):
    model = trained()
    treated = treatment(model, influence(model, 0), intervention, 0, 3, SGD(1e-9), 4)
    assert treated.segment.first_step == (model.step if intervention == DROP else 0)
    hopeless = correct(model, 0, treated, [1, 4], right=bool(model.before[0] != model.case.test.labels[0]))
    assert (hopeless.taken, sorted(hopeless.thetas), len(hopeless.losses)) == (None, [1, 4], 5)


# What influential means


def test_a_gallery_shows_the_target_between_both_ends_of_its_ranking():
    model, labels = trained(), ["no", "maybe", "yes"]
    ranking = influence(model, 2)
    rows = {"train_rows": np.arange(Tiny.n) + 100, "test_rows": np.arange(9) + 200}
    frame = gallery(model, 2, ranking, rows, labels)
    assert frame.kind.tolist() == [TARGET] + [HELPFUL] * SHOWN + [HARMFUL] * SHOWN
    shown = frame[frame.kind != TARGET]
    assert shown["index"].tolist() == [*ranking.helpful(SHOWN).tolist(), *ranking.harmful(SHOWN).tolist()]
    assert (shown.row == shown["index"] + 100).all()
    assert shown.label.tolist() == [labels[model.case.train.labels[index]] for index in shown["index"]]
    assert shown.score.tolist() == [ranking.scores[index].item() for index in shown["index"]]
    target = frame.iloc[0]
    assert (target.place, target["index"], target.row) == (0, 2, 202)
    assert (target.label, target.predicted) == (labels[model.case.test.labels[2]], labels[model.before[2]])
    assert (frame.test_index == 2).all()
    source = pd.DataFrame({"text": [f"sentence {row}" for row in range(300)]})
    assert with_text(frame, source).text.tolist() == [f"sentence {row}" for row in frame.row]
    assert (with_text(frame, None).text == "").all()


# Tables


def trials(successes: dict[str, list[list[float]]]) -> pd.DataFrame:
    """One case and setting; per method and seed, a target per success."""
    frames = [
        pd.DataFrame(
            {
                **{"case": "a", "seed": seed, "method": method, "test_index": range(len(hits))},
                **{"intervention": DESCEND, "k": 3, "learning_rate": 0.1, "relative_rate": 0.2, "step": 5},
                **{"success": hits, "taken": np.nan, "loss_before": 2.0, "loss": 1.5, "distance": 0.5},
                **{"retention": np.linspace(0.8, 1, len(hits)), "retention_equal": 0.7},
                **{"accuracy_change": 0.0, "visits": 15},
            }
        )
        for method, seeds in successes.items()
        for seed, hits in enumerate(seeds)
    ]
    return pd.concat(frames, ignore_index=True)


def test_tables_average_and_pair_by_target_and_seed():
    frame = trials({"abif": [[1, 1, 1, 0], [0, 0, 1, 0]], RANDOM: [[0, 1, 0, 0], [0, 0, 1, 1]]})
    table = summary(frame).set_index("method")
    assert table.success.to_dict() == {"abif": 0.5, RANDOM: 0.375}
    assert (table.trials.tolist(), table.distinct.tolist()) == ([8, 8], [4, 4])
    assert table.retention["abif"] == pytest.approx(0.9)
    assert (table.loss_change == -0.5).all()
    assert table[["ci_low", "ci_high"]].isna().all(axis=None), "two runs tell no spread"
    (row,) = paired(frame).itertuples()
    assert (row.method, row.control, row.difference, row.rows) == ("abif", RANDOM, 0.125, 2)
    shuffled = paired(frame.sample(frac=1, random_state=0))
    assert shuffled.difference.item() == 0.125


ABIF = [[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 1], [0, 1, 1, 0], [1, 0, 1, 1]]


def test_success_is_a_share_of_trials_of_runs():
    (row,) = summary(trials({"abif": ABIF})).itertuples()
    share = stats.binomtest(sum(map(sum, ABIF)), 20).proportion_ci(method="wilson")
    assert (row.ci_low, row.ci_high) == pytest.approx((share.low, share.high)), "runs that do not differ"
    assert (row.over, row.scale, row.rows) == ("20 trials of 5 runs", "share", 5)
    (unlike,) = summary(trials({"abif": [[1] * 4, [0] * 4, [1] * 4, [1] * 4, [0] * 4]})).itertuples()
    share = stats.binomtest(3, 5).proportion_ci(method="wilson")
    assert unlike.ci_high - unlike.ci_low >= share.high - share.low, "runs that differ are five, not twenty"


def test_what_is_kept_has_an_interval_over_runs_of_its_own():
    frame = trials({"abif": ABIF})
    kept = np.array([0.80, 0.90, 0.94, 0.95, 0.96])
    frame = frame.assign(
        retention=kept[frame.seed] + 0.01 * (frame.test_index - 1.5), retention_equal=0.5 * kept[frame.seed]
    )
    (row,) = summary(frame).itertuples()
    low, high = stats.ttest_1samp(kept, 0).confidence_interval(0.95)
    assert (row.retention_low, row.retention_high) == pytest.approx((low, min(high, 1)))
    assert (row.retention, row.retention_over, row.retention_rows) == (pytest.approx(kept.mean()), "5 runs", 5)
    assert row.retention_se_rows == pytest.approx(kept.std(ddof=1) / np.sqrt(5))
    assert row.retention_equal == pytest.approx(kept.mean() / 2)
    assert row.retention_equal_se_rows == pytest.approx(row.retention_se_rows / 2)
    assert row.retention_high <= 1, "no more than all is kept"


def test_a_difference_is_of_the_very_same_targets():
    controls = [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0]]
    frame = trials({"abif": ABIF, RANDOM: controls, OF_LABEL: ABIF})
    table = paired(frame).set_index(["method", "control"])
    assert set(table.index) == {("abif", RANDOM), ("abif", OF_LABEL), (RANDOM, OF_LABEL), (OF_LABEL, RANDOM)}
    differences = np.array(ABIF) - np.array(controls)
    gained, lost = (differences == 1).sum(), (differences == -1).sum()
    row = table.loc[("abif", RANDOM)]
    assert row.difference == pytest.approx(differences.mean())
    least = np.sqrt(gained + lost + 1 - (gained - lost) ** 2 / 22) / 22  # Agresti and Min 2005
    assert (row.se_rows, row.df) == (pytest.approx(least), 19)
    assert (row.over, row.scale) == ("20 trials of 5 runs", "bounded")
    assert table.difference["abif", OF_LABEL] == 0
    assert table.difference[OF_LABEL, RANDOM] == -table.difference[RANDOM, OF_LABEL] == row.difference
    only = paired(frame[(frame.method != RANDOM) | (frame.test_index < 2)]).set_index(["method", "control"])
    assert only.over["abif", RANDOM] == "10 trials of 5 runs", "those that both tried"
