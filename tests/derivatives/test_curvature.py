"""Products with the curvature against the explicit matrix."""

from functools import cache

import pytest
import torch
from conftest import Tiny, explicit_hessian
from fading.derivatives import curvature as products
from fading.derivatives.curvature import Curvature
from fading.errors import FadingError
from fading.training.segment import batch_loss, unit_weights


def weighted(kind):
    """A tiny case at its point, all training examples, unequal weights."""
    case, theta = Tiny.make(kind)
    weights = unit_weights(case)
    weights[2], weights[5] = 0.0, 3.0
    return case, theta, torch.arange(len(case.train)), weights


@cache
def explicit(tiny_kind, kind):
    """The weighted curvature without any of the library's products: rows of double backward, or Jacobians of logits."""
    case, theta, index, weights = weighted(tiny_kind)
    if kind == "hessian":
        return explicit_hessian(lambda theta: batch_loss(case, theta, index, weights), theta)
    jacobian = torch.autograd.functional.jacobian(lambda t: case.logits(t, case.train[index].inputs), theta)
    share = case.logits(theta, case.train[index].inputs).softmax(1)
    bend = (torch.diag_embed(share) - share[:, :, None] * share[:, None]) * weights[index, None, None] / len(index)
    eye = torch.eye(len(theta), dtype=theta.dtype)
    return torch.einsum("nap,nab,nbq->pq", jacobian, bend, jacobian) + case.weight_decay * eye


@pytest.mark.parametrize("retained", [0, 1024])
@pytest.mark.parametrize("curvature", ["hessian", "gauss-newton"])
@pytest.mark.parametrize("kind", Tiny.kinds)  # the networks at an indefinite point, the logistic at a definite one
def test_products_equal_the_explicit_matrix(kind, curvature, retained, monkeypatch):
    monkeypatch.setattr(products, "CHUNK", 7)  # 23 = 3 · 7 + 2: an unequal last chunk
    monkeypatch.setattr(products, "RETAINED", retained)
    case, theta, index, weights = weighted(kind)
    expected = explicit(kind, curvature)
    operator = Curvature(case, theta, index, weights, kind=curvature)
    vectors = torch.randn(3, len(theta), dtype=theta.dtype, generator=torch.Generator().manual_seed(0))
    for _ in range(2):  # a second product may use what the first left
        assert (operator(vectors) - vectors @ expected).abs().max() < 1e-10 * (vectors @ expected).abs().max()
    gradient = torch.func.grad(lambda t: batch_loss(case, t, index, weights))(theta)
    torch.testing.assert_close(operator.gradient(), gradient, atol=1e-12, rtol=1e-10)


def test_the_explicit_matrix_of_an_operator():
    expected = explicit("sentences", "hessian")
    assert (Curvature(*weighted("sentences")).matrix() - expected).abs().max() < 1e-10 * expected.abs().max()


def test_there_is_no_other_curvature(tiny):
    case, theta = tiny.make("logistic")
    with pytest.raises(FadingError, match="no curvature fisher; there are hessian, gauss-newton"):
        Curvature(case, theta, torch.arange(3), kind="fisher")


@pytest.mark.slow
def test_definite_and_indefinite_points(tiny):
    for kind, definite in [("resnet-gelu", False), ("bert", False), ("sentences", False), ("logistic", True)]:
        case, theta = tiny.make(kind)
        index = torch.arange(len(case.train))
        assert (torch.linalg.eigvalsh(Curvature(case, theta, index).matrix())[0] > 0) == definite
        assert torch.linalg.eigvalsh(Curvature(case, theta, index, kind="gauss-newton").matrix())[0] > 0
