"""Solvers in a Krylov space against those in the whole one, divergence by construction, and which solution is best."""

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import Tiny
from fading.derivatives import solvers
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import per_example_gradients
from fading.derivatives.lanczos import lanczos
from fading.evidence.tables import most_products
from fading.experiments.stability import compared, solver_statistics, summary
from fading.experiments.systems import STANDARD, System, krylov_solutions
from problems import spectrum
from scipy import stats


@pytest.mark.parametrize("kind", ["resnet-gelu", "logistic"])
def test_solvers_in_the_krylov_space_are_the_solvers_in_the_whole_space(kind):
    case, theta = Tiny.make(kind)
    curvature = Curvature(case, theta, torch.arange(Tiny.n))
    b = per_example_gradients(case, theta, case.train[torch.tensor([4])])[0]
    ritz = lanczos(curvature, b, 9)
    solutions = krylov_solutions(ritz.values, ritz.vectors @ b, [0.5], [1.0])
    largest = (ritz.values + 0.5).abs().max().item()

    def operator(rows):
        return curvature(rows) + 0.5 * rows

    for products in (1, 5, 8):
        whole = {
            ("CG", STANDARD): solvers.conjugate_gradient(operator, b[None], products, 0.0),
            ("MINRES", STANDARD): solvers.minres(operator, b[None], products, 0.0),
            ("LiSSA", "scale 1 λmax"): solvers.lissa(operator, b[None], products, largest),
        }
        for key, expected in whole.items():
            mine = solutions[*key, 0.5, products]
            torch.testing.assert_close(mine.x @ ritz.vectors, expected.x, rtol=1e-8, atol=1e-10)
            if products < 8:  # the last product leaves the space
                torch.testing.assert_close(mine.residual, expected.residual, rtol=1e-8, atol=1e-10)
            assert torch.equal(mine.negative_curvature, expected.negative_curvature)


def test_lissa_diverges_where_its_scale_is_too_small_and_explicit_solutions_are_the_reference():
    case, theta = Tiny.make("logistic", weight_decay=0.1)
    system = System(case, theta, torch.arange(Tiny.n), "hessian", [2, 9], [0.5, 1.0])
    explicit, eigenvalues = system.explicit()
    arnoldi = system.arnoldi(spectrum(case, theta), "whole")
    rows = [*system.iterative(12, [0.25, 1.0]), *explicit, *arnoldi]
    assert eigenvalues.min() > 0.09
    frame, references = compared(rows)
    frame = frame.assign(case="a", seed=0)
    last = most_products(frame)
    diverged = last.groupby(["solver", "setting"]).diverged.mean()
    assert diverged["LiSSA", "scale 0.25 λmax"] == 1
    assert diverged["LiSSA", "scale 1 λmax"] == 0
    assert (frame[frame.reference].solver == "explicit").all()
    assert frame[frame.solver == "Arnoldi"].agreement.min() == 1, "with every Ritz pair the inverse is whole"
    assert last[last.solver == "MINRES"].agreement.min() > 0.999
    hessian = Curvature(case, theta, torch.arange(Tiny.n)).matrix() + 0.5 * torch.eye(len(theta), dtype=theta.dtype)
    gradients = per_example_gradients(case, theta, case.train[torch.tensor([2, 9])])
    tested = per_example_gradients(case, theta, case.tested)
    expected = -torch.linalg.solve(hessian, gradients.T).T @ tested.T / Tiny.n
    np.testing.assert_allclose(references["hessian/0.5"], expected.numpy(), rtol=1e-9)
    by_example = solver_statistics(frame)
    shares = by_example[by_example.statistic == "diverged"].groupby("setting").estimate.mean()
    assert shares["scale 0.25 λmax"] == 1


def test_without_an_explicit_solution_the_smallest_residual_is_the_reference():
    problem = {"train_index": 1, "curvature": "hessian", "damping": 1.0}
    solved = [("a", 0.5, np.arange(4.0)), ("b", 0.1, -np.arange(4.0)), ("c", 9.0, np.full(4, np.inf))]
    rows = [
        {**problem, "solver": solver, "residual": residual, "scores": scores} for solver, residual, scores in solved
    ]
    frame, references = compared(rows)
    assert frame.set_index("solver").reference.to_dict() == {"a": False, "b": True, "c": False}
    agreement = frame.set_index("solver").agreement
    assert agreement[["a", "b"]].tolist() == [-1, 1]
    assert agreement["c"] == 0, "what overflowed agrees with nothing"
    assert references["residual.hessian/1"].tolist() == [0.1]


def test_each_statistic_is_averaged_over_examples_on_its_own_scale():
    problem = {"case": "a", "seed": 0, "curvature": "hessian", "solver": "CG", "setting": STANDARD, "damping": 0.1}
    solved = pd.DataFrame(
        {
            "train_index": [4, 7, 9, 11, 12],
            "residual": [0.1, 0.2, 0.4, 0.3, 0.2],
            "diverged": False,
            "negative_curvature": [True, True, False, True, True],
            "agreement": [0.9, 0.8, 0.95, 0.99, 0.9],
        }
    ).assign(**problem, products=8)
    first = solved.assign(products=1, residual=9.0, agreement=0.0)
    table = summary(solver_statistics(pd.concat([first, solved]))).set_index("statistic")
    assert set(table.index) == {"diverged", "negative_curvature", "agreement"}
    z = np.arctanh(solved.agreement)
    assert table.estimate["agreement"] == pytest.approx(np.tanh(z.mean()))
    ends = np.tanh(stats.ttest_1samp(z, 0).confidence_interval(0.95))
    assert table.loc["agreement", ["ci_low", "ci_high"]].tolist() == pytest.approx(ends.tolist())
    wilson = stats.binomtest(4, 5).proportion_ci(method="wilson")
    met = table.loc["negative_curvature"]
    assert (met.estimate, met.scale) == (0.8, "share")
    assert met.ci_low < wilson.low < wilson.high < met.ci_high < 1, "no more certain than five trials"
    assert (table.estimate["diverged"], table.ci_low["diverged"]) == (0, 0)
    assert 0.4 < table.ci_high["diverged"] < 0.6, "that none of five diverged is not that none ever does"
    assert set(table.over) == {"5 training examples of one run"}
    two = summary(solver_statistics(solved[:2])).set_index("statistic")
    assert two[["ci_low", "ci_high"]].isna().all(axis=None)
    assert two.estimate["diverged"] == 0
