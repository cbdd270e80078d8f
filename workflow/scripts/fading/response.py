"""The linear response ψ_t = dθ_t/dε at ε = 0: what a first-order theory can know of a counterfactual, exactly."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor
from torch.func import jvp, vmap

from fading.cases import Case
from fading.curvature import hessian_vector_products
from fading.errors import FadingError
from fading.gradients import per_example_gradients
from fading.training import descend, unit_weights


def linear_response(
    case: Case, theta: Tensor, batches: Iterable[Tensor], learning_rate: float, examples: Tensor
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Yield (t, θ_t, ψ_t) after each step, ψ_t (K, p) for up-weighting each of the K training examples.

    ψ_{t+1} = (I − η H_t) ψ_t − (η/|B_t|) 1[k ∈ B_t] ∇ℓ(θ_t; x_k), ψ_0 = 0, H_t the Hessian of the batch loss at θ_t.
    """
    weights = unit_weights(case)
    psi = torch.zeros(len(examples), len(theta), dtype=theta.dtype)
    for step, batch in enumerate(batches):
        if psi.any():
            psi = psi - learning_rate * hessian_vector_products(case, theta, batch, weights, psi)
        drawn = torch.isin(examples, batch)
        if drawn.any():
            forcing = per_example_gradients(case, theta, case.train[examples[drawn]])
            psi = psi.index_add(0, drawn.nonzero()[:, 0], forcing, alpha=-learning_rate / len(batch))
        ((step, theta, _),) = descend(case, theta, [batch], learning_rate, weights, first_step=step)
        yield step, theta, psi


def predicted_effects(case: Case, theta: Tensor, psi: Tensor) -> Tensor:
    """⟨∇ℓ(θ; z), ψ⟩ for each ψ of psi (K, p) and measured test example z, in nats per unit of ε: (K, M)."""
    return vmap(lambda direction: jvp(case.measured_losses, (theta,), (direction,))[1])(psi)


def relative_error(delta: Tensor, epsilon: Tensor, psi: Tensor) -> Tensor:
    """‖δ − εψ‖ / ‖δ‖ for each of K counterfactuals: δ and ψ are (K, p), ε is (K,).

    Raises FadingError where that is not finite: a response that overflowed, or a δ of zero.
    """
    delta = delta.double()
    error = (delta - epsilon[:, None] * psi.double()).norm(dim=1) / delta.norm(dim=1)
    if not error.isfinite().all():
        raise FadingError("The linear response has no finite relative error: it overflowed, or a run did not move.")
    return error
