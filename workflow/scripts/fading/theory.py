"""What theory says of a continuation with examples up-weighted, beside the parameters' measured change."""

import numpy as np
import torch
from torch import Tensor

from fading.assumptions.divergence import gronwall_bound
from fading.cases import Case
from fading.counterfactuals import Counterfactual
from fading.curvature import Ritz, sharpness
from fading.gradients import gradient_norms, gradient_products, gradient_projections
from fading.optimizers import SGD, Optimizer
from fading.response import linear_response, predicted_effects, relative_error


def predictions(
    case: Case,
    state: Tensor,
    batches: list[Tensor],
    optimizer: Optimizer,
    up_weighted: list[Counterfactual],
    deltas: Tensor,
    ritz: Ritz,
    steps: list[int],
    first_step: int,
    progress=iter,
) -> dict[str, np.ndarray]:
    """For K up-weighted examples and R recorded steps, with the measured changes δ of the parameters (K, R, p).

    effect, the linear response's change of the measured losses, and those at constant curvature (see
    constant_curvature): (K, R, M) each, nats. error, the linear response's relative error: (K, R). sharpness, the
    largest ‖H‖ of the batches before recorded steps; and for SGD the bound on ‖δ‖ that it gives: (K, R).
    """
    examples = torch.tensor([one.members[0] for one in up_weighted])
    epsilon = torch.tensor([one.epsilon for one in up_weighted], dtype=torch.float64)
    theta, used, sizes = state[0], uses(batches, examples), list(map(len, batches))
    effects = constant_curvature(case, theta, ritz, optimizer, used, sizes, examples, steps)
    responses = linear_response(
        case, state, progress(batches), optimizer, [one.members for one in up_weighted], first_step
    )
    exact, errors, slopes, curvatures = [], [], [], []
    for step, (_, after, psi) in enumerate(responses, start=1):
        if step in steps:
            exact.append(predicted_effects(case, after, psi))
            errors.append(relative_error(deltas[:, steps.index(step)], epsilon, psi))
            slopes.append(gradient_norms(case, theta, case.train[examples]))
            curvatures.append(sharpness(case, theta, batches[step - 1]))
        theta = after
    effects["effect"] = torch.stack(exact, 1)
    found = {name: (epsilon[:, None, None] * effect).numpy() for name, effect in effects.items()}
    found |= {"error": torch.stack(errors, 1).numpy(), "sharpness": np.array(max(curvatures))}
    if isinstance(optimizer, SGD):
        slope = torch.stack(slopes).amax(0).double().numpy()
        rate = optimizer.learning_rate
        bound = gronwall_bound(max(curvatures), slope, epsilon.numpy(), rate, used.numpy(), sizes)
        found["bound"] = bound[:, np.array(steps) - 1]
    return found


def uses(batches: list[Tensor], examples: Tensor) -> Tensor:
    """Whether each of T batches draws each of K examples: (T, K), 0 or 1."""
    return torch.stack([torch.isin(examples, batch) for batch in batches])


def constant_curvature(
    case: Case,
    theta: Tensor,
    ritz: Ritz,
    optimizer: Optimizer,
    drawn: Tensor,
    sizes: list[int],
    examples: Tensor,
    steps: list[int],
) -> dict[str, Tensor]:
    """What SGD at the curvature of θ would make of up-weighting each of K examples, nats per unit of ε: (K, R, M) each.

    ψ_{t+1} = (I − ηH) ψ_t − (η/|B_t|) 1[k∈B_t] ∇ℓ(θ; x_k), with `drawn` (T, K) and the batches' sizes (T,), read off as
    ⟨∇ℓ(θ; z), ψ_t⟩ after each of `steps`. H acts on the Ritz vectors; on all other directions it counts as the weight
    decay alone. "static" has the first step's up-weighting and no H, "once" H as well, "horizon" the later steps that
    draw the example too. Of optimisers other than SGD, "static" alone.
    """
    test = gradient_projections(case, theta, case.tested, ritz.vectors)
    train = gradient_projections(case, theta, case.train[examples], ritz.vectors)
    products = gradient_products(case, theta, case.train[examples], case.tested)
    rate = optimizer.learning_rate
    forced = rate * drawn.to(case.dtype) / torch.tensor(sizes, dtype=case.dtype)[:, None]
    first = forced.clone()
    first[1:] = 0
    effects = {"static": -(first[0, :, None] * products)[:, None].repeat(1, len(steps), 1)}
    if not isinstance(optimizer, SGD):
        return effects
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
