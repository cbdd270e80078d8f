"""The distance of parameters: never beyond the bound on a quadratic, and its statistics where they were planted."""

import numpy as np
import pandas as pd
import pytest
import torch
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import gradient_norms
from fading.derivatives.lanczos import sharpness
from fading.errors import FadingError
from fading.experiments.divergence import curve, divergence_statistics
from fading.experiments.theory import gronwall_bound, uses
from fading.training.counterfactuals import Counterfactual
from fading.training.optimizers import SGD
from fading.training.retraining import record, weights
from fading.training.segment import Segment, unit_weights
from problems import epochs, quadratic


@pytest.mark.parametrize("rate", [0.02, 3.0])
def test_on_a_quadratic_nothing_passes_the_bound(rate):
    case, theta = quadratic()
    drawn, examples, epsilon = epochs(8), torch.tensor([1, 10]), torch.tensor([1.0, -0.5], dtype=torch.float64)
    largest = max(torch.linalg.eigvalsh(Curvature(case, theta, batch).matrix()).abs().max() for batch in drawn[:3])
    exactly = torch.linalg.eigvalsh(Curvature(case, theta, drawn[0]).matrix()).abs().max().item()
    assert sharpness(case, theta, drawn[0]) == pytest.approx(exactly, rel=0.02)
    segment, steps = Segment(case, theta[None], drawn, SGD(rate)), list(range(1, 9))
    unchanged, _ = record(segment, unit_weights(case), steps)
    norms, slopes = [], []
    for k, example in enumerate(examples.tolist()):
        thetas, _ = record(segment, weights(case, Counterfactual((example,), epsilon[k].item())), steps)
        norms.append((thetas - unchanged).norm(dim=1))
        path = torch.cat([theta[None], thetas, unchanged])
        slopes.append(max(gradient_norms(case, point, case.train[examples[k : k + 1]]).item() for point in path))
    slope = torch.tensor(slopes, dtype=torch.float64)
    bound = gronwall_bound(largest.item(), slope, epsilon, rate, uses(drawn, examples), list(map(len, drawn)))
    norms = torch.stack(norms)
    assert (norms <= bound * (1 + 1e-12)).all()
    assert bound[1, 0] == 0, "the second example is drawn in the second step"
    assert bound[0, 2] == pytest.approx(bound[0, 0] * (1 + rate * largest.item()) ** 2)


def test_statistics_of_divergence():
    steps = np.array([1, 2, 3, 5])
    norms = np.exp(0.2 * steps)
    norms[3] = 100  # after the example was drawn again
    rows = [("up-weighted", 3, norms, 0.1 * steps), ("A/A null", 3, 0 * steps, np.nan * steps)]
    rows.append(("noise floor", -1, 1e-2 * norms, np.nan * steps))
    names = ("counterfactual", "train_index", "norm", "response_error")
    frame = pd.concat(pd.DataFrame({"step": steps, "bound": 1.5, **dict(zip(names, row, strict=True))}) for row in rows)
    estimates = divergence_statistics(frame, np.array([4]), 0.7).groupby("statistic").estimate.apply(list)
    assert estimates["growth rate"] == [pytest.approx(0.2)]
    assert estimates["A/A null"] == [0, 0, 0, 0]
    assert estimates["noise floor"] == [pytest.approx(1e-2)]
    assert estimates["beyond the bound"] == [0, 1, 1], "the first step, where both may be the same, does not count"
    assert estimates["response error"] == [pytest.approx(0.5)]
    assert estimates["eta lambda max"] == [0.7]
    early = divergence_statistics(frame, np.array([3]), 0.7)
    assert "growth rate" not in set(early.statistic), "two points make no rate"


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
