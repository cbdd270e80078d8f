"""On a GPU: the same numbers as on the CPU, and the same bytes twice. Run on a machine with one: pytest -m gpu"""

from dataclasses import replace

import pytest
import torch
from conftest import Tiny
from fading.artefacts.devices import compute_on, computed_on
from fading.derivatives.curvature import Curvature
from fading.derivatives.gradients import gradient_norms, gradient_products, per_example_gradients
from fading.derivatives.lanczos import lanczos, random_vector
from fading.derivatives.response import linear_response
from fading.derivatives.reverse import uses
from fading.influence import ESTIMATORS
from fading.influence.problem import Problem
from fading.models.case import Case, Examples, initial_parameters, open_case
from fading.training.counterfactuals import Counterfactual
from fading.training.optimizers import SGD, AdamW, Momentum
from fading.training.replicas import changes, record_each, replica, together
from fading.training.retraining import record
from fading.training.segment import Segment, batches, descend, train
from models.test_case import drawn, settings_of

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="needs a GPU that torch sees: run it on a machine with one"
    ),
]
CLOSE = {"rtol": 1e-8, "atol": 1e-10}
OPTIMIZERS = [SGD(0.1), Momentum(0.05), AdamW(0.01, 0.1)]


@pytest.fixture(autouse=True)
def default_device():
    """As jobs set it; the CPU again afterwards."""
    yield
    torch.set_default_device("cpu")
    torch.set_deterministic_debug_mode("default")


def moved(case: Case, device: str, dtype: torch.dtype = torch.float64) -> Case:
    """The same case on a device."""

    def move(examples):
        inputs = (x.to(device, dtype) if x.is_floating_point() else x.to(device) for x in examples.inputs)
        return Examples(tuple(inputs), examples.labels.to(device))

    module = case.module.to(device, dtype)
    return replace(case, module=module, train=move(case.train), test=move(case.test), dtype=dtype)


def on_both(kind, function) -> tuple[dict, dict]:
    """The tensors by name that function(case, θ, device) gives on the CPU and on the GPU, in float64."""
    found = []
    for device in ("cpu", "cuda"):
        case, theta = Tiny.make(kind)
        if device == "cuda":
            compute_on(device)
        results = function(moved(case, device), theta.to(device))
        found.append({name: tensor.cpu() for name, tensor in results.items()})
    return found[0], found[1]


def assert_same(cpu, gpu):
    assert cpu.keys() == gpu.keys()
    for name, expected in cpu.items():
        torch.testing.assert_close(gpu[name], expected, **CLOSE, msg=lambda message, name=name: f"{name}: {message}")


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_derivatives(kind):
    def derivatives(case, theta):
        index, vectors = torch.arange(Tiny.n), torch.stack([random_vector(theta, seed) for seed in range(5)])
        segment = Segment(case, theta[None], batches(Tiny.order(5)), SGD(0.1))
        *_, (_, after, psi) = linear_response(segment, [(1,), (2, 7)])
        return {
            "outputs": case.outputs(theta, case.test),
            "gradients": per_example_gradients(case, theta, case.train),
            "products": gradient_products(case, theta, case.train, case.test),
            "norms": gradient_norms(case, theta, case.train),
            "hessian": Curvature(case, theta, index)(vectors),
            "gauss-newton": Curvature(case, theta, index, kind="gauss-newton")(vectors),
            "eigenvalues": lanczos(Curvature(case, theta, index), random_vector(theta, 0), 6).values,
            "after": after,
            "response": psi,
            "uses": uses(segment, case.tested).effect,
        }

    assert_same(*on_both(kind, derivatives))


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_every_estimator(kind):
    def scores(case, theta):
        optimizer = SGD(0.05)
        checkpoints, _ = train(Segment(case, theta[None], batches(Tiny.order(6)), optimizer), [0, 3, 6])
        ritz = lanczos(Curvature(case, checkpoints[6][0], torch.arange(Tiny.n)), random_vector(theta, 0), 6)
        others = (checkpoints[3][0],)
        problem = Problem(
            case, checkpoints, 6, optimizer, torch.arange(Tiny.n), 0, batches(Tiny.order(6)), ritz, others
        )
        given = {"damping": 0.5, "curvature": "gauss-newton", "curvature_examples": 9, "iterations": 5, "scale": 9}
        given |= {"tolerance": 1e-8, "window": 4, "tests": 3}
        found = {}
        for name, estimator in ESTIMATORS.items():
            own = {key: schema["default"] for key, schema in estimator.own.items()}
            options = own | {key: given[key] for key in (*estimator.settings, *own) if key in given}
            found[name] = ESTIMATORS.load(name).scores(problem, **options).values
        return found

    assert_same(*on_both(kind, scores))


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("kind", Tiny.kinds)
def test_replicas_together_are_those_of_the_cpu_alone(kind, optimizer):
    def replicas(case, theta):
        segment = Segment(case, optimizer.start(theta), batches(Tiny.order(9, start=5)), optimizer, first_step=5)
        few = [replica(case, segment.state, Counterfactual((k,), -1.0)) for k in range(5)]
        assert (together(segment) > 1) == theta.is_cuda
        runs = list(record_each(segment, few, [1, 4], 3 if theta.is_cuda else 1))
        return {"thetas": torch.stack([run[0] for run in runs]), "losses": torch.stack([run[1] for run in runs])}

    assert_same(*on_both(kind, replicas))


@pytest.mark.parametrize("kind", ["resnet", "torchvision", "logistic"])
def test_training_starts_where_it_does_on_the_cpu(kind):
    arrays, settings = drawn(kind), settings_of(kind)
    cpu = initial_parameters(settings, open_case(settings, arrays), None)
    compute_on("cuda")
    gpu = initial_parameters(settings, open_case(settings, arrays), None)
    assert gpu.is_cuda
    assert torch.equal(gpu.cpu(), cpu)


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_changes_of_replicas_together(kind):
    def changed(case, theta):
        segment = Segment(case, theta[None], batches(Tiny.order(6)), SGD(0.1))
        _, before = record(segment, None, [2, 6])
        replicas = [replica(case, theta[None], Counterfactual((k,), epsilon)) for k in range(3) for epsilon in (0, -1)]
        found = [change for _, change in changes(segment, replicas, [2, 6], 7 if theta.is_cuda else 1, before)]
        assert not torch.stack(found[::2]).any(), "the A/A null is the unchanged run to the bit"
        return {"changes": torch.stack(found[1::2])}

    assert_same(*on_both(kind, changed))


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_twice_is_the_same_to_the_bit_in_float32(kind):
    case, theta = Tiny.make(kind)
    compute_on("cuda")
    case, theta = moved(case, "cuda", torch.float32), theta.to("cuda", torch.float32)
    optimizer = AdamW(0.01, 0.1)
    segment = Segment(case, optimizer.start(theta), batches(Tiny.order(9)), optimizer)
    few = [replica(case, segment.state, Counterfactual((k,), 1.0)) for k in range(4)]
    vectors = torch.stack([random_vector(theta, seed) for seed in range(3)])

    def everything():
        together_ = torch.stack([thetas for thetas, _ in record_each(segment, few, [9], 4)])
        alone = torch.stack([state for _, state, _ in descend(segment)])
        return (
            together_,
            alone,
            Curvature(case, theta, torch.arange(Tiny.n))(vectors),
            uses(segment, case.tested).effect,
        )

    for first, second in zip(everything(), everything(), strict=True):
        assert torch.equal(first, second)


def test_lineage_names_the_device():
    compute_on("auto")
    assert torch.zeros(1).is_cuda
    assert computed_on() == f"cuda {torch.cuda.get_device_name()}"
    assert not (torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32)
