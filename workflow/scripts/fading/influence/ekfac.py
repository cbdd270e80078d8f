"""EK-FAC (George et al. 2018; Grosse et al. 2023): the Fisher matrix by layer, in a Kronecker-factored eigenbasis."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fading.artefacts import budget
from fading.derivatives.factors import Dense, LayerGradients, Outer, Rows
from fading.derivatives.gradients import chunks, layer_projections
from fading.derivatives.layer_gradients import layer_gradients
from fading.influence import Estimator
from fading.influence.problem import Problem, Scores
from fading.models.case import Case, Examples

ESTIMATOR = Estimator(
    label="influence function, EK-FAC",
    short="EK-FAC",
    colour=4,
    settings=("damping", "curvature_examples"),
    cost="a gradient per example, two more per example of the curvature, and an eigenbasis per layer",
)


@dataclass(frozen=True)
class Basis:
    """Eigenvectors, in columns, of a layer's second moments: of its inputs (i, i) and output gradients (o, o).

    A layer of few parameters (a norm) has a single basis (q, q) as `inputs`, that of its gradients' second moments: no
    approximation. An embedding has none of its inputs: the second moments of unit vectors are diagonal, with counts.
    """

    inputs: Tensor | None = None
    backward: Tensor | None = None

    @property
    def inverse(self) -> "Basis":
        """The basis that turns back."""
        return Basis(*(None if vectors is None else vectors.T for vectors in (self.inputs, self.backward)))

    def rotate(self, gradients: LayerGradients) -> LayerGradients:
        """The gradients in this basis."""
        if isinstance(gradients, Dense):
            return Dense(gradients.matrix @ self.inputs)
        if isinstance(gradients, Rows):
            return Rows(gradients.indices, gradients.backward @ self.backward, gradients.rows)
        return Outer(gradients.inputs @ self.inputs, gradients.backward @ self.backward)

    def rotate_back(self, vectors: Tensor) -> Tensor:
        """Vectors (r, q) in this basis, in the layer's own."""
        if self.backward is None:
            return vectors @ self.inputs.T
        if self.inputs is None:
            return (vectors.view(len(vectors), -1, len(self.backward)) @ self.backward.T).flatten(1)
        return (self.backward @ vectors.view(len(vectors), len(self.backward), -1) @ self.inputs.T).flatten(1)


def fit(case: Case, theta: Tensor, examples: Examples, progress=iter) -> dict[str, tuple[Basis, Tensor]]:
    """Each layer's basis and the mean square of the examples' gradients in it, (q,), which stands for the eigenvalues.

    With the labels observed this is the empirical Fisher matrix, with labels drawn from the model the Fisher matrix
    itself, which for cross-entropy is the Gauss-Newton matrix in expectation.
    """
    moments = {}
    for chunk in progress(chunks(case, examples)):
        for name, gradients in layer_gradients(case, theta, chunk).items():
            totals = moments.setdefault(name, {})
            for side, matrix in _second_moments(gradients).items():
                totals[side] = totals[side] + matrix if side in totals else matrix
    held = sum(matrix.nbytes for totals in moments.values() for matrix in totals.values())
    budget.require(2 * held, "EK-FAC's second moments, with their eigenvectors,", share=0.5)
    bases = {
        name: Basis(**{side: _eigenvectors(matrix) for side, matrix in totals.items()})
        for name, totals in moments.items()
    }
    squares = dict.fromkeys(bases, 0)
    for chunk in progress(chunks(case, examples)):
        for name, gradients in layer_gradients(case, theta, chunk).items():
            squares[name] = squares[name] + bases[name].rotate(gradients).sum_of_squares()
    return {name: (basis, squares[name] / len(examples)) for name, basis in bases.items()}


def precondition(
    case: Case, theta: Tensor, fitted: dict[str, tuple[Basis, Tensor]], damping: float, examples: Examples
) -> dict[str, Tensor | Rows]:
    """(F + λI)⁻¹ ∇ℓ(θ; x) of each example by layer, in the layers' own order: (n, q) each.

    An embedding's stays, as the gradient, in the rows that an example looks up.
    """
    parts = {}
    for name, gradients in layer_gradients(case, theta, examples).items():
        basis, squares = fitted[name]
        rotated, values = basis.rotate(gradients), squares + damping
        if isinstance(rotated, Rows):
            divided = rotated.backward / values.view(rotated.rows, -1)[rotated.indices]
            parts[name] = Rows(rotated.indices, divided @ basis.backward.T, rotated.rows)
        else:
            parts[name] = basis.rotate_back(rotated.matrix / values)
    return parts


def drawn_labels(case: Case, theta: Tensor, examples: Examples, seed: int) -> Examples:
    """The examples with labels drawn from the model's own distribution."""
    logits = case.outputs(theta, examples)
    generator = torch.Generator().manual_seed(seed)
    labels = torch.multinomial(logits.softmax(1).cpu(), 1, generator=generator)[:, 0]
    return Examples(examples.inputs, labels.to(logits.device))


def scores(problem: Problem, damping: float, curvature_examples: int) -> Scores:
    """−(1/n) ⟨∇ℓ(θ; z), (F + λI)⁻¹ ∇ℓ(θ; x_k)⟩, F block-diagonal by layer, nats.

    F, eigenvectors and eigenvalues, is that of the first so many training examples; n counts all of them. λ holds the
    weight decay too. Raises FadingError for layers that it can't treat, by name, and unless λ is positive.
    """
    case, theta = problem.case, problem.theta
    problem.require_damping(damping)
    labelled = drawn_labels(case, theta, case.train[:curvature_examples], problem.seed)
    fitted = fit(case, theta, labelled, problem.progress)
    columns = []
    for tested in chunks(case, case.tested):
        parts = precondition(case, theta, fitted, damping + case.weight_decay, tested)
        columns.append(layer_projections(case, theta, problem.train, parts, problem.progress))
    return Scores(-torch.cat(columns, 1) / len(case.train))


def _second_moments(gradients):
    if isinstance(gradients, Dense):
        return {"inputs": gradients.matrix.T @ gradients.matrix}
    backward = gradients.backward.flatten(0, 1)
    if isinstance(gradients, Rows):
        return {"backward": backward.T @ backward}
    inputs = gradients.inputs.flatten(0, 1)
    return {"inputs": inputs.T @ inputs, "backward": backward.T @ backward}


def _eigenvectors(moment):
    return torch.linalg.eigh(moment.double()).eigenvectors.to(moment.dtype)
