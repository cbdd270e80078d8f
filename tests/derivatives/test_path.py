"""Extreme curvature along a continuation, against explicit Hessians of the batches at each of its points."""

import numpy as np
import pytest
import torch
from conftest import Tiny, explicit_hessian
from fading.derivatives.path import extremes_along
from fading.training.optimizers import SGD, AdamW
from fading.training.segment import Segment, batch_loss, descend, unit_weights

STEPS = 6


def explicit(segment):
    """All eigenvalues of each batch's Hessian before its step: (T, p)."""
    case, theta, values = segment.case, segment.state[0], []
    for batch, (_, after, _) in zip(segment.batches, descend(segment), strict=True):
        hessian = explicit_hessian(lambda at, drawn=batch: batch_loss(case, at, drawn, unit_weights(case)), theta)
        values.append(torch.linalg.eigvalsh(hessian).numpy())
        theta = after[0]
    return np.stack(values)


@pytest.fixture(scope="module", params=[SGD(0.5), AdamW(0.01)], ids=["sgd", "adamw"])
def continuation(request):
    """A segment of an indefinite problem, and its batches' eigenvalues."""
    case, theta = Tiny.make("sentences")
    drawn = [torch.arange(Tiny.n)[8 * (t % 3) : 8 * (t % 3) + 8] for t in range(STEPS)]
    segment = Segment(case, request.param.start(theta), drawn, request.param)
    return segment, explicit(segment)


def test_whole_iterations_end_at_the_extreme_eigenvalues(continuation):
    segment, values = continuation
    assert (values[:, 0] < -0.05).all()
    path = extremes_along(segment, products=values.shape[1])
    assert {name: array.shape for name, array in path.items()} == dict.fromkeys(path, (STEPS,))
    np.testing.assert_allclose(path["smallest"], values[:, 0], rtol=1e-8)
    np.testing.assert_allclose(path["largest"], values[:, -1], rtol=1e-8)
    assert max(path["residual_smallest"].max(), path["residual_largest"].max()) < 1e-8


def test_short_iterations_stay_within_the_spectrum_by_little_more_than_their_residuals(continuation):
    segment, values = continuation
    path = extremes_along(segment, products=8)
    left, right = path["smallest"] - values[:, 0], values[:, -1] - path["largest"]
    assert min(left.min(), right.min()) > -1e-12
    assert (left / np.abs(values[:, 0])).mean() < 0.1
    assert (right / values[:, -1]).mean() < 0.02
    assert (left < path["residual_smallest"]).all()
    assert (right < path["residual_largest"]).all()


def test_each_iteration_begins_where_the_last_one_ended():
    case, theta = Tiny.make("bert")
    path = extremes_along(Segment(case, theta[None], [torch.arange(Tiny.n)] * STEPS, SGD(1e-4)), products=6)
    for end, sign in (("smallest", 1), ("largest", -1)):
        assert (np.diff(sign * path[end])[:2] < 0).all(), "where hardly anything changes, it goes on"
        assert path[f"residual_{end}"][-1] < path[f"residual_{end}"][0] / 10
