"""What memory measures of one stretch of training: the effects of its uses beside predictions of them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fading.derivatives.gradients import gradient_products, gradient_projections, per_example_gradients
from fading.derivatives.lanczos import Ritz
from fading.derivatives.reverse import Pulled, fitting, pulled_back
from fading.evidence.correlations import spearman_pseudo_values
from fading.evidence.tables import by_test_example, located
from fading.experiments.memory import GRADIENT_DOT, ONCE, STEP_DOT, agreement
from fading.models.case import Case, Examples
from fading.training.counterfactuals import Counterfactual
from fading.training.optimizers import SGD
from fading.training.retraining import weights
from fading.training.segment import Segment, batch_loss, descend, state_after, unit_weights

ACTUAL = "actual"  # beside what estimators predicted


def effects_by_age(
    segment: Segment,
    tested: Examples,
    read: Sequence[int],
    ages: Sequence[int],
    ritz: Ritz,
    scores: dict[str, Tensor],
    progress=iter,
) -> tuple[pd.DataFrame, dict[int, tuple[int, np.ndarray]]]:
    """How the effects of uses compare with predictions of them, a row per step read, age, estimator and test example.

    Of every use that is as old as one of `ages` when the losses of M `tested` examples are read, after the steps
    `read`. Predictions at its time are by gradients before the step: the gradient dot product −(η_t/|B_t|) ⟨∇ℓ(θ_t; z),
    ∇ℓ(θ_t; x)⟩; what the optimiser's step makes of it, for SGD the same; and for SGD the filter of constant curvature,
    Π (1 − η_s λ) over the steps since, on Ritz vectors of the fork. `scores` (n, M) are the estimators', at the fork.
    `forecast` is the slope that constant_slopes() knows there. Beside, by step, the first example that it draws and its
    effects (M,) on the losses read last. As many tested examples are followed at a time as fit the budget.
    """
    known, size = constant_slopes(segment, tested, ages, ritz), fitting(segment, read, len(tested), max(ages))
    found: dict[tuple[int, int], list[dict[str, np.ndarray]]] = {}
    for start in range(0, len(tested), size):
        few = slice(start, start + size)
        for step in pulled_back(segment, set(read), tested[few], max(ages), progress):
            wanted = [reading for reading in step.read.unique().tolist() if reading - step.step in ages]
            if not wanted:
                continue
            effects = gradient_projections(segment.case, step.state[0], segment.case.train[step.batch], step.slopes)
            at_its_time, filtered = _at_its_time(segment, step, tested[few], ritz)
            at_the_fork = {name: array[step.batch, few] for name, array in scores.items()}
            for reading in wanted:
                arrays = at_its_time | filtered(reading) | at_the_fork
                arrays[ACTUAL] = effects[:, step.read == reading] / len(step.batch)
                arrays = {name: array.double().numpy(force=True) for name, array in arrays.items()}
                found.setdefault((step.step, reading), []).append(arrays)
    frames, firsts = [], {}
    for (step, reading), parts in found.items():
        predicted = {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}
        actual, age = predicted.pop(ACTUAL), reading - step
        frames.append(located(agreement(predicted, actual), read=reading, age=age).assign(forecast=known[age]))
        if reading == max(read):
            firsts[step] = int(segment.batches[step - segment.first_step][0]), actual[0]
    return pd.concat(frames, ignore_index=True), firsts


def _at_its_time(segment: Segment, step: Pulled, tested: Examples, ritz: Ritz):
    """What gradients before the step predict, (|B|, M) by name; and, for SGD, of a reading what the filter adds."""
    case, theta, optimizer = segment.case, step.state[0], segment.optimizer
    drawn, per_example = case.train[step.batch], 1 / len(step.batch)
    dot = -optimizer.rate(step.step) * per_example * gradient_products(case, theta, drawn, tested)
    if not isinstance(optimizer, SGD):
        cotangents = torch.zeros(len(tested), *step.state.shape, dtype=case.dtype)
        cotangents[:, 0] = per_example_gradients(case, theta, tested)
        pulled = optimizer.pull(step.state, _gradient(case, theta, step.batch), step.step, cotangents)
        moved = per_example * gradient_projections(case, theta, drawn, pulled[:, -1])
        return {GRADIENT_DOT: dot, STEP_DOT: moved}, lambda reading: {}
    rate = optimizer.rate(step.step) * per_example
    train, test = (gradient_projections(case, theta, examples, ritz.vectors) for examples in (drawn, tested))

    def filtered(reading):
        left = torch.ones_like(ritz.values)
        for later in range(step.step + 1, reading):
            left = left * (1 - optimizer.rate(later) * ritz.values)
        return {ONCE: dot - rate * (train * (left - 1)) @ test.T}

    return {GRADIENT_DOT: dot, STEP_DOT: dot}, filtered


def _gradient(case: Case, theta: Tensor, batch: Tensor) -> Tensor:
    theta = theta.detach().requires_grad_()
    return torch.autograd.grad(batch_loss(case, theta, batch, unit_weights(case)), theta)[0]


def constant_slopes(segment: Segment, tested: Examples, ages: Sequence[int], ritz: Ritz) -> dict[int, float]:
    """Which share of a step is left at each age, if curvature stays what it is at the fork: known before any step.

    Σ d f_a / Σ d² over the first batch's examples, a mean over tested ones, with d their gradients' dot product and f_a
    the same after (1 − ηλ)^(a−1) on the Ritz vectors. For SGD; NaN for others.
    """
    case, theta, optimizer = segment.case, segment.state[0], segment.optimizer
    if not isinstance(optimizer, SGD):
        return dict.fromkeys(ages, np.nan)
    drawn = case.train[segment.batches[0]]
    train, test = (gradient_projections(case, theta, examples, ritz.vectors) for examples in (drawn, tested))
    dot, left = gradient_products(case, theta, drawn, tested), 1 - optimizer.rate(segment.first_step) * ritz.values
    filtered = {age: dot + (train * (left ** (age - 1) - 1)) @ test.T for age in ages}
    return {age: ((dot * array).sum(0) / dot.square().sum(0)).mean().item() for age, array in filtered.items()}


def retrained_uses(segment: Segment, uses: dict[int, tuple[int, np.ndarray]], read: int) -> pd.DataFrame:
    """Leave an example out of one step alone and go on: the change of M losses after the step `read`, beside the exact.

    `uses` holds, by age, an example that the step so long before draws and the effect of that use on the first M test
    examples (M,), nats per unit of weight. All else is as it was: same batches, same divisor. A row per use and test
    example: predicted, actual, and spearman, whose pseudo-values have the correlation for their mean.
    """
    case, batches, last = segment.case, segment.batches, read - segment.first_step
    needed, states = {read, *(read - age for age in uses)}, {segment.first_step: segment.state}
    for step, state, _ in descend(replace(segment, batches=batches[:last])):
        if step in needed:
            states[step] = state
    frames = []
    for age, (example, effect) in uses.items():
        step, place = read - age, last - age
        once = Segment(case, states[step], batches[place : place + 1], segment.optimizer, step)
        moved = state_after(once, weights(case, Counterfactual((example,), -1.0)))
        later = Segment(case, moved, batches[place + 1 : last], segment.optimizer, step + 1)
        change = case.measured_losses(state_after(later)[0]) - case.measured_losses(states[read][0])
        values = {"predicted": -effect[None], "actual": change.numpy(force=True)[None, : len(effect)]}
        values["spearman"] = spearman_pseudo_values(values["predicted"], values["actual"])
        frames.append(by_test_example(values, age=age, train_index=example))
    return pd.concat(frames, ignore_index=True)
