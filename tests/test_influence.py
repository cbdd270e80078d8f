"""Estimators against exact references: explicit inverses, retraining to the optimum, closed-form leave-one-out."""

from dataclasses import dataclass

import fading.influence.exact
import pytest
import torch
from conftest import Tiny, explicit_hessian
from fading.cases import Case, Examples
from fading.counterfactuals import Counterfactual, record
from fading.curvature import Ritz, hessian
from fading.errors import FadingError
from fading.gradients import gradient_chunks, per_example_gradients
from fading.influence import estimators, load
from fading.training import batch_loss, unit_weights

SETTINGS = {"learning_rate": 0.1, "steps": 50}


def reference_gradients(case, theta, examples):
    gradient = torch.func.grad(lambda t, i: case.losses(t, examples[i : i + 1])[0])
    return torch.stack([gradient(theta, i) for i in range(len(examples))])


def eigenpairs(matrix) -> Ritz:
    values, vectors = torch.linalg.eigh(matrix)
    return Ritz(values, vectors.T, torch.zeros_like(values))


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_per_example_gradients(tiny, kind, monkeypatch):
    monkeypatch.setattr("fading.gradients.CHUNK", 10)
    case, theta = tiny.make(kind)
    expected = reference_gradients(case, theta, case.train)
    torch.testing.assert_close(per_example_gradients(case, theta, case.train), expected, atol=1e-12, rtol=1e-10)
    chunks = list(gradient_chunks(case, theta, case.train))
    assert [len(chunk) for chunk in chunks] == [10, 10, 3]
    torch.testing.assert_close(torch.cat(chunks), expected, atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_gradient_dot(tiny, kind):
    case, theta = tiny.make(kind)
    train, test = (reference_gradients(case, theta, split) for split in (case.train, case.test[: case.measured]))
    scores = load("gradient-dot")(case, theta, SETTINGS)
    assert scores.shape == (Tiny.n, Tiny.measured)
    torch.testing.assert_close(scores, -0.1 * 50 / Tiny.n * train @ test.T)


@pytest.mark.parametrize("kind", Tiny.kinds)  # the networks at an indefinite point, the logistic at a definite one
def test_exact_and_full_rank_abif_equal_the_explicit_inverse(tiny, kind):
    case, theta = tiny.make(kind)
    index, weights = torch.arange(len(case.train)), unit_weights(case)
    explicit = explicit_hessian(lambda theta: batch_loss(case, theta, index, weights), theta)
    train, test = (reference_gradients(case, theta, split) for split in (case.train, case.test[: case.measured]))
    expected = -train @ torch.linalg.inv(explicit) @ test.T / Tiny.n
    for scores in (
        load("exact")(case, theta, SETTINGS),
        load("abif")(case, theta, SETTINGS, spectrum=eigenpairs(explicit)),
    ):
        assert (scores - expected).abs().max() < 1e-6 * expected.abs().max()


def test_abif_of_low_rank_inverts_within_its_span(tiny):
    case, theta = tiny.make("resnet-gelu")
    matrix = hessian(case, theta, torch.arange(len(case.train)))
    kept = eigenpairs(matrix).largest(5)
    assert (kept.values < 0).any()
    train, test = (reference_gradients(case, theta, split) for split in (case.train, case.test[: case.measured]))
    pseudo_inverse = kept.vectors.T @ torch.diag(1 / kept.values) @ kept.vectors
    torch.testing.assert_close(
        load("abif")(case, theta, SETTINGS, spectrum=kept), -train @ pseudo_inverse @ test.T / Tiny.n
    )


def optimum(case, weights):
    """The minimiser of the weighted training loss, by Newton's method to rounding."""
    theta = torch.zeros(sum(shape.numel() for shape in case.shapes.values()), dtype=case.dtype)
    index = torch.arange(len(case.train))
    for _ in range(12):
        loss = torch.func.grad(lambda t: batch_loss(case, t, index, weights))
        curvature = explicit_hessian(lambda t: batch_loss(case, t, index, weights), theta)
        theta = theta - torch.linalg.solve(curvature, loss(theta))
    return theta


def test_exact_is_the_derivative_of_retraining_to_the_optimum(tiny):
    case, _ = tiny.make("logistic")
    theta, epsilon = optimum(case, unit_weights(case)), 1e-4
    scores = load("exact")(case, theta, SETTINGS)
    for example in (0, 11, 22):
        up, down = (
            case.measured_losses(optimum(case, Counterfactual(example, e).weights(case))) for e in (epsilon, -epsilon)
        )
        derivative = (up - down) / (2 * epsilon)
        assert (scores[example] - derivative).abs().max() < 1e-6 * derivative.abs().max()


@dataclass(frozen=True)
class RidgeRegression(Case):
    """Least squares instead of cross-entropy: leave-one-out has a closed form."""

    def losses(self, theta, examples):
        return (examples.inputs[0] @ theta - examples.labels) ** 2 / 2


def test_leave_one_out_retraining_equals_the_closed_form():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(23, 4, generator=generator, dtype=torch.float64)
    y = torch.randn(23, generator=generator, dtype=torch.float64)
    case = RidgeRegression(torch.nn.Linear(4, 1), Examples((x,), y), Examples((x,), y), 5, 0.3, torch.float64, True)
    n, eye = len(y), torch.eye(4, dtype=torch.float64)
    whole = torch.linalg.inv(x.T @ x / n + 0.3 * eye)
    fitted = whole @ x.T @ y / n
    steps = [torch.arange(n)] * 400
    (trained,), _ = record(case, torch.zeros(4, dtype=torch.float64), steps, 0.3, unit_weights(case), [400])
    torch.testing.assert_close(trained, fitted, atol=1e-10, rtol=0)
    scores = load("exact")(case, fitted, SETTINGS)
    for k in (0, 7, 22):
        leverage = x[k] @ whole @ x[k] / n
        without = fitted - whole @ x[k] / n * (y[k] - x[k] @ fitted) / (1 - leverage)  # Sherman and Morrison
        weights = Counterfactual(k, -1.0).weights(case)
        (retrained,), _ = record(case, trained, steps, 0.3, weights, [400])
        torch.testing.assert_close(retrained, without, atol=1e-10, rtol=0)
        first_order = (x[:5] @ fitted - y[:5]) * (x[:5] @ (without - fitted)) * (1 - leverage)
        torch.testing.assert_close(-scores[k], first_order, atol=1e-10, rtol=1e-8)


def test_the_sign_says_harmful_or_helpful(tiny):
    """Up-weighting a copy of a test example lowers its loss: helpful, negative."""
    case, _ = tiny.make("logistic")
    same = Case(case.module, case.train, case.train, 5, case.weight_decay, case.dtype, case.vectorized)
    theta = optimum(same, unit_weights(same))
    for estimator in ("gradient-dot", "exact"):
        assert (load(estimator)(same, theta, SETTINGS).diagonal() < 0).all()


def test_exact_refuses_large_models(tiny, monkeypatch):
    monkeypatch.setattr(fading.influence.exact, "MOST_PARAMETERS", 10)
    case, theta = tiny.make("logistic")
    with pytest.raises(FadingError, match="at most 10 parameters; this model has 21"):
        load("exact")(case, theta, SETTINGS)


def test_the_registry_lists_every_file():
    assert estimators() == ["abif", "exact", "gradient-dot"]
