import fading.curvature
import pytest
import torch
from conftest import Tiny, explicit_hessian
from fading.curvature import hessian, hessian_vector_products, lanczos, mean_hessian_products
from fading.training import batch_loss, unit_weights


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_products_equal_the_explicit_hessian(tiny, kind, monkeypatch):
    monkeypatch.setattr(fading.curvature, "CHUNK", 7)  # 23 = 3 · 7 + 2: an unequal last chunk
    case, theta = tiny.make(kind)
    weights = unit_weights(case)
    index = torch.arange(len(case.train))
    explicit = explicit_hessian(lambda theta: batch_loss(case, theta, index, weights), theta)
    scale = explicit.abs().max()
    assert (hessian(case, theta, index) - explicit).abs().max() < 1e-10 * scale
    vectors = torch.eye(len(theta), dtype=theta.dtype)[:3]
    assert (mean_hessian_products(case, theta, index, vectors) - explicit[:3]).abs().max() < 1e-10 * scale


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_products_keep_weights_and_the_divisor(tiny, kind):
    case, theta = tiny.make(kind)
    weights = unit_weights(case)
    weights[2], weights[5] = 0.0, 3.0
    batch = torch.tensor([5, 2, 9])
    terms = [
        weights[i] * explicit_hessian(lambda t, i=i: case.losses(t, case.train[i : i + 1])[0], theta) for i in batch
    ]
    explicit = sum(terms) / 3 + case.weight_decay * torch.eye(len(theta), dtype=theta.dtype)
    vectors = torch.randn(4, len(theta), dtype=theta.dtype, generator=torch.Generator().manual_seed(0))
    products = hessian_vector_products(case, theta, batch, weights, vectors)
    assert (products - vectors @ explicit).abs().max() < 1e-10 * explicit.abs().max()


def test_a_random_network_is_an_indefinite_point_and_logistic_regression_a_definite_one(tiny):
    for kind, definite in [("resnet-gelu", False), ("bert", False), ("logistic", True)]:
        case, theta = tiny.make(kind)
        smallest = torch.linalg.eigvalsh(hessian(case, theta, torch.arange(len(case.train))))[0]
        assert (smallest > 0) == definite


def random_symmetric(size, values=None):
    generator = torch.Generator().manual_seed(1)
    rotation, _ = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))
    values = torch.linspace(-2, 5, size, dtype=torch.float64) if values is None else values
    return rotation @ torch.diag(values) @ rotation.T, torch.randn(size, generator=generator, dtype=torch.float64)


def test_lanczos_of_full_dimension_is_the_spectrum():
    matrix, start = random_symmetric(30)
    ritz = lanczos(lambda vector: matrix @ vector, start, 30)
    torch.testing.assert_close(ritz.values, torch.linalg.eigvalsh(matrix), atol=1e-10, rtol=0)
    torch.testing.assert_close(ritz.vectors @ matrix, ritz.values[:, None] * ritz.vectors, atol=1e-9, rtol=0)


def test_lanczos_reports_the_true_residuals_and_stays_orthonormal():
    matrix, start = random_symmetric(60)
    ritz = lanczos(lambda vector: matrix @ vector, start, 12)
    residuals = (ritz.vectors @ matrix - ritz.values[:, None] * ritz.vectors).norm(dim=1)
    torch.testing.assert_close(ritz.residuals, residuals, atol=1e-10, rtol=1e-8)
    torch.testing.assert_close(ritz.vectors @ ritz.vectors.T, torch.eye(12, dtype=torch.float64), atol=1e-12, rtol=0)


def test_lanczos_ends_where_the_krylov_space_is_exhausted():
    matrix, start = random_symmetric(20, torch.tensor([-1.0, 2.0, 3.0, 4.0] * 5, dtype=torch.float64))
    ritz = lanczos(lambda vector: matrix @ vector, start, 15)
    torch.testing.assert_close(ritz.values, torch.tensor([-1.0, 2, 3, 4], dtype=torch.float64))
    assert ritz.residuals.max() < 1e-10


def test_largest_keeps_negative_values_by_their_size():
    matrix, start = random_symmetric(6, torch.tensor([-7.0, -1, 2, 3, 4, 5], dtype=torch.float64))
    kept = lanczos(lambda vector: matrix @ vector, start, 6).largest(3)
    torch.testing.assert_close(kept.values, torch.tensor([-7.0, 4, 5], dtype=torch.float64))
    torch.testing.assert_close(kept.vectors @ matrix, kept.values[:, None] * kept.vectors, atol=1e-9, rtol=0)
