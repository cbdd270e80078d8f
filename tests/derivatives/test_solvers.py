"""Solvers against the explicit inverse, at definite and indefinite points, and what they say of their health."""

import pytest
import torch
from conftest import Tiny
from fading.derivatives import solvers
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import per_example_gradients
from fading.derivatives.lanczos import Ritz, lanczos
from fading.derivatives.solvers import Solution, arnoldi_health, conjugate_gradient, lissa, minres
from fading.errors import FadingError


def arnoldi(ritz: Ritz, b: torch.Tensor, damping: float) -> Solution:
    """What Ritz pairs make of whole vectors b (k, p), as the estimators do of their components."""
    along, beyond = b @ ritz.vectors.T, b @ ritz.beyond
    x = ritz.inverse(along, damping) @ ritz.vectors
    return Solution(x, **arnoldi_health(ritz, along, beyond, b.norm(dim=1), damping))


@pytest.fixture
def system():
    """A function that makes A = C + λI of a tiny case, the gradients b of its tested examples, and A⁻¹b."""

    def make(kind, damping):
        case, theta = Tiny.make(kind)
        matrix = Curvature(case, theta, torch.arange(len(case.train))).matrix()
        damped = matrix + damping * torch.eye(len(matrix), dtype=matrix.dtype)
        b = per_example_gradients(case, theta, case.tested)
        return matrix, damped, b, torch.linalg.solve(damped, b.T).T

    return make


# The networks' Hessians have eigenvalues of both signs at this damping, down to −67; the logistic's are positive.
@pytest.mark.slow
@pytest.mark.parametrize(("kind", "damping"), [("resnet-gelu", 1.0), ("sentences", 0.01), ("logistic", 0.0)])
def test_every_solver_finds_the_inverse(system, kind, damping):
    matrix, damped, b, expected = system(kind, damping)
    indefinite = torch.linalg.eigvalsh(damped)[0] < 0
    assert indefinite == (kind != "logistic")

    def operator(rows):
        return rows @ damped

    start = torch.randn(len(matrix), generator=torch.Generator().manual_seed(0), dtype=matrix.dtype)
    solutions = {
        "exact": solvers.exact(damped, b),
        "cg": conjugate_gradient(operator, b, 3000, 1e-10),
        "minres": minres(operator, b, 3000, 1e-10),
        "arnoldi": arnoldi(lanczos(lambda rows: rows @ matrix, start, len(matrix)), b, damping),
    }
    for name, solution in solutions.items():
        assert (solution.x - expected).norm() < 1e-6 * expected.norm(), name
        assert (solution.negative_curvature == indefinite).all(), name
        assert solution.residual.max() < 1e-6, name
        assert not solution.diverged.any(), name
        assert not solution.dropped.any(), name


def test_the_residual_is_that_of_the_solution_returned(system):
    matrix, damped, b, _ = system("bert", 0.05)
    true = {}
    for name, solution in {
        "cg": conjugate_gradient(lambda rows: rows @ damped, b, 5, 1e-10),
        "minres": minres(lambda rows: rows @ damped, b, 5, 1e-10),
        "lissa": lissa(lambda rows: rows @ damped, b, 5, 2.0),
        "arnoldi": arnoldi(lanczos(lambda rows: rows @ matrix, b[0] + b[1], 12).largest(7), b, 0.05),
    }.items():
        true[name] = (b - solution.x @ damped).norm(dim=1) / b.norm(dim=1)
        torch.testing.assert_close(solution.residual, true[name], atol=1e-7, rtol=1e-6)
    assert (solution.dropped == 5).all()
    assert true["minres"].max() < 1, "MINRES can only lower the residual"


def test_right_hand_sides_are_solved_independently(system):
    _, damped, b, _ = system("sentences", 1.0)
    b = torch.stack([b[0], torch.zeros_like(b[0]), 1e-3 * b[1]])
    for solve in (conjugate_gradient, minres):
        together = solve(lambda rows: rows @ damped, b, 200, 1e-8)
        alone = solve(lambda rows: rows @ damped, b[2:], 200, 1e-8)
        torch.testing.assert_close(together.x[2:], alone.x, atol=1e-12, rtol=1e-9)
        assert together.iterations.tolist()[1:] == [0, alone.iterations.item()]
        assert not together.x[1].any()
        assert not together.diverged.any()


def diagonal(*values):
    values = torch.tensor(values, dtype=torch.float64)
    return lambda rows: rows * values


ONES = torch.ones(1, 3, dtype=torch.float64)


def test_lissa_converges_and_diverges_where_theory_says():
    operator = diagonal(0.5, 1.0, 4.0)
    good = lissa(operator, ONES, 200, scale=2.1)  # 4 < 2 · 2.1
    torch.testing.assert_close(good.x, torch.tensor([[2.0, 1.0, 0.25]], dtype=torch.float64))
    assert not good.diverged.any()
    assert good.iterations.tolist() == [200]
    bad = lissa(operator, ONES, 200, scale=1.9)
    assert bad.diverged.all()
    assert bad.x.isfinite().all()
    overflowing = lissa(operator, ONES, 5000, scale=0.1)
    assert overflowing.diverged.all()
    assert overflowing.x.isfinite().all(), "the last finite iterate, and a flag"
    assert lissa(diagonal(-0.1, 1.0, 2.0), ONES, 300, scale=2.0).negative_curvature.all()


@pytest.mark.parametrize("values", [(-1.0, 2.0, 3.0), (-0.1, 1.0, 2.0, 3.0), (0.1, 1.0, 2.0, 3.0), (2.0, 2.0, 2.0)])
def test_negative_curvature_is_met_where_there_is_some(values):
    ones = torch.ones(1, len(values), dtype=torch.float64)
    for solve in (conjugate_gradient, minres):
        solution = solve(diagonal(*values), ones, 50, 1e-10)
        assert solution.negative_curvature.item() == (min(values) < 0)
        assert solution.residual.item() < 1e-9


def test_a_singular_matrix_is_one_sentence():
    with pytest.raises(FadingError, match="curvature is singular: damping or weight decay above 0"):
        solvers.exact(torch.zeros(3, 3, dtype=torch.float64), ONES)


def test_conjugate_gradient_says_that_it_met_negative_curvature_and_stops_when_done():
    saddle = conjugate_gradient(diagonal(-1.0, 2.0, 3.0), ONES, 50, 1e-10)
    assert saddle.negative_curvature.all()
    torch.testing.assert_close(saddle.x, torch.tensor([[-1.0, 1 / 2, 1 / 3]], dtype=torch.float64))
    done = conjugate_gradient(diagonal(1.0, 2.0, 3.0), ONES, 10_000, 1e-12)
    assert done.iterations.item() <= 4, "iterating past convergence ends in 0/0"
    assert not done.negative_curvature.any()


def test_a_direction_without_curvature_is_reported_and_leaves_finite_numbers():
    for solve in (conjugate_gradient, minres):
        flat = solve(diagonal(0.0, 0.0, 0.0), ONES, 10, 1e-10)
        assert flat.x.isfinite().all()
        assert flat.negative_curvature.all()
        assert flat.residual.tolist() == [1.0]


def test_negative_ritz_values_are_kept_and_reported():
    operator = diagonal(-3.0, 1.0, 2.0)
    ritz = lanczos(operator, ONES[0], 3)
    solution = arnoldi(ritz.largest(2), ONES, 0.0)
    assert solution.negative_curvature.all()
    assert solution.dropped.tolist() == [1]
    torch.testing.assert_close(
        solution.x, torch.tensor([[-1 / 3, 0.0, 1 / 2]], dtype=torch.float64), atol=1e-12, rtol=0
    )
    nothing = arnoldi(ritz, 0 * ONES, 0.0)
    assert (nothing.residual.item(), nothing.diverged.item()) == (0, False)
