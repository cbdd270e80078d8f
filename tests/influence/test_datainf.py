"""DataInf against its formula with explicit matrices, one per example and layer."""

import pytest
import torch
from conftest import Tiny, reference_gradients
from fading.errors import FadingError
from fading.influence.datainf import ESTIMATOR, scores
from jsonschema import Draft202012Validator
from points import problem_of, single


def blocks(case) -> list[torch.Tensor]:
    """The positions in θ of each layer's parameters."""
    ends = torch.tensor([shape.numel() for shape in case.shapes.values()]).cumsum(0).tolist()
    positions = {}
    for name, end in zip(case.shapes, ends, strict=True):
        start = end - case.shapes[name].numel()
        positions.setdefault(name.rpartition(".")[0], []).append(torch.arange(start, end))
    return [torch.cat(parts) for parts in positions.values()]


def dense(case, theta, sample, relative):
    """Scores (n, m) by inverting an explicit matrix per example and layer."""
    train, test = (reference_gradients(case, theta, split) for split in (case.train, case.tested))
    total = 0
    for rows in blocks(case):
        own = train[:sample, rows]
        eye = torch.eye(len(rows), dtype=theta.dtype)
        damping = relative * own.square().mean() + case.weight_decay
        mean = sum(torch.linalg.inv(torch.outer(g, g) + damping * eye) for g in own) / sample
        total = total - train[:, rows] @ mean @ test[:, rows].T / len(train)
    return total


@pytest.fixture(autouse=True)
def unequal_chunks(monkeypatch):
    monkeypatch.setattr("fading.derivatives.gradients.CHUNK", 4)  # 23, 10 and 5 are no multiples


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
@pytest.mark.parametrize("kind", Tiny.kinds)
def test_scores_are_the_mean_of_explicit_inverses_by_layer(kind, weight_decay):
    case, theta = Tiny.make(kind, weight_decay)
    expected = dense(case, theta, sample=10, relative=0.1)
    actual = scores(problem_of(case, theta), curvature_examples=10, relative_damping=0.1).values
    assert (actual - expected).abs().max() < 1e-8 * expected.abs().max()


def test_with_heavy_damping_it_is_the_gradient_dot_product_by_layer():
    case, theta = Tiny.make("bert", weight_decay=1e6)
    train, test = (reference_gradients(case, theta, split) for split in (case.train, case.tested))
    actual = scores(problem_of(case, theta), curvature_examples=Tiny.n, relative_damping=0.1).values
    expected = -train @ test.T / Tiny.n / 1e6
    assert (actual - expected).abs().max() < 1e-4 * expected.abs().max()


@pytest.mark.parametrize("kind", ["resnet-gelu", "bert"])
def test_float32_agrees_with_float64(kind):
    case, theta = Tiny.make(kind)
    exact = scores(problem_of(case, theta), curvature_examples=10, relative_damping=0.1).values
    rounded = scores(problem_of(*single(case, theta)), curvature_examples=10, relative_damping=0.1).values
    assert rounded.dtype == torch.float32
    assert (rounded - exact).abs().max() < 1e-3 * exact.abs().max()


def test_what_it_cant_damp_and_bad_settings_are_refused():
    case, theta = Tiny.make("sentences", weight_decay=0.0)
    parts = case.unflatten(theta) | {"head.weight": torch.zeros(case.shapes["head.weight"], dtype=case.dtype)}
    flat = case.flatten(parts)
    with pytest.raises(FadingError, match="all gradients vanish: embedding, attention, norm"):
        scores(problem_of(case, flat), curvature_examples=10, relative_damping=0.1)
    schema = Draft202012Validator(ESTIMATOR.own["relative_damping"])
    assert schema.is_valid(ESTIMATOR.own["relative_damping"]["default"])
    assert not any(schema.is_valid(value) for value in (0, -1, "0.1"))
