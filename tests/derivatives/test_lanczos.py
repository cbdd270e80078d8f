"""Lanczos's iteration against whole spectra."""

import torch
from fading.derivatives.lanczos import Ritz, lanczos, random_vector


def random_symmetric(size, values=None):
    generator = torch.Generator().manual_seed(1)
    rotation, _ = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))
    values = torch.linspace(-2, 5, size, dtype=torch.float64) if values is None else values
    return rotation @ torch.diag(values) @ rotation.T, torch.randn(size, generator=generator, dtype=torch.float64)


def test_lanczos_of_full_dimension_is_the_spectrum():
    matrix, start = random_symmetric(30)
    ritz = lanczos(lambda rows: rows @ matrix, start, 30)
    torch.testing.assert_close(ritz.values, torch.linalg.eigvalsh(matrix), atol=1e-10, rtol=0)
    torch.testing.assert_close(ritz.vectors @ matrix, ritz.values[:, None] * ritz.vectors, atol=1e-9, rtol=0)


def test_lanczos_reports_how_pairs_couple_to_what_lies_beyond_and_stays_orthonormal():
    matrix, start = random_symmetric(60)
    ritz = lanczos(lambda rows: rows @ matrix, start, 12)
    coupled = ritz.values[:, None] * ritz.vectors + ritz.coupling[:, None] * ritz.beyond
    torch.testing.assert_close(ritz.vectors @ matrix, coupled, atol=1e-10, rtol=0)
    basis = torch.cat([ritz.vectors, ritz.beyond[None]])
    torch.testing.assert_close(basis @ basis.T, torch.eye(13, dtype=torch.float64), atol=1e-12, rtol=0)
    residuals = (ritz.vectors @ matrix - ritz.values[:, None] * ritz.vectors).norm(dim=1)
    torch.testing.assert_close(ritz.coupling.abs(), residuals, atol=1e-10, rtol=1e-8)


def test_lanczos_ends_where_the_krylov_space_is_exhausted():
    matrix, start = random_symmetric(20, torch.tensor([-1.0, 2.0, 3.0, 4.0] * 5, dtype=torch.float64))
    ritz = lanczos(lambda rows: rows @ matrix, start, 15)
    torch.testing.assert_close(ritz.values, torch.tensor([-1.0, 2, 3, 4], dtype=torch.float64))
    assert ritz.coupling.abs().max() == 0


def test_millions_of_parameters_in_single_precision_lose_no_digits():
    spectrum = torch.zeros(2_000_000).index_fill(0, torch.arange(1_000_000), 1.0)
    spectrum[:500_000] = -2.0
    ritz = lanczos(lambda rows: rows * spectrum, random_vector(spectrum, 1), 3)
    torch.testing.assert_close(ritz.values, torch.tensor([-2.0, 0, 1]), atol=2e-5, rtol=0)


def test_largest_keeps_negative_values_by_their_size_and_counts_what_it_drops():
    matrix, start = random_symmetric(6, torch.tensor([-7.0, -1, 2, 3, 4, 5], dtype=torch.float64))
    kept = lanczos(lambda rows: rows @ matrix, start, 6).largest(4).largest(3)
    torch.testing.assert_close(kept.values, torch.tensor([-7.0, 4, 5], dtype=torch.float64))
    torch.testing.assert_close(kept.vectors @ matrix, kept.values[:, None] * kept.vectors, atol=1e-9, rtol=0)
    assert kept.dropped == 3
    again = Ritz.from_arrays(kept.to_arrays())
    assert torch.equal(again.vectors, kept.vectors)
    assert again.dropped == 3


def test_extremes_are_the_first_and_the_last_pair():
    matrix, start = random_symmetric(6, torch.tensor([-2.0, -1, 2, 3, 4, 5], dtype=torch.float64))
    ends = lanczos(lambda rows: rows @ matrix, start, 6).extremes()
    torch.testing.assert_close(ends.values, torch.tensor([-2.0, 5], dtype=torch.float64))
    torch.testing.assert_close(ends.vectors @ matrix, ends.values[:, None] * ends.vectors, atol=1e-9, rtol=0)
    assert ends.dropped == 4
    alone = lanczos(lambda rows: rows @ matrix, start, 1).extremes()
    assert (alone.values[0] == alone.values[1], alone.dropped) == (True, 0)


def test_inverting_within_the_span_keeps_negative_values():
    matrix, start = random_symmetric(6, torch.tensor([-7.0, -1, 2, 3, 4, 5], dtype=torch.float64))
    kept = lanczos(lambda rows: rows @ matrix, start, 6).largest(3)
    along = torch.eye(3, dtype=torch.float64)
    expected = torch.diag(1 / torch.tensor([-6.5, 4.5, 5.5], dtype=torch.float64))
    torch.testing.assert_close(kept.inverse(along, damping=0.5), expected, atol=1e-9, rtol=0)


def test_random_vectors_depend_on_the_seed_alone():
    theta = torch.zeros(9, dtype=torch.float64)
    vector = random_vector(theta, 0)
    assert (vector.shape, vector.dtype) == (theta.shape, theta.dtype)
    assert torch.equal(random_vector(theta, 0), vector)
    assert not torch.equal(random_vector(theta, 1), vector)
