"""SOURCE (Bae et al. 2024, arXiv 2405.12186): training unrolled in segments of constant curvature and gradients."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from fading.artefacts import budget
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import gradient_projections, per_example_gradients
from fading.derivatives.lanczos import lanczos, random_vector
from fading.derivatives.layers import join, split
from fading.errors import FadingError
from fading.influence import Estimator, ekfac
from fading.influence.problem import Problem, Scores
from fading.training.optimizers import AdamW, Momentum, Optimizer

ESTIMATOR = Estimator(
    label="SOURCE (segments of constant curvature)",
    short="SOURCE",
    colour=3,
    settings=("curvature", "curvature_examples"),
    own={
        "krylov": {
            "description": "Of source: the dimension of the Krylov space that stands for a segment's Hessian.",
            "type": "integer",
            "minimum": 1,
            "default": 30,
        },
        "factors": {
            "description": "Of source: what stands for a segment's curvature, its Ritz pairs (lanczos) "
            "or EK-FAC's factors (ekfac), which are for sgd and momentum.",
            "enum": ["lanczos", "ekfac"],
            "default": "lanczos",
        },
    },
    of_the_past=True,
    cost="for each checkpoint, a gradient per example and a Lanczos run, or EK-FAC's factors",
)

HELD = 3  # vectors for each test example: its cotangent, what that sums to, and that by layer
FILTERED = 4  # and for each that is filtered at a time: scaled, filtered, and what that takes
Filter = Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]


def scores(problem: Problem, curvature: str, curvature_examples: int, krylov: int, factors: str) -> Scores:
    """−Σ_l ⟨∇ℓ(θ_T; z), S_L … S_{l+1} r_l⟩ for up-weighting x_k from the first kept checkpoint to this one, nats.

    A segment l lies between kept checkpoints. The one that ends it gives its curvature H, the mean over the first so
    many training examples, and its gradient g of x_k. With τ, the sum of its learning rates, S = exp(−τH) and r =
    (1/n) (I − exp(−τH)) H⁻¹ g, which is τg/n where H = 0; n counts all examples. The effective rate of momentum μ is
    τ/(1 − μ). AdamW moves by D = diag(1/(√v̂ + 10⁻⁸)): then H is D^½HD^½ plus the decoupled decay, S = D^½ exp(−τH)
    D^−½, and r has D^½ on either side. Second moments are the checkpoint's; that they respond as well is left out.

    By lanczos all Ritz pairs of the kind of `curvature` stay; on all other directions H counts as the weight decay
    alone. Along negative values of a Hessian S grows, early in training without bound: by default, as in the paper, H
    is the Gauss-Newton matrix. EK-FAC's factors stand for that one too. It runs in reverse from the test gradients:
    memory is that of a few per test example. Raises FadingError where there is no checkpoint before this one, for
    EK-FAC with AdamW, and where negative curvature makes S overflow.
    """
    if factors not in FACTORS:
        raise FadingError(f"The estimator source has no factors {factors}; there are {', '.join(FACTORS)}.")
    case, optimizer = problem.case, problem.optimizer
    kept = sorted(step for step in problem.checkpoints if step <= problem.step)
    if len(kept) < 2:
        raise FadingError(f"SOURCE needs checkpoints before step {problem.step}; there is none.")
    vectors, each = HELD * len(case.tested) + krylov, problem.theta.nbytes
    budget.require(vectors * each, f"SOURCE for {len(case.tested)} test examples", share=0.45)
    size = budget.fitting(FILTERED * each, len(case.tested), share=0.15)
    cotangents, total = per_example_gradients(case, problem.theta, case.tested), 0
    summed = torch.empty_like(cotangents)
    for before, step in reversed(list(pairwise(kept))):
        theta, rate = problem.checkpoints[step][0], _effective_rate(optimizer, before, step)
        root = _root_preconditioner(optimizer, problem.checkpoints[step], step)
        applied = FACTORS[factors](problem, theta, root, curvature, curvature_examples, krylov)
        for few, sums in zip(cotangents.split(size), summed.split(size), strict=True):  # in their places
            scaled = few * root
            torch.mul(applied(partial(_summed, rate=rate), scaled), root, out=sums)
            torch.div(applied(partial(_remembered, rate=rate), scaled), root, out=few)
        if not summed.isfinite().all():
            raise FadingError(f"SOURCE overflows before step {step}: curvature is too negative for the way travelled.")
        total = total - gradient_projections(case, theta, problem.train, summed, problem.progress) / len(case.train)
    return Scores(total)


def _effective_rate(optimizer: Optimizer, start: int, stop: int) -> float:
    travelled = optimizer.travelled(start, stop)
    return travelled / (1 - optimizer.decay) if isinstance(optimizer, Momentum) else travelled


def _root_preconditioner(optimizer: Optimizer, state: Tensor, step: int) -> Tensor:
    """D^½, (p,) for AdamW after so many steps, else 1."""
    if not isinstance(optimizer, AdamW):
        return torch.ones(1, dtype=state.dtype)
    corrected = state[2] / (1 - optimizer.second**step)
    return (corrected.sqrt() + optimizer.epsilon).rsqrt()


def _remembered(values: Tensor, rate: float) -> Tensor:
    """exp(−τh)"""
    return torch.exp(-rate * values)


def _summed(values: Tensor, rate: float) -> Tensor:
    """(1 − exp(−τh))/h, which is τ at h = 0."""
    return (-torch.expm1(-rate * values) / values).where(values != 0, rate)


def _lanczos(problem: Problem, theta: Tensor, root: Tensor, kind: str, examples: int, krylov: int) -> Filter:
    """f(H) on rows (k, p), H preconditioned, by its Ritz pairs; elsewhere f of the weight decay alone."""
    case, optimizer = problem.case, problem.optimizer
    product = Curvature(case, theta, torch.arange(examples), kind=kind)
    decoupled = optimizer.weight_decay if isinstance(optimizer, AdamW) else 0.0
    start = random_vector(theta, problem.seed)
    ritz = lanczos(lambda rows: root * product(root * rows) + decoupled * rows, start, krylov, problem.progress)
    elsewhere = torch.tensor([decoupled or case.weight_decay], dtype=torch.float64)

    def apply(function, rows):
        beyond = function(elsewhere)
        excess = (function(ritz.values.double()) - beyond).to(rows.dtype)
        return beyond.to(rows.dtype) * rows + (rows @ ritz.vectors.T * excess) @ ritz.vectors

    return apply


def _ekfac(problem: Problem, theta: Tensor, root: Tensor, kind: str, examples: int, krylov: int) -> Filter:
    """f(F) on rows (k, p), F the Fisher matrix by layer in its eigenbasis, plus the weight decay."""
    case = problem.case
    if isinstance(problem.optimizer, AdamW):
        raise FadingError("SOURCE by EK-FAC is for sgd and momentum: AdamW's preconditioner has no Kronecker factors.")
    labelled = ekfac.drawn_labels(case, theta, case.train[:examples], problem.seed)
    fitted = ekfac.fit(case, theta, labelled, problem.progress)

    def apply(function, rows):
        filtered = {}
        for name, part in split(case, rows).items():
            basis, squares = fitted[name]
            factor = function(squares.double() + case.weight_decay).to(rows.dtype)
            filtered[name] = basis.rotate_back(basis.inverse.rotate_back(part) * factor)
        return join(case, filtered)

    return apply


FACTORS = {"lanczos": _lanczos, "ekfac": _ekfac}
