"""The smallest eigenvalue of a saddle, of an unfinished iteration and of a convex loss; means of it over runs."""

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import Tiny
from fading.derivatives.curvature import Curvature
from fading.derivatives.lanczos import lanczos, random_vector
from fading.evidence.tables import located
from fading.experiments.convexity import density, explicit_statistics, spectrum_statistics, summary
from scipy import stats


def arrays(ritz):
    """A spectrum as its artefact holds it."""
    tensors = {"all_values": ritz.values, "all_weights": ritz.weights, "all_residuals": ritz.coupling.abs()}
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def test_a_saddle_is_found():
    values = torch.tensor([-3.0, -1, 2, 4], dtype=torch.float64)
    start = torch.tensor([0.5, 0.5, 0.5, 0.5], dtype=torch.float64)
    ritz = lanczos(lambda rows: rows * values, start, 4)
    torch.testing.assert_close(ritz.weights, torch.full((4,), 0.25, dtype=torch.float64))
    (iterated,) = spectrum_statistics(arrays(ritz)).itertuples()
    (exact,) = explicit_statistics(values.numpy()).itertuples()
    for row in (iterated, exact):
        assert [row.estimate, row.residual_low, row.residual_high] == pytest.approx([-0.75] * 3)


def test_the_residuals_of_an_unfinished_iteration_reach_to_the_smallest_eigenvalue():
    case, theta = Tiny.make("resnet-gelu")
    hessian = Curvature(case, theta, torch.arange(Tiny.n))
    values = torch.linalg.eigvalsh(hessian.matrix())
    assert values[0] < 0
    unfinished = arrays(lanczos(hessian, random_vector(theta, 0), 8))
    row = spectrum_statistics(unfinished).iloc[0]
    ratio = (values[0] / values[-1]).item()
    assert row.residual_low - 1e-9 <= ratio <= row.residual_high + 1e-9 < 0
    assert density(unfinished).weight.sum() == pytest.approx(1)


def test_a_convex_loss_has_no_negative_eigenvalue():
    case, theta = Tiny.make("logistic")
    values = torch.linalg.eigvalsh(Curvature(case, theta, torch.arange(Tiny.n)).matrix()).numpy()
    assert explicit_statistics(values).estimate.item() > 0


def statistics() -> pd.DataFrame:
    """Of a network, three runs at the end and one at the start; of a small model also all eigenvalues at its end."""
    rows = []
    for case, seed, step, ratio in (("net", 0, 0, -0.5), ("small", 0, 0, 0.1), ("small", 0, 8, 0.19)):
        rows.append(located(lanczos_row(ratio), case=case, seed=seed, step=step))
    rows += [located(lanczos_row(ratio), case="net", seed=seed, step=8) for seed, ratio in enumerate(ENDS)]
    rows.append(located(explicit_statistics(np.array([0.2, 0.7, 1])), case="small", seed=0, step=8))
    return pd.concat(rows, ignore_index=True)


ENDS = (-0.1, -0.2, -0.6)


def lanczos_row(ratio: float) -> pd.DataFrame:
    spectrum = {"all_values": np.array([ratio, 0.5, 1]), "all_residuals": np.array([0.01, 0, 0])}
    return spectrum_statistics(spectrum)


def test_the_end_is_averaged_over_runs_and_one_run_has_no_interval():
    table = summary(statistics()).set_index(["case", "step"])
    assert table.index.is_unique
    end, start = table.loc[("net", 8)], table.loc[("net", 0)]
    expected = stats.ttest_1samp(ENDS, 0).confidence_interval(0.95)
    assert [end.estimate, end.ci_low, end.ci_high] == pytest.approx([np.mean(ENDS), *expected])
    assert (end.over, end.df) == ("3 runs", 2)
    assert [end.residual_low, end.residual_high] == pytest.approx([np.mean(ENDS) - 0.01, np.mean(ENDS)])
    assert start.estimate == -0.5
    assert start[["ci_low", "ci_high"]].isna().all()


def test_what_is_known_exactly_takes_the_place_of_an_iteration_and_needs_no_interval():
    table = summary(statistics()).set_index(["case", "step"])
    exact = table.loc[("small", 8)]
    assert exact.method == "explicit"
    assert exact[["estimate", "ci_low", "ci_high", "residual_low", "residual_high"]].tolist() == [0.2] * 5
    assert exact[["se_rows", "se_columns", "df"]].tolist() == [0, 0, np.inf]
    assert exact.over == "exact: all eigenvalues of one run"
    assert table.loc[("small", 0)].method == "Lanczos"
