"""Estimators against exact references: explicit inverses, retraining to the optimum, closed-form leave-one-out."""

import inspect
from dataclasses import dataclass, replace
from functools import cache

import fading.influence.exact
import pytest
import torch
from conftest import Tiny, explicit_hessian, reference_gradients
from fading.derivatives.curvature import Curvature
from fading.derivatives.lanczos import Ritz, lanczos
from fading.errors import FadingError
from fading.influence import ESTIMATORS
from fading.influence.problem import Problem, Scores
from fading.models.case import Case, Examples
from fading.training.counterfactuals import Counterfactual
from fading.training.optimizers import SGD, AdamW, Momentum
from fading.training.retraining import record, weights
from fading.training.segment import Segment, batch_loss, batches, state_after, train, unit_weights
from torch import nn

SETTINGS = {
    "curvature": "hessian",
    "curvature_examples": Tiny.n,
    "damping": 1.0,
    "iterations": 3000,
    "tolerance": 1e-10,
    "scale": 100.0,
    "window": 4,
    "tests": 3,
    "relative_damping": 0.1,
    "projection": 5,
    "krylov": 4,
    "factors": "lanczos",
}


def taken(name):
    """The names of the settings that an estimator says it takes."""
    return {*ESTIMATORS[name].settings, *ESTIMATORS[name].own}


def score(name, problem, **settings) -> Scores:
    """An estimator's scores with those of the settings above, or of the given ones, that it takes."""
    settings = SETTINGS | settings
    return ESTIMATORS.load(name).scores(problem, **{setting: settings[setting] for setting in taken(name)})


def problem_of(case, theta, **parts) -> Problem:
    """At θ, as if reached by 50 steps that nobody recorded."""
    return Problem(case, {50: theta[None]}, 50, SGD(0.1), torch.arange(len(case.train)), **parts)


def trained(kind, optimizer) -> Problem:
    """A real run of nine steps from the tiny case's point."""
    case, theta = Tiny.make(kind)
    drawn = batches(Tiny.order(9))
    checkpoints, _ = train(Segment(case, optimizer.start(theta), drawn, optimizer), [0, 3, 9])
    return Problem(case, checkpoints, 9, optimizer, torch.arange(Tiny.n), batches=drawn)


def references(case, theta):
    """Gradients one by one, training (n, p) and tested (m, p), and the explicit Hessian, independent of the library."""
    index, ones = torch.arange(len(case.train)), unit_weights(case)
    hessian = explicit_hessian(lambda theta: batch_loss(case, theta, index, ones), theta)
    return *(reference_gradients(case, theta, split) for split in (case.train, case.tested)), hessian


@cache
def known(kind):
    """These at a tiny case's point."""
    return references(*Tiny.make(kind))


def close(actual, expected, tolerance=1e-6):
    assert actual.shape == expected.shape
    assert (actual - expected).abs().max() < tolerance * expected.abs().max()


@pytest.fixture(autouse=True)
def unequal_chunks(monkeypatch):
    monkeypatch.setattr("fading.derivatives.gradients.CHUNK", 7)  # 23 = 3 · 7 + 2
    monkeypatch.setattr("fading.derivatives.curvature.CHUNK", 7)


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_gradient_products(kind):
    case, theta = Tiny.make(kind)
    train, test = (reference_gradients(case, theta, split) for split in (case.train, case.tested))
    problem = problem_of(case, theta)
    close(score("gradient-dot", problem).values, -0.1 * 50 / Tiny.n * train @ test.T, 1e-10)
    cosine = nn.functional.normalize(train) @ nn.functional.normalize(test).T
    close(score("gradient-cosine", problem).values, -cosine, 1e-10)


def test_at_the_start_of_training_gradient_products_have_the_scale_of_one_step():
    case, theta = Tiny.make("logistic")
    start = replace(problem_of(case, theta), checkpoints={0: theta[None]}, step=0)
    train, test = (reference_gradients(case, theta, split) for split in (case.train, case.tested))
    close(score("gradient-dot", start).values, -0.1 / Tiny.n * train @ test.T, 1e-10)


# Each network at two dampings: one where its damped Hessian has eigenvalues of both signs, one where it is definite.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "damping", "definite"),
    [
        ("resnet-gelu", 20.0, False),
        ("resnet-gelu", 100.0, True),
        ("bert", 0.2, False),
        ("bert", 1.0, True),
        ("sentences", 0.01, False),
        ("sentences", 0.5, True),
        ("torchvision-group-silu", 0.4, False),
        ("torchvision-frozen-batch-gelu", 1.0, False),
        ("transformers-bert", 1.0, False),
        ("transformers-albert", 1.5, False),
        ("logistic", 0.0, True),
    ],
)
def test_every_inverse_estimator_equals_the_explicit_inverse(kind, damping, definite, monkeypatch):
    monkeypatch.setattr("fading.derivatives.curvature.CHUNK", 12)  # two unequal chunks, of which solvers take thousands
    case, theta = Tiny.make(kind)
    train, test, hessian = known(kind)
    damped = hessian + damping * torch.eye(len(theta), dtype=theta.dtype)
    assert (torch.linalg.eigvalsh(damped)[0] > 0) == definite
    expected = -train @ torch.linalg.inv(damped) @ test.T / Tiny.n
    start = torch.randn(len(theta), dtype=theta.dtype, generator=torch.Generator().manual_seed(0))
    spectrum = lanczos(lambda rows: rows @ hessian, start, len(theta))
    problem = problem_of(case, theta, spectrum=spectrum)
    for name in ("exact", "cg", "minres", "abif"):
        scores = score(name, problem, damping=damping)
        close(scores.values, expected)
        assert scores.health["residual"].max() < 1e-6, name
        assert scores.health["negative_curvature"].any() != definite, name
    few = replace(problem, examples=torch.tensor([4, 17]))  # fewer than are tested: the other side is solved for
    for name in ("exact", "cg", "minres"):
        close(score(name, few, damping=damping).values, expected[[4, 17]])


@pytest.mark.slow
def test_the_gauss_newton_matrix_in_place_of_the_hessian():
    case, theta = Tiny.make("sentences")
    train, test, _ = known("sentences")
    matrix = Curvature(case, theta, torch.arange(Tiny.n), kind="gauss-newton").matrix()  # tested elsewhere
    damped = matrix + 0.1 * torch.eye(len(theta), dtype=theta.dtype)
    expected = -train @ torch.linalg.inv(damped) @ test.T / Tiny.n
    settings = {"damping": 0.1, "curvature": "gauss-newton", "scale": 0.5, "iterations": 400}
    for name in ("exact", "cg", "minres", "lissa"):
        close(score(name, problem_of(case, theta), **settings).values, expected)


@pytest.mark.parametrize("name", ["exact", "cg", "minres", "lissa"])
def test_curvature_is_that_of_the_first_examples(name):
    case, theta = Tiny.make("logistic")
    train, test, _ = known("logistic")
    few, ones = torch.arange(12), unit_weights(case)
    part = explicit_hessian(lambda theta: batch_loss(case, theta, few, ones), theta)
    expected = -train @ torch.linalg.inv(part) @ test.T / Tiny.n
    close(score(name, problem_of(case, theta), damping=0.0, curvature_examples=12, scale=1.0).values, expected)


def test_a_diverging_solver_says_so():
    case, theta = Tiny.make("resnet-gelu")
    health = score("lissa", problem_of(case, theta), scale=2.0, iterations=60).health
    assert health["diverged"].all()
    assert health["residual"].min() > 1


def test_abif_of_low_rank_inverts_within_its_span_and_knows_its_residual():
    case, theta = Tiny.make("resnet-gelu")
    train, test, hessian = known("resnet-gelu")
    start = torch.randn(len(theta), dtype=theta.dtype, generator=torch.Generator().manual_seed(0))
    kept = lanczos(lambda rows: rows @ hessian, start, 12).largest(5)
    assert (kept.values < 0).any()
    inverse = kept.vectors.T @ torch.diag(1 / kept.values) @ kept.vectors
    scores = score("abif", problem_of(case, theta, spectrum=kept), damping=0.0)
    close(scores.values, -train @ inverse @ test.T / Tiny.n, 1e-9)
    residual = (test - test @ inverse @ hessian).norm(dim=1) / test.norm(dim=1)
    torch.testing.assert_close(scores.health["residual"], residual, atol=1e-7, rtol=1e-6)
    assert scores.health["dropped"].tolist() == [7] * case.measured


def test_tracin_weighs_each_checkpoint_by_the_steps_that_it_stands_for():
    problem = trained("resnet-gelu", SGD(0.1))
    case, expected = problem.case, 0
    for step, steps in ((3, 3), (9, 6)):
        theta = problem.checkpoints[step][0]
        train, test = (reference_gradients(case, theta, split) for split in (case.train, case.tested))
        expected = expected - 0.1 * steps / Tiny.n * train @ test.T
    close(score("tracin", problem).values, expected, 1e-10)
    ends = replace(problem, checkpoints={step: problem.checkpoints[step] for step in (0, 9)})
    close(score("tracin", ends).values, score("gradient-dot", problem).values, 1e-12)
    with pytest.raises(FadingError, match="needs checkpoints before step 9; there is none"):
        score("tracin", replace(problem, checkpoints={9: problem.checkpoints[9]}))


@pytest.mark.parametrize("optimizer", [SGD(0.1), Momentum(0.05), AdamW(0.01)], ids=lambda value: type(value).__name__)
def test_unrolled_is_the_derivative_of_retraining_the_last_steps(optimizer):
    problem = trained("bert", optimizer)
    case, drawn = problem.case, problem.batches
    found = score("unrolled", replace(problem, examples=torch.tensor([2, 11])), window=4)
    scores = found.values
    assert scores.shape == (2, 3), "of the first test examples, as many as are asked for"
    start = optimizer.start(Tiny.make("bert")[1])
    last = Segment(case, state_after(Segment(case, start, drawn[:5], optimizer)), drawn[5:], optimizer, first_step=5)
    for row, example in zip(scores, (2, 11), strict=True):
        up, down = (
            record(last, weights(case, Counterfactual((example,), epsilon)), [4])[1][0] for epsilon in (1e-5, -1e-5)
        )
        close(row, ((up - down) / 2e-5)[:3], 1e-5)
    whole = score("unrolled", problem, window=9)
    step, example, effect = (whole.beside[f"uses.{part}"] for part in ("step", "example", "effect"))
    assert torch.equal(example, torch.cat(drawn)), "beside stands what each use did, in the order of training"
    assert torch.equal(step, torch.cat([torch.full_like(batch, t) for t, batch in enumerate(drawn)]))
    summed = torch.zeros(Tiny.n, 3, dtype=case.dtype).index_add(0, example, effect)
    close(whole.values, summed, 1e-12)


def test_every_estimator_scores_every_training_example():
    problem = trained("logistic", SGD(0.1))
    _, _, hessian = references(problem.case, problem.theta)
    spectrum = Ritz(*_eigenpairs(hessian), *[torch.zeros_like(problem.theta)] * 3)
    problem = replace(problem, spectrum=spectrum, others=(problem.theta + 0.01,))
    for name in ESTIMATORS:
        scores = score(name, problem).values
        assert scores.shape == (Tiny.n, 3 if "tests" in taken(name) else Tiny.measured), name
        assert scores.isfinite().all(), name
        assert (scores != 0).any(1).sum() >= Tiny.n - 2, name
    past = {name for name, description in ESTIMATORS.items() if not description.ranks}
    assert past == {"horizon", "source", "unrolled"}, "the others say something of what follows a checkpoint"


def test_the_horizon_estimator_sums_what_steps_at_constant_curvature_make_of_a_gradient():
    case, theta = Tiny.make("resnet-gelu")
    train, test, hessian = known("resnet-gelu")
    spectrum = Ritz(*_eigenpairs(hessian), *[torch.zeros_like(theta)] * 3)
    step = torch.eye(len(theta), dtype=theta.dtype) - 0.1 * hessian
    expected = -0.1 / Tiny.n * train @ sum(torch.linalg.matrix_power(step, m) for m in range(4)) @ test.T
    close(score("horizon", problem_of(case, theta, spectrum=spectrum), window=4).values, expected, 1e-9)
    # Of the directions that aren't kept H counts as 0: with no pair kept it is the gradient dot product.
    none = Ritz(spectrum.values[:0], spectrum.vectors[:0], spectrum.coupling[:0], spectrum.beyond, spectrum.weights[:0])
    dot = score("gradient-dot", problem_of(case, theta)).values * 4 / 50
    close(score("horizon", problem_of(case, theta, spectrum=none), window=4).values, dot, 1e-9)


def test_a_long_horizon_is_the_influence_function():
    case, theta = Tiny.make("logistic")
    _, _, hessian = known("logistic")
    spectrum = Ritz(*_eigenpairs(hessian), *[torch.zeros_like(theta)] * 3)
    long = replace(problem_of(case, theta, spectrum=spectrum), step=40_000, checkpoints={40_000: theta[None]})
    close(score("horizon", long, window=40_000).values, score("exact", long, damping=0.0).values)


def _eigenpairs(matrix):
    values, vectors = torch.linalg.eigh(matrix)
    return values, vectors.T


def optimum(case, weighting):
    """The minimiser of the weighted training loss, by Newton's method to rounding."""
    theta = torch.zeros(sum(shape.numel() for shape in case.shapes.values()), dtype=case.dtype)
    index = torch.arange(len(case.train))
    for _ in range(12):
        loss = torch.func.grad(lambda t: batch_loss(case, t, index, weighting))
        curvature = explicit_hessian(lambda t: batch_loss(case, t, index, weighting), theta)
        theta = theta - torch.linalg.solve(curvature, loss(theta))
    return theta


def test_exact_is_the_derivative_of_retraining_to_the_optimum():
    case, _ = Tiny.make("logistic")
    theta, epsilon = optimum(case, unit_weights(case)), 1e-4
    scores = score("exact", problem_of(case, theta), damping=0.0).values
    for group in ((0,), (11,), (2, 22)):
        up, down = (
            case.measured_losses(optimum(case, weights(case, Counterfactual(group, change))))
            for change in (epsilon, -epsilon)
        )
        close(scores[list(group)].sum(0), (up - down) / (2 * epsilon))


@dataclass(frozen=True)
class RidgeRegression(Case):
    """Least squares instead of cross-entropy: leave-one-out has a closed form."""

    def output_losses(self, logits, labels):
        return (logits[:, 0] - labels) ** 2 / 2


def test_leave_one_out_retraining_equals_the_closed_form():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(23, 4, generator=generator, dtype=torch.float64)
    y = torch.randn(23, generator=generator, dtype=torch.float64)
    module = nn.Linear(4, 1, bias=False).double().requires_grad_(False)
    case = RidgeRegression(module, Examples((x,), y), Examples((x,), y), 5, 0.3, torch.float64)
    n, eye = len(y), torch.eye(4, dtype=torch.float64)
    whole = torch.linalg.inv(x.T @ x / n + 0.3 * eye)
    fitted = whole @ x.T @ y / n
    steps = [torch.arange(n)] * 400
    start = torch.zeros(1, 4, dtype=torch.float64)
    (retrained,), _ = record(Segment(case, start, steps, SGD(0.3)), None, [400])
    torch.testing.assert_close(retrained, fitted, atol=1e-10, rtol=0)
    scores = score("exact", problem_of(case, fitted), damping=0.0).values
    for k in (0, 7, 22):
        leverage = x[k] @ whole @ x[k] / n
        without = fitted - whole @ x[k] / n * (y[k] - x[k] @ fitted) / (1 - leverage)  # Sherman and Morrison
        left_out = weights(case, Counterfactual((k,), -1.0))
        (retrained,), _ = record(Segment(case, fitted[None], steps, SGD(0.3)), left_out, [400])
        torch.testing.assert_close(retrained, without, atol=1e-10, rtol=0)
        first_order = (x[:5] @ fitted - y[:5]) * (x[:5] @ (without - fitted)) * (1 - leverage)
        torch.testing.assert_close(-scores[k], first_order, atol=1e-10, rtol=1e-8)


def test_the_sign_says_harmful_or_helpful():
    """Up-weighting a copy of a test example lowers its loss: helpful, negative."""
    case, _ = Tiny.make("logistic")
    same = replace(case, test=case.train)
    problem = problem_of(same, optimum(same, unit_weights(same)))
    for name in ("gradient-dot", "gradient-cosine", "exact", "cg", "minres", "lissa", "ekfac", "nearest-neighbours"):
        assert (score(name, problem, iterations=300).values.diagonal() < 0).all(), name


def test_nearest_neighbours_are_those_by_the_angle_between_features():
    case, theta = Tiny.make("logistic")  # its features are its inputs
    (train,), (test,) = case.train.inputs, case.tested.inputs
    expected = -nn.functional.cosine_similarity(train[:, None], test[None], dim=2)
    close(score("nearest-neighbours", problem_of(case, theta)).values, expected, 1e-12)


def test_random_scores_depend_on_the_seed_and_not_on_what_else_is_scored():
    case, theta = Tiny.make("logistic")
    scores, others = (score("random", problem_of(case, theta, seed=seed)).values for seed in (0, 1))
    assert not torch.equal(scores, others)
    few = score("random", replace(problem_of(case, theta), examples=torch.tensor([5, 9]))).values
    assert torch.equal(few, scores[[5, 9]])


def test_what_an_estimator_cant_treat_is_refused_in_one_sentence(monkeypatch):
    case, theta = Tiny.make("logistic")
    monkeypatch.setattr(fading.influence.exact, "MOST_PARAMETERS", 10)
    with pytest.raises(FadingError, match="at most 10 parameters; this model has 21"):
        score("exact", problem_of(case, theta))
    undamped = problem_of(replace(case, weight_decay=0), theta)
    for name in ("cg", "ekfac", "lissa"):
        with pytest.raises(FadingError, match=r"damping must be positive where there is no weight decay; found 0\.0"):
            score(name, undamped, damping=0.0)
    for name in ("horizon", "unrolled"):
        with pytest.raises(FadingError, match="window of 51 steps is beyond the run's 50 before the checkpoint"):
            score(name, problem_of(case, theta), window=51)
    with pytest.raises(FadingError, match="no checkpoint at step 10 or before, where the window begins"):
        score("unrolled", problem_of(case, theta), window=40)
    spectrum = Ritz(torch.tensor([-1e9], dtype=theta.dtype), torch.ones(1, len(theta), dtype=theta.dtype), *[theta] * 3)
    with pytest.raises(FadingError, match="The horizon of 50 steps overflows: curvature from -1e"):
        score("horizon", problem_of(case, theta, spectrum=spectrum), window=50)
    with pytest.raises(FadingError, match="horizon is for sgd; this run used momentum"):
        score("horizon", replace(problem_of(case, theta), optimizer=Momentum(0.1)))


def test_the_registry_lists_every_file():
    assert list(ESTIMATORS) == sorted(
        [
            "abif",
            "cg",
            "datainf",
            "ekfac",
            "exact",
            "gradient-cosine",
            "gradient-dot",
            "horizon",
            "lissa",
            "minres",
            "nearest-neighbours",
            "random",
            "source",
            "tracin",
            "trak",
            "trak-ensemble",
            "unrolled",
        ]
    )


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_takes_the_settings_that_it_describes(name):
    assert taken(name) == inspect.signature(ESTIMATORS.load(name).scores).parameters.keys() - {"problem"}
    assert ESTIMATORS[name] == ESTIMATORS.load(name).ESTIMATOR, "what is read as text is what Python makes of it"
    assert ESTIMATORS.source(name) == f"fading/influence/{name.replace('-', '_')}.py"
