"""The linear response ψ_t = dθ_t/dε at ε = 0: what a first-order theory can know of a counterfactual, exactly.

For few examples and any number of tests; reverse.py has the same derivative for all examples and few tests.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import gradient_projections, per_example_gradients
from fading.errors import FadingError
from fading.models.case import Case
from fading.training.segment import Segment, descend


def linear_response(
    segment: Segment, groups: list[tuple[int, ...]], progress=iter, counted: Tensor | None = None
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Yield (t, θ_t, ψ_t) after each step; ψ_t (K, p) is for up-weighting each group along the segment.

    For SGD ψ_{t+1} = (I − η H_t) ψ_t − (η/|B_t|) Σ_{k∈group∩B_t} ∇ℓ(θ_t; x_k), ψ = 0 at the start, H_t the Hessian of
    the batch loss at θ_t; for any optimiser the derivative of its step, with moments that respond as well. With
    `counted` (T, K) a group is up-weighted in those of the segment's T steps alone where it is true.
    """
    case, state, optimizer = segment.case, segment.state, segment.optimizer
    counted = torch.ones(len(segment.batches), len(groups), dtype=torch.bool) if counted is None else counted
    tangents = torch.zeros(len(groups), *state.shape, dtype=state.dtype)
    steps = zip(descend(segment), progress(segment.batches), counted, strict=True)
    for (step, after, _), batch, counts in steps:
        members = _members(groups, batch, state.dtype) * counts[:, None]
        if members.any() or tangents.any():
            curvature = Curvature(case, state[0], batch)
            responding = tangents[:, 0].any(1)
            gradients = torch.zeros_like(tangents[:, 0])
            if responding.any():
                gradients[responding] = curvature(tangents[responding, 0])
            drawn = members.any(0)
            if drawn.any():
                forcing = per_example_gradients(case, state[0], case.train[batch[drawn]])
                gradients += members[:, drawn] @ forcing / len(batch)
            moving = torch.cat([tangents, gradients[:, None]], 1)
            tangents = optimizer.push(state, curvature.gradient(), step - 1, moving)
        state = after
        yield step, state[0], tangents[:, 0]


def _members(groups, batch, dtype):
    """1 where the group (row) holds the batch's example (column)."""
    return torch.stack([torch.isin(batch, torch.tensor(group)) for group in groups]).to(dtype)


def loss_response(case: Case, theta: Tensor, psi: Tensor) -> Tensor:
    """⟨∇ℓ(θ; z), ψ⟩ for each ψ of psi (K, p) and measured test example z, in nats per unit of ε: (K, M)."""
    return gradient_projections(case, theta, case.tested, psi).T


def relative_error(delta: Tensor, epsilon: Tensor, psi: Tensor) -> Tensor:
    """‖δ − εψ‖ / ‖δ‖ for each of K counterfactuals: δ and ψ are (K, p), ε is (K,).

    Raises FadingError where that is not finite: a response that overflowed, or a δ of zero.
    """
    delta = delta.double()
    error = (delta - epsilon[:, None] * psi.double()).norm(dim=1) / delta.norm(dim=1)
    if not error.isfinite().all():
        raise FadingError("The linear response has no finite relative error: it overflowed, or a run did not move.")
    return error
