"""What an influence estimator is asked, and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fading.cases import Case, Examples
from fading.curvature import Curvature, Ritz
from fading.errors import FadingError
from fading.gradients import gradient_projections, per_example_gradients
from fading.optimizers import Optimizer
from fading.solvers import Operator, Solution
from fading.training import descend, unit_weights


@dataclass(frozen=True)
class Problem:
    """A training run up to a checkpoint, and the training examples whose influence there is wanted.

    `checkpoints` holds the kept states {t: (1 + s, p)}; `examples` (r,) are rows of the training set; `batches` are all
    of the run's, `spectrum` Ritz pairs of the Hessian at the checkpoint, each for the estimators that use it.
    `settings`: curvature ("hessian" or "gauss-newton"), hessian_examples (the first of the training set, over which it
    is the mean), damping, iterations and tolerance of the iterative solvers, scale of LiSSA, horizon in steps, and
    seed.
    """

    case: Case
    checkpoints: dict[int, Tensor]
    step: int
    optimizer: Optimizer
    settings: dict
    examples: Tensor
    batches: list[Tensor] | None = None
    spectrum: Ritz | None = None
    progress: Callable = iter

    @property
    def theta(self) -> Tensor:
        """The parameters at the checkpoint."""
        return self.checkpoints[self.step][0]

    @property
    def train(self) -> Examples:
        """The training examples to score."""
        return self.case.train[self.examples]

    @property
    def damping(self) -> float:
        """λ of C + λI."""
        return self.settings["damping"]

    def require_damping(self) -> None:
        """Raise FadingError unless the damping or the weight decay is positive."""
        if self.damping + self.case.weight_decay <= 0:
            raise FadingError(f"The damping must be positive where there is no weight decay; found {self.damping}.")

    def operator(self) -> Operator:
        """C + λI at the checkpoint."""
        index = torch.arange(self.settings["hessian_examples"])
        curvature = Curvature(self.case, self.theta, index, kind=self.settings["curvature"])
        return lambda vectors: curvature(vectors) + self.damping * vectors

    @property
    def horizon(self) -> int:
        """How many steps before the checkpoint an up-weighting acts. Raises FadingError if the run has fewer."""
        horizon = self.settings["horizon"]
        if horizon > self.step:
            raise FadingError(f"The horizon of {horizon} steps is beyond the run's {self.step} before the checkpoint.")
        return horizon

    def last_steps(self) -> tuple[int, Tensor, list[Tensor]]:
        """The steps of the horizon: the first's number, the state there, their batches.

        Raises FadingError if the run has fewer, or no checkpoint before them.
        """
        start = self.step - self.horizon
        kept = max((step for step in self.checkpoints if step <= start), default=None)
        if kept is None:
            raise FadingError(f"There is no checkpoint at step {start} or before, where the horizon begins.")
        state, weights = self.checkpoints[kept], unit_weights(self.case)
        run = descend(self.case, state, self.batches[kept:start], self.optimizer, weights, kept)
        for _, moved, _ in run:
            state = moved
        return start, state, self.batches[start : self.step]


@dataclass(frozen=True)
class Scores:
    """Influence scores (r, measured) of the problem's examples, and the solver's health where one was used.

    The health has an entry per right-hand side: training or tested examples, whichever were solved for.
    """

    values: Tensor
    health: dict[str, Tensor] = field(default_factory=dict)


def inverse_scores(problem: Problem, solve: Callable[[Tensor], Solution]) -> Scores:
    """−(1/n) ⟨∇ℓ(θ; z), A⁻¹ ∇ℓ(θ; x_k)⟩, A symmetric: solves for the fewer of training and test gradients."""
    case, theta, train, tested = problem.case, problem.theta, problem.train, problem.case.tested
    if len(train) < len(tested):
        solution = solve(per_example_gradients(case, theta, train))
        products = gradient_projections(case, theta, tested, solution.x).T
    else:
        solution = solve(per_example_gradients(case, theta, tested))
        products = gradient_projections(case, theta, train, solution.x)
    return Scores(-products / len(case.train), solution.health())
