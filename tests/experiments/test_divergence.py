"""The growth bound on first-order changes, which halved curvature breaks, and statistics where they were planted."""

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import Tiny, explicit_hessian
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import per_example_gradients
from fading.derivatives.response import linear_response
from fading.errors import FadingError
from fading.evidence.tables import averaged
from fading.experiments.divergence import curve, divergence_statistics, eta_lambda, growth_bound
from fading.training.optimizers import SGD
from fading.training.segment import Segment, batch_loss, unit_weights
from problems import epochs, whole

EPSILON = 0.5


def explicitly(segment, example):
    """ε‖ψ_t‖ after each step, the path with exact eigenvalues, and the forcing, by explicit Hessians: (1, T), …"""
    case, at, rate = segment.case, segment.state[0], segment.optimizer.learning_rate
    ends, forcing, changes = [], [], []
    for batch, (_, after, psi) in zip(segment.batches, linear_response(segment, [(example,)]), strict=True):
        hessian = explicit_hessian(lambda theta, drawn=batch: batch_loss(case, theta, drawn, unit_weights(case)), at)
        ends.append(torch.linalg.eigvalsh(hessian)[[0, -1]].numpy())
        slope = per_example_gradients(case, at, case.train[torch.tensor([example])]).norm().item()
        forcing.append(rate / len(batch) * EPSILON * slope * (example in batch))
        changes.append(EPSILON * psi.norm().item())
        at = after
    smallest, largest = np.array(ends).T
    path = {"smallest": smallest, "largest": largest}
    path |= {f"residual_{end}": np.zeros(len(ends)) for end in list(path)}
    return np.array([changes]), path, np.array([forcing])


def saddle():
    """A case and a point of it where the gradient of all its examples vanishes and their Hessian is indefinite."""
    case, theta = Tiny.make("sentences", weight_decay=0.1)
    for _ in range(20):
        curvature = Curvature(case, theta, torch.arange(Tiny.n))
        step = torch.linalg.solve(curvature.matrix(), curvature.gradient())
        theta = theta - step / max(1, step.norm())
    assert curvature.gradient().norm() < 1e-12
    assert torch.linalg.eigvalsh(curvature.matrix())[0] < -0.05
    return case, theta


@pytest.mark.parametrize("rate", [0.05, 0.5, 5.0])
def test_along_an_indefinite_path_no_first_order_change_passes_the_growth_bound(rate):
    case, theta = Tiny.make("sentences")
    changes, path, forcing = explicitly(Segment(case, theta[None], epochs(8), SGD(rate)), 10)
    assert (path["smallest"] < -0.05).all()
    bound = growth_bound(path, forcing, rate)
    assert (changes <= bound * (1 + 1e-12)).all()
    assert bound[0, 0] == 0, "the second step is the first to draw it"
    assert bound[0, 1] == pytest.approx(changes[0, 1])
    factor = max(abs(1 - rate * path["smallest"][2]), abs(1 - rate * path["largest"][2]))
    assert bound[0, 2] == pytest.approx(factor * bound[0, 1])


def test_where_the_bound_is_nearly_reached_halved_curvature_breaks_it():
    case, theta = saddle()
    changes, path, forcing = explicitly(Segment(case, theta[None], whole(24), SGD(5.0)), 1)
    bound = growth_bound(path, forcing, 5.0)
    assert (changes <= bound * (1 + 1e-12)).all()
    assert changes[0, -1] > bound[0, -1] / 2
    halved = growth_bound({name: array / 2 for name, array in path.items()}, forcing, 5.0)
    assert changes[0, -1] > 2 * halved[0, -1]


def test_residuals_move_the_eigenvalues_outwards():
    path = {"smallest": [-1.0], "largest": [3.0], "residual_smallest": [0.5], "residual_largest": [1.0]}
    path = {name: np.array(2 * values) for name, values in path.items()}
    assert growth_bound(path, np.array([[1.0, 0.25]]), 0.1)[0] == pytest.approx([1, 1.15 + 0.25])
    assert growth_bound(path, np.array([[1.0, 0.25]]), 1.0)[0] == pytest.approx([1, 3 + 0.25])
    products = eta_lambda(path | {"largest": np.array([3.0, 5.0])}, 2.0, 0.1)
    names = ("max, full sample", "max, batches, mean", "max, batches, largest", "min, batches, mean")
    expected = dict(zip(names, ([0.2], [0.3, 0.5], [0.5], [-0.1, -0.1]), strict=True))
    found = {name: values.tolist() for name, values in products.items()}
    assert found == {f"eta lambda {name}": pytest.approx(values) for name, values in expected.items()}


def test_statistics_of_divergence():
    steps = np.array([1, 2, 3, 5])
    norms = np.exp(0.2 * steps)
    norms[3] = 100  # after the example was drawn again
    rows = [("up-weighted", 3, norms, 0.1 * steps), ("A/A null", 3, 0 * steps, np.nan * steps)]
    rows.append(("noise floor", -1, 1e-2 * norms, np.nan * steps))
    names = ("counterfactual", "train_index", "norm", "response_error")
    frame = pd.concat(pd.DataFrame({"step": steps, "bound": 1.5, **dict(zip(names, row, strict=True))}) for row in rows)
    statistics = divergence_statistics(
        frame, np.array([4]), {"eta lambda max, batches, mean": np.array([0.7, 0.9, 1.1])}
    )
    estimates = statistics.groupby("statistic").estimate.apply(list)
    assert estimates["growth rate"] == [pytest.approx(0.2)]
    assert estimates["A/A null"] == [0]
    assert estimates["noise floor"] == [pytest.approx(1e-2)]
    assert estimates["beyond the bound"] == [pytest.approx(2 / 3)], "the first step, where both are the same, is none"
    assert estimates["log10 tightness"] == [pytest.approx(np.log10(1.5 / 100))]
    assert estimates["response error"] == [pytest.approx(0.5)]
    assert estimates["eta lambda max, batches, mean"] == [0.7, 0.9, 1.1]
    over = averaged(statistics.assign(seed=0), "estimate", ["statistic"]).set_index("statistic").over
    assert over["eta lambda max, batches, mean"] == "3 batches of one run"
    early = divergence_statistics(frame.assign(bound=np.nan), np.array([3]), {})
    assert "growth rate" not in set(early.statistic), "two points make no rate"
    assert {"beyond the bound", "log10 tightness"} & set(early.statistic) == set(), "of SGD alone"


def test_the_curve_refuses_a_null_that_moved():
    norm = np.abs(np.random.default_rng(0).normal(size=(5, 2)))
    norm[3] = 0
    changes = {"norm": norm, "members": np.array([4, 0, 2, 4, -1])[:, None], "epsilon": np.array([1.0, 1, 1, 0, 0])}
    theory = {"error": np.full((2, 2), 0.25), "bound": np.full((2, 2), 3.0)}
    frame = curve(changes, theory, [1, 5])
    assert frame.counterfactual.value_counts().to_dict() == {"up-weighted": 6, "A/A null": 2, "noise floor": 2}
    assert frame.response_error.notna().sum() == frame.bound.notna().sum() == 4
    norm[3, 1] = 1e-30
    with pytest.raises(FadingError, match="moved by 1e-30: training is not deterministic"):
        curve(changes, theory, [1, 5])
    with pytest.raises(FadingError, match="There is no A/A null"):
        curve(changes | {"epsilon": np.ones(5)}, theory, [1, 5])
