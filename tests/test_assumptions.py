"""Each assumption's statistics where the answer is known: a quadratic, a saddle, a diverging series, planted scores."""

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import Tiny
from fading.derivatives import solvers
from fading.derivatives.curvature import Curvature, lanczos, sharpness
from fading.derivatives.gradients import gradient_norms, per_example_gradients
from fading.derivatives.response import linear_response, predicted_effects
from fading.errors import FadingError
from fading.evidence.tables import most_products
from fading.experiments import convexity, divergence, expansion, stability, trajectory
from fading.experiments.fading import REST, decomposition
from fading.experiments.theory import constant_curvature, gronwall_bound, predictions, second_use, uses
from fading.models.case import Case
from fading.training.counterfactuals import Counterfactual, record
from fading.training.optimizers import SGD, Momentum
from fading.training.segment import descend, unit_weights

RATE = 0.05


class Squares(Case):
    """Half the squared distance of outputs from the labels' unit vectors: quadratic in θ where outputs are linear."""

    def output_losses(self, logits, labels):
        return (logits - torch.nn.functional.one_hot(labels, logits.shape[1])).square().sum(1) / 2


@pytest.fixture
def quadratic():
    """A quadratic case and a point of it."""
    case, theta = Tiny.make("logistic")
    return Squares(**{name: getattr(case, name) for name in case.__dataclass_fields__}), theta


def whole(steps):
    return [torch.arange(Tiny.n)] * steps


def epochs(steps):
    """Batches of 8, the last of an epoch of 7."""
    return [torch.arange(Tiny.n)[8 * (t % 3) : 8 * (t % 3) + 8] for t in range(steps)]


def spectrum(case, theta, index=None):
    """All eigenpairs of the training loss's Hessian."""
    hessian = Curvature(case, theta, torch.arange(Tiny.n) if index is None else index)
    start = torch.randn(len(theta), generator=torch.Generator().manual_seed(0), dtype=theta.dtype)
    return lanczos(hessian, start, len(theta))


# First-order expansion


def test_on_a_quadratic_what_one_use_leaves_over_is_nothing(quadratic):
    case, theta = quadratic
    frame = expansion.remainders(case, theta[None], epochs(3), SGD(RATE), [0, 3, 5], [1.0, 0.1], 0)
    assert len(frame) == 3 * (3 * 3 + 3)
    relative = (frame.remainder / frame.norm).dropna()
    assert len(relative) == 3 * 9
    assert relative.max() < 1e-12
    assert frame.asymmetry.max() < 1e-12
    assert frame.nonadditivity.max() < 1e-12
    first = frame[frame.step == 1]
    assert (first.tracin_remainder / first.norm).max() < 1e-12, "nothing has been propagated yet"


def test_on_a_quadratic_tracins_remainder_is_the_propagation_it_drops(quadratic):
    case, theta = quadratic
    drawn = epochs(3)
    frame = expansion.remainders(case, theta[None], drawn, SGD(RATE), [0, 3, 5], [1.0, 0.1], 0)
    kick = -RATE / 8 * per_example_gradients(case, theta, case.train[torch.tensor([3])])[0]
    eye = torch.eye(len(theta), dtype=theta.dtype)
    steps = [eye - RATE * Curvature(case, theta, batch).matrix() for batch in drawn[1:]]
    expected = (steps[1] @ steps[0] @ kick - kick).norm().item()
    one = frame[(frame.train_index == 3) & (frame.step == 3) & (frame.epsilon == 1.0) & (frame.other_index == -1)]
    assert one.tracin_remainder.item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("kind", ["logistic", "resnet-gelu", "bert"])
def test_on_smooth_models_the_remainder_is_of_second_order(kind):
    case, theta = Tiny.make(kind)
    frame = expansion.remainders(case, theta[None], epochs(7), SGD(RATE), [0, 3, 5], [0.01, 0.001], 0)
    found = expansion.statistics(frame, RATE, 2.0).set_index(["statistic", "train_index"])
    slopes = found.loc["slope"].estimate
    assert len(slopes) == 3
    assert slopes.between(1.9, 2.1).all()


def planted(remainders, norm=1.0):
    """A frame with the remainders by step of one example, the same for ε of 1, .1 and −1."""
    columns = {"train_index": 4, "other_index": -1, "norm": norm, "tracin_remainder": 0.5, "asymmetry": 0.0}
    frames = [
        pd.DataFrame({"step": range(1, len(remainders) + 1), "remainder": remainders, "epsilon": epsilon, **columns})
        for epsilon in (1.0, 0.1, -1.0)
    ]
    return pd.concat(frames, ignore_index=True)


def test_the_horizon_is_the_first_step_whose_error_passes_half():
    found = expansion.statistics(planted([0.1, 0.5, 0.6, 0.4]), 0.1, 5.0).set_index(["statistic", "epsilon"]).estimate
    assert found["horizon", 1.0] == 3
    assert found["predicted horizon", 0.1] == pytest.approx(np.log(10) / 0.5)
    assert found["predicted horizon", 1.0] == 0
    assert found["remainder", 1.0] == pytest.approx(0.4)
    assert found["TracIn's remainder", 1.0] == 0.5
    never = expansion.statistics(planted([0.1, 0.2]), 0.1, 5.0).set_index(["statistic", "epsilon"]).estimate
    assert never["horizon", 1.0] == 3, "one more than the last step"


# Convexity


def test_a_saddle_is_found_with_its_negative_mass():
    values = torch.tensor([-3.0, -1, 2, 4], dtype=torch.float64)
    start = torch.tensor([0.5, 0.5, 0.5, 0.5], dtype=torch.float64)
    ritz = lanczos(lambda rows: rows * values, start, 4)
    torch.testing.assert_close(ritz.weights, torch.full((4,), 0.25, dtype=torch.float64))
    arrays = {"all_values": ritz.values, "all_weights": ritz.weights, "all_residuals": ritz.coupling.abs()}
    found = convexity.statistics({name: tensor.numpy() for name, tensor in arrays.items()}).set_index("statistic")
    assert found.estimate[convexity.RATIO] == pytest.approx(-0.75)
    assert found.estimate[convexity.MASS] == pytest.approx(4 / 10)
    exact = convexity.explicit_statistics(values.numpy()).set_index("statistic")
    assert exact.estimate.to_dict() == pytest.approx(found.estimate.to_dict())


def test_the_interval_of_an_unfinished_iteration_holds_the_smallest_eigenvalue():
    case, theta = Tiny.make("resnet-gelu")
    hessian = Curvature(case, theta, torch.arange(Tiny.n))
    start = torch.randn(len(theta), generator=torch.Generator().manual_seed(0), dtype=theta.dtype)
    values = torch.linalg.eigvalsh(hessian.matrix())
    assert values[0] < 0
    ritz = lanczos(hessian, start, 8)
    arrays = {"all_values": ritz.values, "all_weights": ritz.weights, "all_residuals": ritz.coupling.abs()}
    found = convexity.statistics({name: tensor.numpy() for name, tensor in arrays.items()}).iloc[0]
    ratio = (values[0] / values[-1]).item()
    assert found.ci_low - 1e-9 <= ratio <= found.ci_high + 1e-9 < 0
    density = convexity.density({name: tensor.numpy() for name, tensor in arrays.items()})
    assert density.weight.sum() == pytest.approx(1)


def test_a_convex_loss_has_no_negative_mass():
    case, theta = Tiny.make("logistic")
    values = torch.linalg.eigvalsh(Curvature(case, theta, torch.arange(Tiny.n)).matrix()).numpy()
    found = convexity.explicit_statistics(values).set_index("statistic").estimate
    assert found[convexity.RATIO] > 0
    assert found[convexity.MASS] == 0


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
    found = convexity.remedies(solutions, {"retraining": changes})
    assert (found.residual == 0.2).all()
    assert found.groupby(["curvature", "damping"]).spearman.apply(list).to_dict() == {
        ("hessian", 0.1): [pytest.approx(1)] * 2,
        ("hessian", 1.0): [pytest.approx(-1)] * 2,
    }


# Stability


@pytest.mark.parametrize("kind", ["resnet-gelu", "logistic"])
def test_solvers_in_the_krylov_space_are_the_solvers_in_the_whole_space(kind):
    case, theta = Tiny.make(kind)
    curvature = Curvature(case, theta, torch.arange(Tiny.n))
    b = per_example_gradients(case, theta, case.train[torch.tensor([4])])[0]
    ritz = lanczos(curvature, b, 9)
    found = stability.krylov_solutions(ritz.values, ritz.vectors @ b, [0.5], [1.0])
    largest = (ritz.values + 0.5).abs().max().item()

    def operator(rows):
        return curvature(rows) + 0.5 * rows

    for products in (1, 5, 8):
        whole = {
            ("CG", stability.STANDARD): solvers.conjugate_gradient(operator, b[None], products, 0.0),
            ("MINRES", stability.STANDARD): solvers.minres(operator, b[None], products, 0.0),
            ("LiSSA", "scale 1 λmax"): solvers.lissa(operator, b[None], products, largest),
        }
        for key, expected in whole.items():
            mine = found[*key, 0.5, products]
            torch.testing.assert_close(mine.x @ ritz.vectors, expected.x, rtol=1e-8, atol=1e-10)
            if products < 8:  # the last product leaves the space
                torch.testing.assert_close(mine.residual, expected.residual, rtol=1e-8, atol=1e-10)
            assert torch.equal(mine.negative_curvature, expected.negative_curvature)


def test_lissa_diverges_where_its_scale_is_too_small_and_explicit_solutions_are_the_reference():
    case, theta = Tiny.make("logistic", weight_decay=0.1)
    system = stability.System(case, theta, torch.arange(Tiny.n), "hessian", [2, 9], [0.5, 1.0])
    explicit, eigenvalues = system.explicit()
    arnoldi = system.arnoldi(spectrum(case, theta), "whole")
    rows = [*system.iterative(12, [0.25, 1.0]), *explicit, *arnoldi]
    assert eigenvalues.min() > 0.09
    frame, references = stability.compared(rows)
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
    by_example = stability.statistics(frame)
    shares = by_example[by_example.statistic == "diverged"].groupby("setting").estimate.mean()
    assert shares["scale 0.25 λmax"] == 1


def test_without_an_explicit_solution_the_smallest_residual_is_the_reference():
    problem = {"train_index": 1, "curvature": "hessian", "damping": 1.0}
    solved = [("a", 0.5, np.arange(4.0)), ("b", 0.1, -np.arange(4.0)), ("c", 9.0, np.full(4, np.inf))]
    rows = [{**problem, "solver": solver, "residual": residual, "scores": found} for solver, residual, found in solved]
    frame, references = stability.compared(rows)
    assert frame.set_index("solver").reference.to_dict() == {"a": False, "b": True, "c": False}
    agreement = frame.set_index("solver").agreement
    assert agreement[["a", "b"]].tolist() == [-1, 1]
    assert agreement["c"] == 0, "what overflowed agrees with nothing"
    assert references["residual.hessian/1"].tolist() == [0.1]


# Trajectory


def scores(values, examples=None):
    return {"scores": values, "examples": np.arange(len(values)) if examples is None else np.array(examples)}


def test_planted_dependence_on_the_trajectory_is_found():
    random = np.random.default_rng(0)
    end, unlike = random.normal(size=(50, 6)), random.normal(size=(50, 6))
    frame = trajectory.agreement(
        checkpoints={3: scores(np.exp(end)), 9: scores(end)},
        orders=[scores(-end)],
        seeds=[scores(end), scores(unlike), scores(end)],
    )
    means = frame.groupby("between").spearman.mean()
    assert means[trajectory.HALFWAY] == pytest.approx(1), "ranks, not values"
    assert means[trajectory.ORDERS] == pytest.approx(-1)
    seeds = frame[frame.between == trajectory.SEEDS].groupby("seed").spearman.mean()
    assert abs(seeds[0]) < 0.2
    assert seeds[1] == pytest.approx(1)
    with pytest.raises(FadingError, match="at least 3 training examples; 1 were scored in both"):
        trajectory.rank_agreement(scores(end), scores(end[:1], [4]))


# Divergence


@pytest.mark.parametrize("rate", [0.02, 3.0])
def test_on_a_quadratic_nothing_passes_the_bound(quadratic, rate):
    case, theta = quadratic
    drawn, examples, epsilon = epochs(8), torch.tensor([1, 10]), torch.tensor([1.0, -0.5], dtype=torch.float64)
    largest = max(torch.linalg.eigvalsh(Curvature(case, theta, batch).matrix()).abs().max() for batch in drawn[:3])
    exactly = torch.linalg.eigvalsh(Curvature(case, theta, drawn[0]).matrix()).abs().max().item()
    assert sharpness(case, theta, drawn[0]) == pytest.approx(exactly, rel=0.02)
    unchanged, _ = record(case, theta[None], drawn, SGD(rate), unit_weights(case), list(range(1, 9)))
    norms, slopes = [], []
    for k, one in enumerate(examples.tolist()):
        weights = Counterfactual((one,), epsilon[k].item()).weights(case)
        thetas, _ = record(case, theta[None], drawn, SGD(rate), weights, list(range(1, 9)))
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
    found = divergence.statistics(frame, np.array([4]), 0.7).groupby("statistic").estimate.apply(list)
    assert found["growth rate"] == [pytest.approx(0.2)]
    assert found["A/A null"] == [0, 0, 0, 0]
    assert found["noise floor"] == [pytest.approx(1e-2)]
    assert found["beyond the bound"] == [0, 1, 1], "the first step, where both may be the same, does not count"
    assert found["response error"] == [pytest.approx(0.5)]
    assert found["eta lambda max"] == [0.7]
    early = divergence.statistics(frame, np.array([3]), 0.7)
    assert "growth rate" not in set(early.statistic), "two points make no rate"


def test_second_use():
    used = torch.tensor([[1, 0, 1], [0, 1, 1], [1, 0, 0]], dtype=torch.bool)
    assert second_use(used).tolist() == [3, 4, 2]


@pytest.mark.parametrize("optimizer", [SGD(0.1), Momentum(0.05)], ids=["sgd", "momentum"])
def test_predictions_are_read_off_at_the_steps_recorded(optimizer):
    case, theta = Tiny.make("resnet-gelu")
    everything = epochs(11)
    *_, (_, state, _) = descend(case, optimizer.start(theta), everything[:4], optimizer, unit_weights(case))
    drawn, steps = everything[4:], [1, 3, 6]
    changed = [Counterfactual((one,), epsilon) for one, epsilon in ((9, 1e-4), (10, -2e-4))]
    unchanged, losses = record(case, state, drawn, optimizer, unit_weights(case), steps, 4)
    runs = [record(case, state, drawn, optimizer, one.weights(case), steps, 4) for one in changed]
    deltas = torch.stack([thetas - unchanged for thetas, _ in runs])
    found = predictions(case, state, drawn, optimizer, changed, deltas, spectrum(case, state[0]), steps, 4)
    actual = torch.stack([moved - losses for _, moved in runs]).numpy()
    np.testing.assert_allclose(found["effect"], actual, rtol=0.01, atol=1e-10)
    assert found["error"].max() < 0.01
    assert found["reused"].tolist() == [4, 4]
    path = [(state[0], drawn[0]), *zip(unchanged[:-1], drawn[1:3], strict=False)]
    norm = torch.linalg.eigvalsh(Curvature(case, *path[0]).matrix()).abs().max().item()
    assert found["sharpness"] >= 0.95 * norm, "the first recorded step's batch, before it"
    if isinstance(optimizer, SGD):
        (slope,) = gradient_norms(case, state[0], case.train[torch.tensor([9])])
        first = optimizer.learning_rate / 8 * 1e-4 * slope.item()
        assert found["bound"][0, 0] >= first * (1 - 1e-9)
        assert (deltas.norm(dim=2).numpy() <= found["bound"] * (1 + 1e-9)).all()
    else:
        assert found.keys() & {"bound", "once", "horizon"} == set()


# What fading consists of


def test_at_constant_curvature_the_forecast_is_the_linear_response(quadratic):
    case, theta = quadratic
    index = torch.arange(Tiny.n)
    for _, state, _ in descend(case, theta[None], whole(4000), SGD(1.0), unit_weights(case)):
        optimum = state[0]
    examples, steps, drawn = torch.tensor([2, 11]), [1, 3, 8], whole(8)
    forecasts = constant_curvature(
        case, optimum, spectrum(case, optimum, index), SGD(RATE), uses(drawn, examples), [Tiny.n] * 8, examples, steps
    )
    responses = linear_response(case, optimum[None], drawn, SGD(RATE), [(2,), (11,)])
    for step, at, psi in responses:
        if step in steps:
            expected = predicted_effects(case, at, psi)
            torch.testing.assert_close(forecasts["horizon"][:, steps.index(step)], expected, rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(forecasts["static"][:, 0], forecasts["once"][:, 0])
    torch.testing.assert_close(forecasts["once"][:, 0], forecasts["horizon"][:, 0])
    assert forecasts.keys() == {"static", "once", "horizon"}
    momentum = constant_curvature(
        case, optimum, spectrum(case, optimum), Momentum(RATE), uses(drawn, examples), [Tiny.n] * 8, examples, steps
    )
    assert momentum.keys() == {"static"}


def test_where_the_krylov_space_is_small_the_rest_shrinks_by_weight_decay_alone():
    case, theta = Tiny.make("logistic", weight_decay=0.5)
    ritz = spectrum(case, theta).largest(0)
    drawn, examples = whole(3), torch.tensor([2])
    found = constant_curvature(case, theta, ritz, SGD(0.1), uses(drawn, examples), [Tiny.n] * 3, examples, [1, 3])
    torch.testing.assert_close(found["once"][:, 1], 0.95**2 * found["static"][:, 1])
    torch.testing.assert_close(found["horizon"][:, 1], (1 + 0.95 + 0.95**2) * found["static"][:, 1])


def test_a_planted_decomposition():
    actual = np.random.default_rng(0).normal(size=(2, 1, 9))
    changes = {"loss_change": actual, "members": np.array([[4], [6]]), "epsilon": np.ones(2)}
    response = {"static": -actual, "once": actual, "horizon": actual, "effect": actual}
    found = decomposition(changes, response, [5]).groupby("part").share.mean()
    assert found.to_dict() == pytest.approx({"kept": -1, "curvature": 2, "re-use": 0, "path": 0, REST: 0}, abs=1e-12)
    found = decomposition(changes, {"static": -actual, "effect": -actual}, [5]).groupby("part").share.mean()
    assert found.to_dict() == pytest.approx({"kept": -1, "path": 0, REST: 2})
