"""Other libraries give the same answers, in float32, where they answer the same question, and differ where we say."""

import sys
from dataclasses import replace

import pytest
import torch
from fading.derivatives.gradients import per_example_gradients
from fading.derivatives.layers import layers
from fading.models.bert import BertTop
from fading.models.case import Case, Examples
from fading.models.logistic import Logistic
from fading.models.resnet import ResNet
from fading.peers import PEERS
from fading.peers.comparisons import Comparison, Task, comparison, missing
from torch import nn

N = 70  # batches of 64 leave an unequal last one


def task_of(kind) -> Task:
    """A small real model on random data, in float32."""
    generator = torch.Generator().manual_seed(0)

    def examples(count):
        inputs = {
            "resnet": lambda: (torch.randn(count, 1, 12, 12, generator=generator),),
            "bert": lambda: (torch.randn(count, 5, 12, generator=generator), torch.ones(count, 5, dtype=torch.long)),
            "logistic": lambda: (torch.randn(count, 6, generator=generator),),
        }[kind]()
        return Examples(inputs, torch.randint(0, 3, (count,), generator=generator))

    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = {
            "resnet": lambda: ResNet(8, "gelu", 3),
            "bert": lambda: BertTop(12, heads=2, intermediate=24, epsilon=1e-12, classes=3),
            "logistic": lambda: Logistic(6, 3),
        }[kind]()
    case = Case(module.requires_grad_(False), examples(N), examples(9), 9, 0.0, torch.float32)
    theta = case.flatten({name: parameter.detach() for name, parameter in module.named_parameters()})
    theta = theta + 0.05 * torch.randn(len(theta), generator=generator)
    return Task(case, theta, torch.arange(N), krylov=12, keep=5, damping=0.01)


def difference(theirs, ours):
    assert theirs.shape == ours.shape
    return (theirs - ours).norm() / ours.norm()


def available(library, what) -> Comparison:
    """The comparison; without a library that the environment may lack, the test is skipped, and says how to get it."""
    if (reason := missing(library)) is not None:
        pytest.skip(reason)
    return comparison(library, what)


pytestmark = pytest.mark.slow  # other libraries take their time to import

AGREE = [
    ("resnet", "captum", "gradient-dot"),
    ("bert", "captum", "gradient-dot"),
    ("resnet", "kronfluence", "ekfac"),
    ("bert", "kronfluence", "ekfac"),
    ("resnet", "curvlinops", "hessian"),
    ("bert", "curvlinops", "hessian"),
    ("logistic", "curvlinops", "hessian"),
    ("resnet", "curvlinops", "gauss-newton"),
    ("bert", "curvlinops", "gauss-newton"),
    ("resnet", "dattri", "gradient-dot"),
    ("logistic", "dattri", "exact"),
    ("resnet", "dattri", "datainf"),
    ("resnet", "dattri", "trak"),
    ("resnet", "bergson", "unrolled"),
    ("bert", "bergson", "unrolled"),
    ("logistic", "bergson", "unrolled"),
]
NEARLY = [(kind, "bergson", "unrolled-adamw") for kind in ("resnet", "bert", "logistic")]


@pytest.mark.parametrize(("kind", "library", "what"), AGREE)
def test_they_agree(kind, library, what):
    task, compared = task_of(kind), available(library, what)
    assert difference(compared.theirs(task), compared.ours(task)) < 1e-4


@pytest.mark.parametrize(("kind", "library", "what"), NEARLY)
def test_by_adamw_they_agree_but_for_what_is_within_the_root(kind, library, what):
    task, compared = task_of(kind), available(library, what)
    assert difference(compared.theirs(task), compared.ours(task)) < 1e-3


def test_only_a_library_that_may_be_absent_can_be_left_out(monkeypatch):
    for module in ("dattri.task", "bergson", "bergson.magic", "torchopt"):
        monkeypatch.setitem(sys.modules, module, None)
    for library in ("dattri", "bergson"):
        monkeypatch.delitem(sys.modules, f"fading.peers.{library}", raising=False)
    assert missing("bergson").endswith(PEERS["bergson"].absent)
    with pytest.raises(ImportError, match="dattri"):
        missing("dattri")


def test_captum_drops_negative_eigenvalues_and_agrees_where_none_is_kept():
    compared, task = comparison("captum", "abif"), task_of("bert")
    assert difference(compared.theirs(task), compared.ours(task)) < 1e-4
    everything = replace(task, keep=task.krylov)
    assert difference(compared.theirs(everything), compared.ours(everything)) > 1e-2


@pytest.mark.parametrize("kind", ["resnet", "bert"])
def test_captums_batched_gradients_leave_out_the_norms_and_nothing_else(kind):
    task, compared = task_of(kind), comparison("captum", "gradient-dot-batched")
    theirs = compared.theirs(task)
    assert difference(theirs, compared.ours(task)) > 1e-4
    norms = {name for name, layer in layers(task.case).items() if isinstance(layer, (nn.GroupNorm, nn.LayerNorm))}
    kept = torch.cat(
        [torch.full((shape.numel(),), name.rsplit(".", 1)[0] not in norms) for name, shape in task.case.shapes.items()]
    )
    train, test = (
        per_example_gradients(task.case, task.theta, split) * kept for split in (task.case.train, task.case.test)
    )
    assert difference(theirs, -train @ test.T) < 1e-5


def test_comparing_leaves_the_model_alone():
    task = task_of("resnet")
    before = {name: tensor.clone() for name, tensor in task.case.module.state_dict().items()}
    for library, what in (("kronfluence", "ekfac"), ("captum", "gradient-dot"), ("curvlinops", "hessian")):
        comparison(library, what).theirs(task)
    assert all(torch.equal(tensor, before[name]) for name, tensor in task.case.module.state_dict().items())
    assert not any(parameter.requires_grad for parameter in task.case.module.parameters())


def test_every_library_makes_the_comparisons_that_it_describes_and_all_are_tested():
    described = {(library, what) for library, peer in PEERS.items() for what in peer.compares}
    tested = {(library, what) for _, library, what in AGREE + NEARLY}
    assert described == tested | {("captum", "abif"), ("captum", "gradient-dot-batched")}
    for library, peer in PEERS.items():
        assert peer.absent is None or peer.absent.endswith(".")
        if missing(library) is not None:
            continue
        module = PEERS.load(library)
        assert peer == module.PEER, "what is read as text is what Python makes of it"
        assert peer.compares.keys() == module.comparisons().keys()
        for what in peer.compares:
            assert comparison(library, what).remark.endswith(".")
            assert comparison(library, what).library == library
