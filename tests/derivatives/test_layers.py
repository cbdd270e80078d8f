"""Gradients of single examples, and their products, against one gradient at a time."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import pytest
import torch
from conftest import Tiny, reference_gradients
from fading.derivatives import gradients
from fading.derivatives.factors import Dense, Outer, Rows
from fading.derivatives.gradients import gradient_norms, gradient_products, gradient_projections, per_example_gradients
from fading.derivatives.layer_gradients import layer_gradients
from fading.derivatives.layers import features, join, layers, split
from fading.errors import FadingError
from fading.models.case import Case, Examples
from fading.models.resnet import ResNet
from fading.peers.measure import peak_mebibytes
from torch import nn
from torch.nn import functional as F


@pytest.fixture(autouse=True)
def unequal_chunks(monkeypatch):
    monkeypatch.setattr("fading.derivatives.gradients.CHUNK", 10)  # 23 = 10 + 10 + 3


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_gradients_of_single_examples(tiny, kind):
    case, theta = tiny.make(kind)
    expected = reference_gradients(case, theta, case.train)
    torch.testing.assert_close(per_example_gradients(case, theta, case.train), expected, atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_products_projections_and_norms_are_those_of_the_gradients(tiny, kind):
    case, theta = tiny.make(kind)
    train, test = (reference_gradients(case, theta, split) for split in (case.train, case.test))
    vectors = torch.randn(3, len(theta), dtype=theta.dtype, generator=torch.Generator().manual_seed(0))
    close = {"atol": 1e-11, "rtol": 1e-10}
    torch.testing.assert_close(gradient_products(case, theta, case.train, case.test), train @ test.T, **close)
    torch.testing.assert_close(gradient_projections(case, theta, case.train, vectors), train @ vectors.T, **close)
    torch.testing.assert_close(gradient_norms(case, theta, case.train), train.norm(dim=1), **close)
    assert torch.equal(join(case, split(case, vectors)), vectors)


@pytest.mark.parametrize("head", [[], [nn.Unflatten(1, (4, 2)), nn.GroupNorm(2, 4), nn.Flatten()]])
def test_group_norm_with_and_without_positions(tiny, head):
    case, _ = tiny.make("logistic")
    module = nn.Sequential(nn.Linear(6, 8), nn.GroupNorm(4, 8), nn.Tanh(), *head, nn.Linear(8, 3)).double()
    normed = replace(case, module=module.requires_grad_(False))
    count = sum(shape.numel() for shape in normed.shapes.values())
    theta = torch.randn(count, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = reference_gradients(normed, theta, case.train)
    torch.testing.assert_close(per_example_gradients(normed, theta, case.train), expected, atol=1e-12, rtol=1e-10)
    vectors = torch.randn(3, count, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.equal(join(normed, split(normed, vectors)), vectors)


@pytest.mark.parametrize(("positions", "inputs", "outputs"), [(1, 4, 3), (2, 9, 8), (7, 4, 3)])
def test_outer_products_by_either_route(positions, inputs, outputs):
    """One position, few (inner products of the factors) and many (inner products of the gradients)."""
    generator = torch.Generator().manual_seed(0)

    def some(n):
        shapes = ((n, positions, inputs), (n, positions, outputs))
        return Outer(*(torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes))

    left, right = some(5), some(6)
    dense, other = (
        Dense(torch.einsum("nti,nto->noi", outer.inputs, outer.backward).flatten(1)) for outer in (left, right)
    )
    torch.testing.assert_close(left.matrix, dense.matrix)
    torch.testing.assert_close(left.dot(right), dense.dot(other))
    torch.testing.assert_close(left.project(other.matrix), dense.dot(other))
    torch.testing.assert_close(left.squared_norms(), dense.squared_norms())
    torch.testing.assert_close(left.sum_of_squares(), dense.sum_of_squares())


def test_features_are_what_enters_the_last_layer(tiny):
    case, theta = tiny.make("bert")
    weights = case.unflatten(theta)
    logits = features(case, theta, case.test) @ weights["classifier.weight"].T + weights["classifier.bias"]
    torch.testing.assert_close(logits, case.logits(theta, case.test.inputs))


class Scaled(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner, self.scale = inner, nn.Parameter(torch.ones(1, dtype=torch.float64))

    def forward(self, x):
        return self.scale * self.inner(x)


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.head = nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.inner(self.inner(x).tanh()))


class Positions(nn.Module):
    """Embeddings of positions, and a norm of them, that are asked once for all examples, with an axis of 1 or without.

    The padding index occurs among what is looked up, by example as well.
    """

    def __init__(self, axis: bool):
        super().__init__()
        self.axis = axis
        self.words, self.positions = nn.Embedding(5, 4, padding_idx=1), nn.Embedding(6, 4, padding_idx=2)
        self.norm, self.head = nn.LayerNorm(4), nn.Linear(4, 3)

    def forward(self, x):
        places = torch.arange(6)
        positions = self.norm(self.positions(places[None] if self.axis else places))
        return self.head((self.words(x.abs().floor().long() % 5) + positions).tanh().mean(1))


class NormedTwice(nn.Module):
    """A convolution, a frozen batch norm and a norm, each used twice."""

    def __init__(self):
        super().__init__()
        self.convolution, self.norm, self.other = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2), nn.GroupNorm(1, 2)
        self.head = nn.Linear(8, 3)
        self.norm.running_mean.copy_(torch.tensor([0.3, -0.2]))
        self.norm.running_var.copy_(torch.tensor([1.7, 0.4]))
        self.eval()

    def forward(self, x):
        x = F.pad(x, (0, 2)).view(len(x), 2, 2, 2)
        for _ in range(2):
            x = self.other(self.norm(self.convolution(x)).tanh())
        return self.head(x.flatten(1))


def tied(bias: bool):
    model = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 3))
    model[2].weight = model[0].weight
    if not bias:
        model[2].bias = model[0].bias
    return model


class TiedEmbedding(nn.Module):
    """Words that are looked up and, transposed, scored: layers of two types that share a parameter."""

    def __init__(self):
        super().__init__()
        self.words, self.scores, self.head = nn.Embedding(5, 4), nn.Linear(4, 5), nn.Linear(5, 3)
        self.scores.weight = self.words.weight

    def forward(self, x):
        return self.head(self.scores(self.words(x.abs().floor().long() % 5).mean(1)).tanh())


REUSED = {
    "a layer used twice": Shared,
    "positions": lambda: Positions(axis=True),
    "positions without axis": lambda: Positions(axis=False),
    "norms used twice": NormedTwice,
    "tied": lambda: tied(bias=False),
    "tied but for the bias": lambda: tied(bias=True),
    "tied layers of two types": TiedEmbedding,
}


@pytest.mark.parametrize("count", [1, 6, 9])  # 6: as many examples as positions
@pytest.mark.parametrize("name", REUSED)
def test_gradients_add_up_over_uses_and_layers_that_share_parameters(tiny, name, count):
    case, _ = tiny.make("logistic")
    with torch.random.fork_rng():
        torch.manual_seed(5)
        module = REUSED[name]().double().requires_grad_(False)
    other = replace(case, module=module, train=case.train[:count])
    generator = torch.Generator().manual_seed(0)
    p = sum(shape.numel() for shape in other.shapes.values())
    theta, vectors = (torch.randn(*shape, p, dtype=torch.float64, generator=generator) for shape in ((), (3,)))
    expected, test = (reference_gradients(other, theta, split) for split in (other.train, other.test))
    close = {"atol": 1e-12, "rtol": 1e-10}
    torch.testing.assert_close(per_example_gradients(other, theta, other.train), expected, **close)
    torch.testing.assert_close(gradient_products(other, theta, other.train, other.test), expected @ test.T, **close)
    torch.testing.assert_close(gradient_projections(other, theta, other.train, vectors), expected @ vectors.T, **close)
    torch.testing.assert_close(gradient_norms(other, theta, other.train), expected.norm(dim=1), **close)
    assert torch.equal(join(other, split(other, vectors)), vectors)
    squares = {name: layer.sum_of_squares() for name, layer in layer_gradients(other, theta, other.train).items()}
    joined = join(other, {name: layer[None] for name, layer in squares.items()})[0]
    torch.testing.assert_close(joined, expected.square().sum(0), **close)


def test_products_of_rows_are_those_of_their_one_hot_form():
    generator = torch.Generator().manual_seed(0)

    def some(n, positions):
        indices = torch.randint(0, 7, (n, positions), generator=generator)
        backward = torch.randn(n, positions, 3, generator=generator, dtype=torch.float64)
        one_hot = F.one_hot(indices, 7).double()
        return Rows(indices, backward, 7), Dense(torch.einsum("ntv,nto->nvo", one_hot, backward).flatten(1))

    (left, left_dense), (right, right_dense) = some(5, 4), some(6, 9)
    torch.testing.assert_close(left.matrix, left_dense.matrix)
    torch.testing.assert_close(left.dot(right), left_dense.dot(right_dense))
    torch.testing.assert_close(left.project(right_dense.matrix), left_dense.dot(right_dense))
    torch.testing.assert_close(left.squared_norms(), left_dense.squared_norms())
    torch.testing.assert_close(left.sum_of_squares(), left_dense.sum_of_squares())


class Transposed(nn.Module):
    """A layer to which positions come before examples."""

    def __init__(self):
        super().__init__()
        self.inner, self.head = nn.Linear(1, 1), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.inner(x.T[..., None])[..., 0].T)


class Regularised(nn.Module):
    """A layer whose weight is used beside it."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(6, 3)

    def forward(self, x):
        return self.inner(x) + self.inner.weight.sum(1)


class Deep(nn.Module):
    """The same behind a layer that stops all gradients at θ = 0."""

    def __init__(self):
        super().__init__()
        self.inner, self.head = Regularised(), nn.Linear(3, 3)

    def forward(self, x):
        return self.head(torch.tanh(self.inner(x)))


def test_a_weight_used_beside_its_layer_is_found_once_gradients_reach_it(tiny):
    case, _ = tiny.make("logistic")
    other = replace(case, module=Deep().double().requires_grad_(False))
    theta = torch.linspace(-1, 1, sum(shape.numel() for shape in other.shapes.values()), dtype=torch.float64)
    per_example_gradients(other, torch.zeros_like(theta), other.train)
    with pytest.raises(FadingError, match=r"not known for inner\.inner\.weight, which the model uses outside"):
        per_example_gradients(other, theta, other.train)


SILENTLY_WRONG = [
    (lambda: nn.Sequential(nn.Linear(6, 4), nn.ReLU(inplace=True), nn.Linear(4, 3)), "layer 0 is overwritten in place"),
    (
        lambda: nn.Sequential(nn.Linear(6, 4), nn.GroupNorm(2, 4, bias=False), nn.Linear(4, 3)),
        r"not known for 1 \(Group",
    ),
    (Regularised, "not known for inner.weight, which the model uses outside its layers as well"),
    (Transposed, "layer inner is used neither by example nor once for all"),
    (lambda: nn.Sequential(nn.Unflatten(1, (1, 2, 3)), nn.BatchNorm2d(1), nn.Flatten()), r"not known for 1 \(Batch"),
]


@pytest.mark.parametrize(("build", "sentence"), SILENTLY_WRONG)
def test_models_whose_gradients_would_be_wrong_are_refused(tiny, build, sentence):
    case, _ = tiny.make("logistic")
    other = replace(case, module=build().double().requires_grad_(False))
    theta = torch.ones(sum(shape.numel() for shape in other.shapes.values()), dtype=torch.float64)
    with pytest.raises(FadingError, match=sentence):
        layer_gradients(other, theta, other.train)


def growth(chunk: int) -> float:
    """By how many MiB the peak of scoring in chunks grows with four times the examples."""
    gradients.CHUNK = chunk
    generator = torch.Generator().manual_seed(0)
    examples = Examples((torch.randn(1024, 1, 28, 28, generator=generator),), torch.zeros(1024, dtype=torch.long))
    module = ResNet(8, "gelu", 10).requires_grad_(False)
    case = Case(module, examples, examples, 16, 0.0, torch.float32)
    theta = case.flatten({name: parameter.detach() for name, parameter in module.named_parameters()})
    few, many = (
        peak_mebibytes(lambda n=n: gradient_products(case, theta, case.train[:n], case.tested)) for n in (256, 1024)
    )
    return many - few


def test_scoring_needs_no_more_memory_for_more_examples():
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:  # without what earlier tests left in memory to reuse
        in_chunks, at_once = (fresh.submit(growth, chunk).result() for chunk in (128, 1024))
    assert in_chunks < 0.25 * at_once


def test_layers_that_cant_be_treated_are_refused_by_name(tiny):
    case, _ = tiny.make("logistic")
    scaled = replace(case, module=Scaled(case.module))
    with pytest.raises(FadingError, match=r"not known for the model \(Scaled\); treated are Linear, Conv2d"):
        layers(scaled)
    grouped = replace(case, module=nn.Sequential(nn.Conv2d(4, 4, 1, groups=2)))
    with pytest.raises(FadingError, match=r"not known for 0 \(Conv2d\)"):
        layers(grouped)
    shared = replace(case, module=Shared().double().requires_grad_(False))
    theta = torch.zeros(sum(shape.numel() for shape in shared.shapes.values()), dtype=torch.float64)
    shared.module.inner.forward = lambda x: x
    shared.module.forward = shared.module.head.forward
    with pytest.raises(FadingError, match="does not use its layers head, inner"):
        layer_gradients(shared, theta, shared.train)
    assert not any(module._forward_hooks for module in shared.module.modules()), "nothing stays behind"
