"""Other libraries give the same answers, in float32, where they answer the same question, and differ where we say."""

import re
from dataclasses import replace

import pytest
import torch
from conftest import ROOT
from fading.derivatives.gradients import per_example_gradients
from fading.derivatives.layers import layers
from fading.models.case import Case, Examples
from fading.models.networks import BertTop, Logistic, ResNet
from fading.peers import Setting, comparison
from torch import nn

N = 70  # batches of 64 leave an unequal last one


def setting(kind) -> Setting:
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
    return Setting(case, theta, torch.arange(N), krylov=12, keep=5, damping=0.01)


def difference(found, expected):
    assert found.shape == expected.shape
    return (found - expected).norm() / expected.norm()


AGREE = [
    ("resnet", "captum-gradient-dot"),
    ("bert", "captum-gradient-dot"),
    ("resnet", "kronfluence-ekfac"),
    ("bert", "kronfluence-ekfac"),
    ("resnet", "curvlinops-hessian"),
    ("bert", "curvlinops-hessian"),
    ("resnet", "curvlinops-gauss-newton"),
    ("bert", "curvlinops-gauss-newton"),
    ("resnet", "dattri-gradient-dot"),
    ("logistic", "dattri-exact"),
]


@pytest.mark.parametrize(("kind", "name"), AGREE)
def test_they_agree(kind, name):
    one, compared = setting(kind), comparison(name)
    assert difference(compared.theirs(one), compared.ours(one)) < 1e-4


def test_captum_drops_negative_eigenvalues_and_agrees_where_none_is_kept():
    compared, one = comparison("captum-abif"), setting("bert")
    assert difference(compared.theirs(one), compared.ours(one)) < 1e-4
    everything = replace(one, keep=one.krylov)
    assert difference(compared.theirs(everything), compared.ours(everything)) > 1e-2


@pytest.mark.parametrize("kind", ["resnet", "bert"])
def test_captums_batched_gradients_leave_out_the_norms_and_nothing_else(kind):
    one, compared = setting(kind), comparison("captum-gradient-dot-batched")
    theirs = compared.theirs(one)
    assert difference(theirs, compared.ours(one)) > 1e-4
    norms = {name for name, layer in layers(one.case).items() if isinstance(layer, (nn.GroupNorm, nn.LayerNorm))}
    kept = torch.cat(
        [torch.full((shape.numel(),), name.rsplit(".", 1)[0] not in norms) for name, shape in one.case.shapes.items()]
    )
    train, test = (
        per_example_gradients(one.case, one.theta, split) * kept for split in (one.case.train, one.case.test)
    )
    assert difference(theirs, -train @ test.T) < 1e-5


def test_comparing_leaves_the_model_alone():
    one = setting("resnet")
    before = {name: tensor.clone() for name, tensor in one.case.module.state_dict().items()}
    for name in ("kronfluence-ekfac", "captum-gradient-dot", "curvlinops-hessian"):
        comparison(name).theirs(one)
    assert all(torch.equal(tensor, before[name]) for name, tensor in one.case.module.state_dict().items())
    assert not any(parameter.requires_grad for parameter in one.case.module.parameters())


def test_every_comparison_of_the_workflow_exists():
    named = re.findall(
        r'"((?:captum|curvlinops|dattri|kronfluence)-[a-z-]+)"', (ROOT / "workflow/rules/peers.smk").read_text()
    )
    assert set(named) == {name for _, name in AGREE} | {"captum-abif", "captum-gradient-dot-batched"}
    for name in named:
        assert comparison(name).remark.endswith(".")
