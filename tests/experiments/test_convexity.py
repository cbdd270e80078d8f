"""Negative eigenvalues of a saddle, of an unfinished iteration and of a convex loss; remedies of planted effects."""

import numpy as np
import pytest
import torch
from conftest import Tiny
from fading.derivatives.curvature import Curvature
from fading.derivatives.lanczos import lanczos, random_vector
from fading.experiments.convexity import MASS, RATIO, density, explicit_statistics, remedies, spectrum_statistics


def arrays(ritz):
    """A spectrum as its artefact holds it."""
    tensors = {"all_values": ritz.values, "all_weights": ritz.weights, "all_residuals": ritz.coupling.abs()}
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def test_a_saddle_is_found_with_its_negative_mass():
    values = torch.tensor([-3.0, -1, 2, 4], dtype=torch.float64)
    start = torch.tensor([0.5, 0.5, 0.5, 0.5], dtype=torch.float64)
    ritz = lanczos(lambda rows: rows * values, start, 4)
    torch.testing.assert_close(ritz.weights, torch.full((4,), 0.25, dtype=torch.float64))
    iterated = spectrum_statistics(arrays(ritz)).set_index("statistic")
    assert iterated.estimate[RATIO] == pytest.approx(-0.75)
    assert iterated.estimate[MASS] == pytest.approx(4 / 10)
    exact = explicit_statistics(values.numpy()).set_index("statistic")
    assert exact.estimate.to_dict() == pytest.approx(iterated.estimate.to_dict())


def test_the_interval_of_an_unfinished_iteration_holds_the_smallest_eigenvalue():
    case, theta = Tiny.make("resnet-gelu")
    hessian = Curvature(case, theta, torch.arange(Tiny.n))
    values = torch.linalg.eigvalsh(hessian.matrix())
    assert values[0] < 0
    unfinished = arrays(lanczos(hessian, random_vector(theta, 0), 8))
    row = spectrum_statistics(unfinished).iloc[0]
    ratio = (values[0] / values[-1]).item()
    assert row.ci_low - 1e-9 <= ratio <= row.ci_high + 1e-9 < 0
    assert density(unfinished).weight.sum() == pytest.approx(1)


def test_a_convex_loss_has_no_negative_mass():
    case, theta = Tiny.make("logistic")
    values = torch.linalg.eigvalsh(Curvature(case, theta, torch.arange(Tiny.n)).matrix()).numpy()
    estimates = explicit_statistics(values).set_index("statistic").estimate
    assert estimates[RATIO] > 0
    assert estimates[MASS] == 0


def test_remedies_are_compared_with_the_effects_of_their_own_examples():
    effects = np.random.default_rng(0).normal(size=(2, 8))
    changes = {
        "members": np.array([[7, -1], [2, -1], [2, -1], [7, 2]]),
        "epsilon": np.array([-1.0, -1, 1, -1]),
        "loss_change": np.stack([effects[1], effects[0], -effects[0], effects[0] + effects[1]]),
    }
    solutions = {"examples": np.array([2, 7]), "eigenvalues.hessian": np.ones(3)}
    for damping, scores in (("0.1", -effects), ("1", effects)):
        solutions |= {f"hessian/{damping}": scores, f"residual.hessian/{damping}": np.array([0.1, 0.3])}
    compared = remedies(solutions, {"retraining": changes})
    assert (compared.residual == 0.2).all()
    assert compared.groupby(["curvature", "damping"]).spearman.apply(list).to_dict() == {
        ("hessian", 0.1): [pytest.approx(1)] * 2,
        ("hessian", 1.0): [pytest.approx(-1)] * 2,
    }
