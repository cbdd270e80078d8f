"""SOURCE against matrix exponentials of explicit Hessians, and against the exact first order of a quadratic."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from conftest import Tiny, explicit_hessian, reference_gradients
from experiments.problems import quadratic, spectrum, whole
from fading.artefacts import budget
from fading.derivatives.lanczos import random_vector
from fading.errors import FadingError
from fading.influence import horizon, unrolled
from fading.influence.ekfac import drawn_labels
from fading.influence.problem import Problem
from fading.influence.source import ESTIMATOR, HELD, scores
from fading.training.optimizers import SGD, AdamW, Momentum, Schedule
from fading.training.segment import Segment, batch_loss, batches, train, unit_weights
from jsonschema import Draft202012Validator
from points import single
from test_ekfac import dense_fisher

SAMPLE = 10
ONE, THREE = (0, 9), (0, 2, 5, 9)
SLOWLY = Schedule(warm_up=3, end=12)


def trained(kind, optimizer, checkpoints, weight_decay=0.01) -> Problem:
    """A real run of nine steps from the tiny case's point."""
    case, theta = Tiny.make(kind, weight_decay)
    drawn = batches(Tiny.order(9))
    kept, _ = train(Segment(case, optimizer.start(theta), drawn, optimizer), list(checkpoints))
    return Problem(case, kept, 9, optimizer, torch.arange(Tiny.n), batches=drawn)


def sample_hessian(case, theta):
    """The explicit Hessian of the mean loss of the first SAMPLE examples, weight decay included."""
    index, ones = torch.arange(SAMPLE), unit_weights(case)
    return explicit_hessian(lambda theta: batch_loss(case, theta, index, ones), theta)


def ritz_part(case, theta, krylov):
    """The Hessian within its Krylov space, the weight decay alone beyond it."""
    matrix, eye = sample_hessian(case, theta), torch.eye(len(theta), dtype=theta.dtype)
    basis = torch.nn.functional.normalize(random_vector(theta, 0), dim=0)[:, None]
    for _ in range(krylov - 1):
        basis = torch.linalg.qr(torch.cat([basis, matrix @ basis[:, -1:]], 1)).Q
    inside = basis @ basis.T
    return inside @ matrix @ inside + case.weight_decay * (eye - inside)


def fisher(case, theta):
    """The explicit EK-FAC matrix, weight decay included."""
    labelled = drawn_labels(case, theta, case.train[:SAMPLE], seed=0)
    return dense_fisher(case, theta, labelled) + case.weight_decay * torch.eye(len(theta), dtype=theta.dtype)


def dense(problem, matrix_at):
    """−⟨g_z, ψ⟩ with dψ/dτ = −(DC + λI)ψ + D g_k/n integrated from segment to segment, forwards, by exponentials."""
    case, optimizer, kept = problem.case, problem.optimizer, sorted(problem.checkpoints)
    psi = torch.zeros(len(problem.theta), Tiny.n, dtype=case.dtype)
    for start, stop in pairwise(kept):
        state = problem.checkpoints[stop]
        travelled = sum(optimizer.rate(t) for t in range(start, stop)) * (10 if isinstance(optimizer, Momentum) else 1)
        matrix, eye = matrix_at(case, state[0]), torch.eye(state.shape[1], dtype=case.dtype)
        moves = eye
        if isinstance(optimizer, AdamW):
            moves = torch.diag(1 / ((state[2] / (1 - 0.999**stop)).sqrt() + 1e-8))
            matrix = moves @ matrix + optimizer.weight_decay * eye
        forced = moves @ reference_gradients(case, state[0], case.train).T / Tiny.n
        both = torch.cat([torch.cat([-matrix, forced], 1), torch.zeros(Tiny.n, len(eye) + Tiny.n, dtype=case.dtype)])
        remembered, summed = torch.linalg.matrix_exp(travelled * both)[: len(eye)].split([len(eye), Tiny.n], 1)
        psi = remembered @ psi + summed
    return -(reference_gradients(case, problem.theta, case.tested) @ psi).T


def close(actual, expected, tolerance=1e-8):
    assert actual.shape == expected.shape
    assert (actual - expected).abs().max() < tolerance * expected.abs().max()


@pytest.fixture(autouse=True)
def unequal_chunks(monkeypatch):
    monkeypatch.setattr("fading.derivatives.gradients.CHUNK", 7)
    monkeypatch.setattr("fading.derivatives.curvature.CHUNK", 7)


@pytest.mark.parametrize("checkpoints", [ONE, THREE])
@pytest.mark.parametrize(
    ("kind", "optimizer", "weight_decay", "definite"),
    [
        ("logistic", SGD(0.1), 0.01, True),
        ("sentences", SGD(0.1), 0.5, True),
        ("sentences", SGD(0.1, schedule=SLOWLY), 0.01, False),
        ("sentences", Momentum(0.05), 0.01, False),
        ("sentences", AdamW(0.01, weight_decay=0.1, schedule=SLOWLY), 0.0, False),
        pytest.param("bert", SGD(0.1), 1.0, True, marks=pytest.mark.slow),
        pytest.param("bert", AdamW(0.01), 0.0, False, marks=pytest.mark.slow),
        pytest.param("resnet-gelu", SGD(0.05), 0.01, False, marks=pytest.mark.slow),
    ],
)
def test_in_the_whole_space_scores_are_those_of_explicit_matrix_exponentials(
    kind, optimizer, weight_decay, definite, checkpoints
):
    problem = trained(kind, optimizer, checkpoints, weight_decay)
    values = torch.linalg.eigvalsh(sample_hessian(problem.case, problem.theta))
    assert (values[0] > 0) == definite
    actual = scores(problem, "hessian", SAMPLE, krylov=len(problem.theta), factors="lanczos").values
    close(actual, dense(problem, sample_hessian), 1e-6)


@pytest.mark.parametrize(
    "kind", ["sentences", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("bert", "resnet-gelu"))]
)
def test_beyond_the_krylov_space_curvature_is_the_weight_decay_alone(kind):
    problem = trained(kind, SGD(0.1), THREE, weight_decay=0.3)
    actual = scores(
        replace(problem, examples=torch.tensor([4, 17])), "hessian", SAMPLE, krylov=6, factors="lanczos"
    ).values
    close(actual, dense(problem, lambda case, theta: ritz_part(case, theta, 6))[[4, 17]])


@pytest.mark.parametrize("optimizer", [SGD(0.1), Momentum(0.02)], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("kind", ["resnet-gelu", "bert", "sentences", "transformers-albert"])
def test_with_ekfac_factors_scores_are_those_of_the_explicit_fisher_matrix(kind, optimizer):
    problem = trained(kind, optimizer, THREE)
    actual = scores(problem, "hessian", SAMPLE, krylov=1, factors="ekfac").values
    close(actual, dense(problem, fisher), 1e-6)


def descent(rate, steps, kept) -> Problem:
    """Whole-batch descent on the quadratic."""
    case, theta = quadratic()
    optimizer = SGD(rate)
    checkpoints, _ = train(Segment(case, optimizer.start(theta), whole(steps), optimizer), kept)
    everything = spectrum(case, theta)
    return Problem(case, checkpoints, steps, optimizer, torch.arange(Tiny.n), batches=whole(steps), spectrum=everything)


def source_and_unrolled(rate):
    problem = descent(rate, 6, list(range(7)))
    source = scores(problem, "hessian", Tiny.n, krylov=30, factors="lanczos").values
    return source, unrolled.scores(problem, window=6, tests=problem.case.measured).values


def source_and_horizon(rate):
    problem = descent(rate, 6, [0, 6])
    source = scores(problem, "hessian", Tiny.n, krylov=30, factors="lanczos").values
    return source, horizon.scores(problem, window=6).values


@pytest.mark.parametrize("compared", [source_and_unrolled, source_and_horizon])
def test_it_differs_from_discrete_steps_by_the_second_order_in_the_rate(compared):
    source, discrete = compared(1e-7)
    close(source, discrete, 1e-6)
    errors = [(source - discrete).abs().max() for source, discrete in map(compared, (2e-3, 1e-3, 5e-4))]
    assert 3.9 < errors[0] / errors[1] < 4.1
    assert 3.95 < errors[1] / errors[2] < 4.05


@pytest.mark.parametrize("optimizer", [SGD(0.05), AdamW(0.01)], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("kind", ["resnet-gelu", "bert"])
def test_float32_agrees_with_float64(kind, optimizer, monkeypatch):
    def start(theta, seed):
        return random_vector(theta.double(), seed).to(theta.dtype)  # which otherwise depends on the type

    monkeypatch.setattr("fading.influence.source.random_vector", start)
    problem = trained(kind, optimizer, THREE)
    exact = scores(problem, "hessian", SAMPLE, krylov=8, factors="lanczos").values
    case, _ = single(problem.case, problem.theta)
    rounded = replace(problem, case=case, checkpoints={t: x.float() for t, x in problem.checkpoints.items()})
    values = scores(rounded, "hessian", SAMPLE, krylov=8, factors="lanczos").values
    assert values.dtype == torch.float32
    close(values.double(), exact, 1e-2)


def test_test_examples_go_in_parts_that_fit_the_budget(monkeypatch):
    problem, sizes = trained("sentences", SGD(0.1), THREE), []

    def asked():
        return scores(problem, "hessian", SAMPLE, krylov=3, factors="lanczos").values

    fitting = budget.fitting
    monkeypatch.setattr(budget, "fitting", lambda *args, **share: sizes.append(fitting(*args, **share)) or sizes[-1])
    at_once = asked()
    assert sizes[0] == problem.case.measured
    held = HELD * problem.case.measured + 3
    monkeypatch.setattr(budget, "_limit", 1 + int(held * problem.theta.nbytes / 0.45))
    sizes.clear()
    close(asked(), at_once, 1e-12)
    assert sizes[0] < problem.case.measured
    monkeypatch.setattr(budget, "_limit", int(held * problem.theta.nbytes / 0.45) - 1)
    with pytest.raises(FadingError, match="SOURCE for 5 test examples needs"):
        asked()


def test_what_it_cant_treat_and_bad_settings_are_refused_in_one_sentence():
    problem = trained("sentences", AdamW(0.01), THREE)
    with pytest.raises(FadingError, match="SOURCE by EK-FAC is for sgd and momentum"):
        scores(problem, "hessian", SAMPLE, krylov=4, factors="ekfac")
    with pytest.raises(FadingError, match="no factors exact; there are lanczos, ekfac"):
        scores(problem, "hessian", SAMPLE, krylov=4, factors="exact")
    with pytest.raises(FadingError, match="needs checkpoints before step 9; there is none"):
        scores(
            replace(problem, checkpoints={9: problem.checkpoints[9]}), "hessian", SAMPLE, krylov=4, factors="lanczos"
        )
    far = replace(problem, optimizer=SGD(1e6))
    with pytest.raises(FadingError, match="overflows before step 9: curvature is too negative"):
        scores(far, "hessian", SAMPLE, krylov=8, factors="lanczos")
    bad = {"krylov": (0, 1.5, "30"), "factors": ("exact", 1)}
    for name, values in bad.items():
        schema = Draft202012Validator(ESTIMATOR.own[name])
        assert schema.is_valid(ESTIMATOR.own[name]["default"])
        assert not any(schema.is_valid(value) for value in values)
