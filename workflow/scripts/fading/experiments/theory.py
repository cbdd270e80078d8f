"""What theory says of a continuation with examples up-weighted, beside the parameters' measured change."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from fading.artefacts import budget
from fading.derivatives.gradients import (
    gradient_norms,
    gradient_products,
    gradient_projections,
    per_example_gradients,
)
from fading.derivatives.lanczos import Ritz
from fading.derivatives.response import linear_response, loss_response, relative_error
from fading.training.counterfactuals import Counterfactual
from fading.training.optimizers import SGD
from fading.training.replicas import record_each, replica, unchanged
from fading.training.segment import Segment, descend

FOLLOWED = 6  # vectors for each row of the state: the linear response, twice, before and after a step


def beside_theory(
    segment: Segment, counterfactuals: Sequence[Counterfactual], ritz: Ritz, steps: list[int], at_once: int, progress
) -> dict[str, np.ndarray]:
    """What K counterfactuals of a continuation do, and what theory says of those that up-weight an example.

    loss_change, how the measured losses differ from the unchanged continuation's after each of R `steps`: (K, R, M).
    norm, how far the parameters are apart: (K, R). And what predictions() gives, under "theory.". `at_once` of them
    advance together; they go in parts that fit the budget. Raises FadingError if it does not hold one.
    """
    case, state = segment.case, segment.state
    each = (len(steps) + FOLLOWED * len(state)) * state[0].nbytes
    budget.require(each, f"A counterfactual that is recorded {len(steps)} times", share=0.6)
    size, parts = budget.fitting(each, len(counterfactuals), share=0.6), []
    for place in range(0, len(counterfactuals), size):
        few, deltas = counterfactuals[place : place + size], []
        replicas = [replica(case, state, counterfactual) for counterfactual in few]
        runs = record_each(segment, [unchanged(case, state), *replicas], steps, at_once)
        before, losses_before = next(runs)
        part: dict[str, list] = {"loss_change": [], "norm": []}
        for counterfactual, (thetas, losses) in zip(progress(few), runs, strict=True):
            delta = thetas.sub_(before)
            part["loss_change"].append((losses - losses_before).numpy(force=True))
            part["norm"].append(delta.double().norm(dim=1).numpy(force=True))
            if counterfactual.epsilon:
                deltas.append(delta)
        arrays = {name: np.stack(rows) for name, rows in part.items()}
        changed = [counterfactual for counterfactual in few if counterfactual.epsilon]
        if changed:
            told = predictions(segment, changed, deltas, ritz, steps, progress)
            arrays |= {f"theory.{name}": array for name, array in told.items()}
        parts.append(arrays)
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: np.concatenate([part[name] for part in parts if name in part]) for name in names}


def predictions(
    segment: Segment,
    up_weighted: list[Counterfactual],
    deltas: Sequence[Tensor],
    ritz: Ritz,
    steps: list[int],
    progress=iter,
) -> dict[str, np.ndarray]:
    """For K up-weighted examples and R recorded steps, with the measured changes δ of the parameters, (R, p) of each.

    effect, the linear response's change of the measured losses, and for SGD effect-once, that to the first step's
    up-weighting alone; those at constant curvature and without curvature (see constant_curvature and along_the_path):
    (K, R, M) each, nats. error, the linear response's relative error: (K, R). reused, the step that draws the example
    for the second time, or one after the last: (K,). And for SGD forcing, the length (η/|B_t|) |ε| ‖∇ℓ(θ_t; x_k)‖ of
    what each of T steps adds along the unchanged run, 0 where it does not draw the example: (K, T).
    """
    case, theta, batches, optimizer = segment.case, segment.state[0], segment.batches, segment.optimizer
    examples = torch.tensor([counterfactual.members[0] for counterfactual in up_weighted])
    epsilon = torch.tensor([counterfactual.epsilon for counterfactual in up_weighted], dtype=torch.float64)
    used = uses(batches, examples)
    effects = constant_curvature(segment, ritz, examples, steps)
    again = torch.zeros(len(examples), dtype=torch.bool)
    if isinstance(optimizer, SGD):
        effects |= along_the_path(segment, examples, steps)
        again = used[1:].any(0)  # of all others the response to the first step is the whole response
    groups = [(example,) for example in [*examples.tolist(), *examples[again].tolist()]]
    counted = torch.ones(len(batches), len(groups), dtype=torch.bool)
    counted[1:, len(examples) :] = False
    responses = linear_response(segment, groups, progress, counted)
    read, errors, slopes = [], [], torch.zeros(used.shape, dtype=torch.float64)
    for step, (_, after, psi) in enumerate(responses, start=1):
        drawn = used[step - 1]
        if drawn.any():
            slopes[step - 1, drawn] = gradient_norms(case, theta, case.train[examples[drawn]]).double()
        if step in steps:
            read.append(loss_response(case, after, psi))
            apart = torch.stack([delta[steps.index(step)] for delta in deltas])
            errors.append(relative_error(apart, epsilon, psi[: len(examples)]))
        theta = after
    effects["effect"], first = torch.stack(read, 1).tensor_split([len(examples)])
    if isinstance(optimizer, SGD):
        effects["effect-once"] = effects["effect"].index_put((again,), first)
    predicted = {name: (epsilon[:, None, None] * effect).numpy(force=True) for name, effect in effects.items()}
    predicted |= {"error": torch.stack(errors, 1).numpy(force=True), "reused": second_use(used)}
    if isinstance(optimizer, SGD):
        sizes = torch.tensor(list(map(len, batches)))
        forcing = optimizer.learning_rate * epsilon.abs()[:, None] * (slopes / sizes[:, None]).T
        predicted["forcing"] = forcing.numpy(force=True)
    return predicted


def uses(batches: list[Tensor], examples: Tensor) -> Tensor:
    """Whether each of T batches draws each of K examples: (T, K), 0 or 1."""
    return torch.stack([torch.isin(examples, batch) for batch in batches])


def constant_curvature(segment: Segment, ritz: Ritz, examples: Tensor, steps: list[int]) -> dict[str, Tensor]:
    """What SGD at the curvature of its start would make of up-weighting each of K examples: (K, R, M), nats per ε.

    ψ_{t+1} = (I − ηH) ψ_t − (η/|B_t|) 1[k∈B_t] ∇ℓ(θ; x_k), read off as ⟨∇ℓ(θ; z), ψ_t⟩ after each of `steps`. H acts on
    the Ritz vectors; on all other directions it counts as the weight decay alone. "static" has the first step's
    up-weighting and no H, "once" H as well, "repeated" the later steps that draw the example and no H, "horizon" both.
    Of optimisers other than SGD, "static" alone.
    """
    case, theta, optimizer = segment.case, segment.state[0], segment.optimizer
    test = gradient_projections(case, theta, case.tested, ritz.vectors)
    train = gradient_projections(case, theta, case.train[examples], ritz.vectors)
    products = gradient_products(case, theta, case.train[examples], case.tested)
    rate, sizes = optimizer.learning_rate, torch.tensor(list(map(len, segment.batches)), dtype=case.dtype)
    forced = rate * uses(segment.batches, examples).to(case.dtype) / sizes[:, None]
    first = forced.clone()
    first[1:] = 0
    effects = {"static": -(first[0, :, None] * products)[:, None].repeat(1, len(steps), 1)}
    if not isinstance(optimizer, SGD):
        return effects
    effects["repeated"] = -forced.cumsum(0)[torch.tensor(steps) - 1].T[..., None] * products[:, None]
    beyond = products - train @ test.T
    for name, forcing in (("once", first), ("horizon", forced)):
        within, outside = torch.zeros_like(train), torch.zeros(len(examples), dtype=case.dtype)
        recorded = []
        for step, force in enumerate(forcing, start=1):
            within = (1 - rate * ritz.values) * within - force[:, None] * train
            outside = (1 - rate * case.weight_decay) * outside - force
            if step in steps:
                recorded.append(within @ test.T + outside[:, None] * beyond)
        effects[name] = torch.stack(recorded, 1)
    return effects


def along_the_path(segment: Segment, examples: Tensor, steps: list[int]) -> dict[str, Tensor]:
    """What SGD without curvature would make of up-weighting K examples along its trajectory: (K, R, M), nats per ε.

    With f_s = −(η/|B_s|) 1[k∈B_s] ∇ℓ(θ_s; x_k), after each t of `steps`: "path" ⟨∇ℓ(θ_t; z), f_0⟩, "tracin"
    ⟨∇ℓ(θ_t; z), Σ_{s<t} f_s⟩ (Pruthi et al. 2020, with a checkpoint per step).
    """
    case, theta, rate = segment.case, segment.state[0], segment.optimizer.learning_rate
    moved = torch.zeros(len(examples), len(theta), dtype=case.dtype)
    recorded = []
    used = uses(segment.batches, examples)
    for step, ((_, state, _), batch, drawn) in enumerate(zip(descend(segment), segment.batches, used, strict=True), 1):
        if drawn.any():
            gradients = per_example_gradients(case, theta, case.train[examples[drawn]])
            moved[drawn] -= rate / len(batch) * gradients
        if step == 1:
            first = moved.clone()
        theta = state[0]
        if step in steps:
            recorded.append(loss_response(case, theta, torch.cat([first, moved])))
    path, tracin = torch.stack(recorded, 1).chunk(2)
    return {"path": path, "tracin": tracin}


def second_use(used: Tensor) -> np.ndarray:
    """The step, counted from 1, at which each of K examples is drawn for the second time, T + 1 if never: (K,).

    `used` (T, K) says which steps draw which.
    """
    second = (used.cumsum(0) == 2) & used
    return torch.where(second.any(0), second.long().argmax(0), len(used)).numpy(force=True) + 1
