"""DataInf (Kwon et al. 2024): the mean of inverses in place of the inverse of the mean, layer by layer."""

import torch
from torch import Tensor

from fading.derivatives.factors import LayerGradients
from fading.derivatives.gradients import chunks
from fading.derivatives.layer_gradients import layer_gradients
from fading.errors import FadingError
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores
from fading.models.case import Case, Examples

ESTIMATOR = Estimator(
    label="DataInf (mean of inverses by layer)",
    short="DataInf",
    colour=6,
    settings=("curvature_examples",),
    own={
        "relative_damping": {
            "description": "Of datainf: each layer's damping in units of its mean squared gradient entry.",
            "type": "number",
            "exclusiveMinimum": 0,
            "default": 0.1,
        }
    },
    cost="two gradients per example, two more per example of the curvature",
)


def scores(problem: Problem, curvature_examples: int, relative_damping: float) -> Scores:
    """−(1/n) Σ_l ⟨∇_l ℓ(θ; z), (1/c) Σ_i (g_i g_iᵀ + λ_l I)⁻¹ ∇_l ℓ(θ; x_k)⟩ over the layers l, nats.

    g_i is the gradient for layer l of the i-th of the first c training examples, with its own label; n counts all of
    them. λ_l is `relative_damping` times the mean squared entry of these gradients, as in the paper, plus the weight
    decay. Inner products by layer are all that is needed, since (g gᵀ + λI)⁻¹ = (I − g gᵀ/(λ + ‖g‖²))/λ. With more than
    a chunk of curvature examples the training gradients are made once more for each: memory stays that of two chunks.
    Raises FadingError for layers that it can't treat, and for those whose gradients all vanish, by name.
    """
    case, theta = problem.case, problem.theta
    sample = case.train[:curvature_examples]
    damping = layer_damping(case, theta, sample, relative_damping)
    columns = []
    for tested in chunks(case, case.tested):
        test = layer_gradients(case, theta, tested)
        identity = torch.eye(len(tested), dtype=case.dtype)
        solved = _combine(problem, test, {name: identity / damping[name] for name in test})
        for chunk in chunks(case, sample):
            drawn = layer_gradients(case, theta, chunk)
            weights = {}
            for name, gradients in drawn.items():
                shrink = (damping[name] + gradients.squared_norms()) * damping[name] * len(sample)
                weights[name] = gradients.dot(test[name]) / shrink[:, None]
            solved -= _combine(problem, drawn, weights)
        columns.append(solved)
    return Scores(-torch.cat(columns, 1) / len(case.train))


def layer_damping(case: Case, theta: Tensor, examples: Examples, relative: float) -> dict[str, Tensor]:
    """λ_l of each layer: so many times the mean squared entry of the examples' gradients, plus the weight decay."""
    totals = {}
    for chunk in chunks(case, examples):
        for name, gradients in layer_gradients(case, theta, chunk).items():
            squares = gradients.sum_of_squares()
            totals[name] = totals.get(name, 0) + squares.mean() / len(examples)
    damping = {name: relative * mean + case.weight_decay for name, mean in totals.items()}
    if vanishing := [name for name, value in damping.items() if value <= 0]:
        raise FadingError(f"DataInf has no damping where all gradients vanish: {', '.join(vanishing)}.")
    return damping


def _combine(problem: Problem, fixed: dict[str, LayerGradients], weights: dict[str, Tensor]) -> Tensor:
    """Σ_l ⟨∇_l ℓ(θ; x_k), fixed_l⟩ weights_l for each scored example k: (r, columns of the weights)."""
    rows = []
    for chunk in problem.progress(chunks(problem.case, problem.train)):
        gradients = layer_gradients(problem.case, problem.theta, chunk)
        rows.append(sum(gradients[name].dot(fixed[name]) @ weights[name] for name in fixed))
    return torch.cat(rows)
