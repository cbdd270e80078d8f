"""What an influence estimator is asked, and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fading.artefacts import budget
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import gradient_projections, per_example_gradients
from fading.derivatives.lanczos import Ritz
from fading.derivatives.solvers import Operator, Solution
from fading.errors import FadingError
from fading.models.case import Case, Examples
from fading.training.optimizers import Optimizer
from fading.training.segment import Segment, state_after

SOLVING = 8  # of MINRES, which holds most


@dataclass(frozen=True)
class Problem:
    """A training run up to a checkpoint, and the training examples whose influence there is wanted.

    `checkpoints` holds the kept states {t: (1 + s, p)}; `examples` (r,) are rows of the training set; `batches` are all
    of the run's, `spectrum` Ritz pairs of the Hessian at the checkpoint, `others` the parameters (p,) of the case's
    other runs at the same step, each for the estimators that use it; `seed` is that of what an estimator draws at
    random.
    """

    case: Case
    checkpoints: dict[int, Tensor]
    step: int
    optimizer: Optimizer
    examples: Tensor
    seed: int = 0
    batches: list[Tensor] | None = None
    spectrum: Ritz | None = None
    others: tuple[Tensor, ...] = ()
    progress: Callable = iter

    @property
    def theta(self) -> Tensor:
        """The parameters at the checkpoint."""
        return self.checkpoints[self.step][0]

    @property
    def train(self) -> Examples:
        """The training examples to score."""
        return self.case.train[self.examples]

    def require_damping(self, damping: float) -> None:
        """Raise FadingError unless the damping or the weight decay is positive."""
        if damping + self.case.weight_decay <= 0:
            raise FadingError(f"The damping must be positive where there is no weight decay; found {damping}.")

    def damped_curvature(self, curvature: str, damping: float, examples: int) -> Operator:
        """C + λI at the checkpoint, C of that kind over the first so many training examples."""
        product = Curvature(self.case, self.theta, torch.arange(examples), kind=curvature)
        return lambda vectors: product(vectors) + damping * vectors

    def within_run(self, window: int) -> int:
        """The window, in steps before the checkpoint. Raises FadingError if the run has fewer."""
        if window > self.step:
            raise FadingError(f"The window of {window} steps is beyond the run's {self.step} before the checkpoint.")
        return window

    def last_steps(self, window: int) -> Segment:
        """The last `window` steps before the checkpoint.

        Raises FadingError if the run has fewer, or no checkpoint before them.
        """
        start = self.step - self.within_run(window)
        kept = max((step for step in self.checkpoints if step <= start), default=None)
        if kept is None:
            raise FadingError(f"There is no checkpoint at step {start} or before, where the window begins.")
        before = Segment(self.case, self.checkpoints[kept], self.batches[kept:start], self.optimizer, kept)
        return Segment(self.case, state_after(before), self.batches[start : self.step], self.optimizer, start)


@dataclass(frozen=True)
class Scores:
    """Influence scores (r, measured) of the problem's examples, and the solver's health where one was used.

    The health has an entry per right-hand side: training or tested examples, whichever were solved for. What else an
    estimator found stands `beside`, by name.
    """

    values: Tensor
    health: dict[str, Tensor] = field(default_factory=dict)
    beside: dict[str, Tensor] = field(default_factory=dict)


def inverse_scores(problem: Problem, solve: Callable[[Tensor], Solution]) -> Scores:
    """−(1/n) ⟨∇ℓ(θ; z), A⁻¹ ∇ℓ(θ; x_k)⟩, A symmetric: solves for the fewer of training and test gradients.

    As many at a time as fit the budget, with SOLVING vectors of θ's size for each.
    """
    case, theta, train, tested = problem.case, problem.theta, problem.train, problem.case.tested
    fewer, more = sorted((tested, train), key=len)
    size, found, health = budget.fitting(SOLVING * theta.nbytes, len(fewer), share=0.5), [], []
    for start in range(0, len(fewer), size):
        solution = solve(per_example_gradients(case, theta, fewer[start : start + size]))
        found.append(gradient_projections(case, theta, more, solution.x))
        health.append(solution.health())
    products = torch.cat(found, 1) if fewer is tested else torch.cat(found, 1).T
    return Scores(-products / len(case.train), {name: torch.cat([each[name] for each in health]) for name in health[0]})
