"""TRAK against its closed form, from gradients of the output taken one example at a time."""

from dataclasses import replace

import pytest
import torch
from conftest import Tiny
from fading.derivatives.layers import join, split
from fading.influence import trak, trak_ensemble
from fading.influence.trak import RIDGE, combined, outputs_of, rademacher
from jsonschema import Draft202012Validator
from points import problem_of, single


def probabilities(case, theta, examples):
    """Of each example's label."""
    return case.logits(theta, examples.inputs).softmax(1)[torch.arange(len(examples)), examples.labels]


def output_gradients(case, theta, examples):
    """∇ log(p/(1 − p)), one example at a time: (n, p)."""

    def output(theta, i):
        p = probabilities(case, theta, examples[i : i + 1])[0]
        return (p / (1 - p)).log()

    return torch.stack([torch.func.grad(output)(theta, i) for i in range(len(examples))])


def closed_form(case, theta, matrix):
    """φ(x_k)ᵀ (ΦᵀΦ + ρI)⁻¹ φ(z) with φ = Pᵀ∇f of the rows (k, p) of Pᵀ, by the n × n kernel."""
    train, test = (output_gradients(case, theta, split) @ matrix.T for split in (case.train, case.tested))
    ridge = RIDGE * train.square().sum() / len(matrix)
    return torch.linalg.solve(train @ train.T + ridge * torch.eye(len(train), dtype=theta.dtype), train @ test.T)


def weighted(case, theta, kernel):
    """TRAK's weight of the training examples, and the derivative of the test loss by the output."""
    train, test = (probabilities(case, theta, split) for split in (case.train, case.tested))
    return -kernel * (1 - train)[:, None] * (1 - test)


def assembled(case, projection, theta):
    """The rows of Pᵀ (k, p) in the order of θ."""
    sizes = {name: part.shape[1] for name, part in split(case, theta[None]).items()}
    return join(case, {name: torch.cat(list(projection(name, size))) for name, size in sizes.items()})


def close(actual, expected, tolerance=1e-8):
    assert actual.shape == expected.shape
    assert (actual - expected).abs().max() < tolerance * expected.abs().max()


@pytest.fixture(autouse=True)
def unequal_chunks_and_blocks(monkeypatch):
    monkeypatch.setattr("fading.derivatives.gradients.CHUNK", 7)
    monkeypatch.setattr(trak, "ENTRIES", 200)


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_with_the_full_projection_it_is_the_closed_form(kind):
    case, theta = Tiny.make(kind)
    identity = torch.eye(len(theta), dtype=theta.dtype)
    parts = split(case, identity)
    actual = combined(problem_of(case, theta), [lambda name, size: [parts[name]]], [theta]).values
    close(actual, weighted(case, theta, closed_form(case, theta, identity)))


@pytest.mark.parametrize("kind", ["resnet-gelu", "bert", "sentences"])
def test_random_projections_in_blocks_are_one_matrix(kind):
    case, theta = Tiny.make(kind)
    matrix = assembled(case, rademacher(3, 0, 12, theta.dtype), theta)
    assert matrix.shape == (12, len(theta))
    torch.testing.assert_close(matrix.abs(), torch.full_like(matrix, 12**-0.5))
    expected = weighted(case, theta, closed_form(case, theta, matrix))
    close(trak.scores(problem_of(case, theta, seed=3), projection=12).values, expected)
    few = replace(problem_of(case, theta, seed=3), examples=torch.tensor([4, 17]))
    close(trak.scores(few, projection=12).values, expected[[4, 17]])


def test_directions_are_random_in_sign_and_their_own_for_each_seed_model_and_layer():
    def drawn(seed, model, layer):
        return torch.cat(list(rademacher(seed, model, 400, torch.float64)(layer, 50)))

    first = drawn(0, 0, "a")
    assert torch.equal(first, drawn(0, 0, "a"))
    for other in (drawn(1, 0, "a"), drawn(0, 1, "a"), drawn(0, 0, "b")):
        assert abs((first * other).mean() * 400) < 0.03  # 20,000 signs: four standard deviations
    assert abs(first.mean() * 20) < 0.03
    gram = first.T @ first - torch.eye(50, dtype=torch.float64)
    assert gram.abs().max() < 0.25


def test_the_ensemble_averages_each_factor():
    case, theta = Tiny.make("bert")
    generator = torch.Generator().manual_seed(1)
    others = [theta + 0.3 * torch.randn(len(theta), generator=generator, dtype=theta.dtype) for _ in range(2)]
    problem = problem_of(case, theta, seed=5, others=others)
    thetas = [theta, *others]
    matrices = [assembled(case, rademacher(5, model, 12, theta.dtype), theta) for model in range(3)]
    kernel = sum(closed_form(case, t, matrix) for t, matrix in zip(thetas, matrices, strict=True)) / 3
    shortfall = sum(1 - probabilities(case, t, case.train) for t in thetas) / 3
    expected = -kernel * shortfall[:, None] * (1 - probabilities(case, theta, case.tested))
    close(trak_ensemble.scores(problem, projection=12).values, expected)
    alone = replace(problem, others=())
    assert torch.equal(trak_ensemble.scores(alone, 12).values, trak.scores(alone, 12).values)


def test_up_weighting_a_copy_of_a_test_example_is_helpful():
    case, theta = Tiny.make("bert")
    same = replace(case, test=case.train)
    assert (trak.scores(problem_of(same, theta), projection=40).values.diagonal() < 0).all()


def test_the_output_is_exact_where_the_probability_is_near_one():
    case, theta = Tiny.make("logistic")
    outputs = outputs_of(case)
    logits, label = torch.tensor([[0.0, 60.0, -1.0]], dtype=torch.float32), torch.tensor([1])
    expected = 60 - torch.tensor([0.0, -1.0]).logsumexp(0)
    torch.testing.assert_close(outputs.output_losses(logits, label), expected[None])
    torch.testing.assert_close(
        outputs.losses(theta, case.train), probabilities(case, theta, case.train).logit(), atol=1e-12, rtol=1e-12
    )


@pytest.mark.parametrize("kind", ["resnet-gelu", "bert"])
def test_float32_agrees_with_float64(kind):
    case, theta = Tiny.make(kind)
    exact = trak.scores(problem_of(case, theta), projection=12).values
    rounded = trak.scores(problem_of(*single(case, theta)), projection=12).values
    assert rounded.dtype == torch.float32
    close(rounded.double(), exact, 1e-2)


def test_bad_settings_are_refused():
    assert trak.ESTIMATOR.own == trak_ensemble.ESTIMATOR.own
    schema = Draft202012Validator(trak.ESTIMATOR.own["projection"])
    assert schema.is_valid(trak.ESTIMATOR.own["projection"]["default"])
    assert not any(schema.is_valid(value) for value in (0, -1, 1.5, "512"))
