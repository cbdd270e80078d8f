"""How much a job may hold, and what is done where that is not enough."""

import pytest
import torch
from conftest import Tiny
from fading.artefacts import budget
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import (
    bytes_per_gradient,
    chunks,
    gradient_products,
    gradient_projections,
    per_example_gradients,
)
from fading.derivatives.lanczos import lanczos
from fading.derivatives.reverse import uses
from fading.derivatives.solvers import minres
from fading.errors import FadingError
from fading.influence import ESTIMATORS
from fading.influence.problem import Problem, inverse_scores
from fading.training.optimizers import SGD
from fading.training.segment import Segment, batches


@pytest.fixture
def holding(monkeypatch):
    """Sets the budget to so many bytes."""
    return lambda count: monkeypatch.setattr("fading.artefacts.budget._limit", int(count))


@pytest.mark.parametrize(("text", "count"), [("4 GiB", 2**32), ("500MiB", 500 * 2**20), (budget.DEFAULT, 2**32)])
def test_budgets_are_read(text, count):
    assert budget.parsed(text) == count


@pytest.mark.parametrize("text", ["4", "4 GB", "0 GiB", "-1 GiB", "1.5 GiB", 4, ""])
def test_other_budgets_are_refused(text):
    with pytest.raises(FadingError, match=r"budget: found .*; accepted is a number of MiB or GiB above 0"):
        budget.parsed(text)


def test_the_default_is_what_the_text_says():
    assert budget.limit() == budget.parsed(budget.DEFAULT)


def test_what_fits_is_at_least_one_and_at_most_what_is_asked_for(holding):
    holding(100)
    assert budget.fitting(10, most=8, share=0.5) == 5
    assert budget.fitting(10, most=3, share=0.5) == 3
    assert budget.fitting(1000, most=3, share=0.5) == 1
    assert budget.fitting(0, most=3, share=0.5) == 3


def test_what_does_not_fit_is_refused_with_the_numbers(holding):
    case, theta = Tiny.make("logistic")
    holding(2**20)
    budget.require(2**19, "This", share=0.5)
    with pytest.raises(
        FadingError, match=r"This needs 2 GiB at once, and of the budget, 1 MiB, has 512 KiB: .*'4 GiB'"
    ):
        budget.require(2**31, "This", share=0.5)
    holding(5 * theta.nbytes)
    with pytest.raises(FadingError, match=r"A Krylov space of 8 vectors of 21 parameters needs"):
        lanczos(lambda rows: rows, theta, 8)
    with pytest.raises(FadingError, match=r"9 gradients of 21 parameters needs"):
        per_example_gradients(case, theta, case.test)
    segment = Segment(case, theta[None], batches(Tiny.order(4)), SGD(0.1))
    with pytest.raises(FadingError, match=r"Following test losses back through training \(1 at a time\) needs"):
        holding(theta.nbytes)
        uses(segment, case.tested)


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_in_parts_everything_is_the_same_within_rounding(kind, holding):
    """With a budget for two or three examples and vectors at a time."""
    case, theta = Tiny.make(kind)
    vectors = torch.randn(5, len(theta), dtype=theta.dtype, generator=torch.Generator().manual_seed(0))
    segment = Segment(case, theta[None], batches(Tiny.order(4)), SGD(0.1))
    problem = Problem(case, {0: theta[None]}, 0, SGD(0.1), torch.arange(Tiny.n))

    def solved():
        operator = problem.damped_curvature("gauss-newton", 0.1, 9)
        return inverse_scores(problem, lambda b: minres(operator, b, 30, 1e-10))

    def everything():
        found = {
            "products": gradient_products(case, theta, case.train, case.test),
            "projections": gradient_projections(case, theta, case.train, vectors),
            "hessian": Curvature(case, theta, torch.arange(Tiny.n))(vectors),
            "gauss-newton": Curvature(case, theta, torch.arange(Tiny.n), kind="gauss-newton")(vectors),
            "solved": solved().values,
            "uses": uses(segment, case.tested).effect,
            "outputs": case.outputs(theta, case.train),
        }
        found["ekfac"] = ESTIMATORS.load("ekfac").scores(problem, damping=0.1, curvature_examples=9).values
        return found

    whole = everything()
    assert len(chunks(case, case.train)) == 1
    holding(max(15 * bytes_per_gradient(case), 24 * theta.nbytes))
    assert len(chunks(case, case.train)) > 5
    for name, found in everything().items():
        torch.testing.assert_close(found, whole[name], rtol=1e-8, atol=1e-10, msg=name)
