"""torchvision's ResNets by name: equal to torchvision's own, doubly differentiable, from their weights."""

import numpy as np
import pytest
import torch
from fading.data import checkpoints
from fading.errors import FadingError
from fading.models import torchvision as ours
from fading.models.case import initial_parameters, open_case
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torchvision.models import resnet

MODEL = {
    **{"kind": "torchvision", "name": "resnet18", "norm": "frozen-batch", "activation": "relu"},
    **{"stem": "imagenet", "precision": "float32"},
}


def settings_of(classes=5, **changes):
    return {"model": MODEL | changes, "classes": classes, "measured": 2, "weight_decay": 0.1, "seed": 0}


def drawn(channels=3, size=40):
    generator = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 3), ("test", 2)):
        arrays[f"{split}_labels"] = generator.integers(0, 5, count)
        arrays[f"{split}_inputs.0"] = generator.normal(size=(count, channels, size, size)).astype(np.float32)
    return arrays


def theirs(name="resnet18", classes=5):
    """torchvision's own in evaluation mode, its statistics not those of a fresh module."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = getattr(resnet, name)(num_classes=classes).eval()
        for key, buffer in network.named_buffers():
            if key.endswith("running_var"):
                buffer.uniform_(0.5, 2)
            elif key.endswith("running_mean"):
                buffer.normal_(std=0.3)
    return network


def started(network, tmp_path, **settings):
    """A case, and the parameters that it starts from, with a file of this network's weights."""
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    weights, downloads = checkpoints.read({"file": str(tmp_path / "weights.safetensors")})
    assert downloads == {}
    settings = settings_of(**settings)
    arrays = drawn() | ours.frozen(settings["model"], weights)
    case = open_case(settings, arrays)
    return case, initial_parameters(settings, case, weights)


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_with_its_weights_it_is_torchvisions(name, tmp_path):
    network = theirs(name)
    case, theta = started(network, tmp_path, name=name)
    with torch.no_grad():
        torch.testing.assert_close(
            case.logits(theta, case.train.inputs), network(*case.train.inputs), rtol=1e-5, atol=1e-5
        )
    assert list(case.shapes) == [key for key, _ in network.named_parameters()], "what trains has torchvision's names"


@pytest.mark.parametrize("name", ours.BLOCKS)
def test_every_depth_has_torchvisions_parameters(name):
    with torch.device("meta"):  # shapes alone
        built = ours.build(MODEL | {"name": name}, (torch.zeros(1, 3, 8, 8),), 1000)
        own = {key: value.shape for key, value in getattr(resnet, name)().named_parameters()}
    assert {key: value.shape for key, value in built.named_parameters()} == own


@pytest.mark.parametrize("activation", ours.ACTIVATIONS)
@pytest.mark.parametrize("stem", ["small", "imagenet"])
@pytest.mark.parametrize("norm", ours.NORMS)
def test_settings_say_what_it_is_made_of(norm, stem, activation):
    network = ours.build(MODEL | {"norm": norm, "stem": stem, "activation": activation}, (torch.zeros(1, 1, 8, 8),), 4)
    kinds = {type(module) for module in network.modules()}
    activations = kinds & {nn.ReLU, nn.GELU, nn.SiLU}
    assert activations == {ours.ACTIVATIONS[activation]}
    assert not any(getattr(module, "inplace", False) for module in network.modules())
    assert kinds & {nn.GroupNorm, nn.BatchNorm2d} == {{"group": nn.GroupNorm, "frozen-batch": nn.BatchNorm2d}[norm]}
    assert (ours.MaxPool in kinds) == (stem == "imagenet")
    assert network.conv1.weight.shape == (64, 1, *((3, 3) if stem == "small" else (7, 7)))
    assert not network.training
    images = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(network(images)[1:], network(images[1:]))  # each example by itself
        assert network.conv1(images).shape[-1] == (8 if stem == "small" else 4)


def test_groups_are_32_where_they_divide_the_channels():
    assert [ours.group_norm(channels).num_groups for channels in (64, 32, 48, 24, 12)] == [32, 32, 16, 8, 4]


@pytest.mark.parametrize("size", [7, 8])
def test_max_pooling_is_torchs_with_both_derivatives(size):
    generator = torch.Generator().manual_seed(0)
    x, v = (torch.randn(2, 3, size, size, dtype=torch.float64, generator=generator) for _ in range(2))
    x.requires_grad_()

    def derivatives(pool):
        out = pool(x)
        (first,) = torch.autograd.grad(out.sin().sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first, x, v)
        return out, first, second

    for actual, expected in zip(
        derivatives(ours.MaxPool()), derivatives(lambda x: F.max_pool2d(x, 3, 2, 1)), strict=True
    ):
        torch.testing.assert_close(actual, expected, atol=0, rtol=1e-13)
    assert torch.autograd.gradgradcheck(ours.MaxPool(), x[:1, :1])


def test_a_checkpoint_of_other_classes_keeps_the_last_layer_random(tmp_path):
    network = theirs(classes=7)
    case, theta = started(network, tmp_path)
    parameters = case.unflatten(theta)
    assert torch.equal(parameters["layer4.1.conv2.weight"], network.layer4[1].conv2.weight)
    fresh = case.unflatten(initial_parameters(settings_of(), case, None))
    assert torch.equal(parameters["fc.weight"], fresh["fc.weight"])


def test_group_norm_takes_scale_and_shift_alone(tmp_path):
    network = theirs()
    nn.init.normal_(network.bn1.weight)
    case, theta = started(network, tmp_path, norm="group")
    assert torch.equal(case.unflatten(theta)["bn1.weight"], network.bn1.weight)
    assert not list(case.module.buffers())


def test_lower_precision_becomes_float32(tmp_path):
    network = theirs().bfloat16()
    case, theta = started(network, tmp_path)
    assert theta.dtype == torch.float32
    assert torch.equal(case.unflatten(theta)["conv1.weight"], network.conv1.weight.float())
    assert torch.equal(case.module.bn1.running_var, network.bn1.running_var.float())


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    with pytest.raises(FadingError, match=r"checkpoint's conv1.weight: found \(64, 3, 7, 7\); accepted is the shape"):
        started(theirs(), tmp_path, stem="small")
    with pytest.raises(FadingError, match=r"layer1.0.conv1.weight: found \(64, 64, 3, 3\); accepted"):
        started(theirs(), tmp_path, name="resnet50", norm="group")
    with pytest.raises(FadingError, match=r"layer1.0.bn3.running_mean: found none; accepted is the shape \(256,\)"):
        started(theirs(), tmp_path, name="resnet50")
    with pytest.raises(FadingError, match=r"checkpoint's layer1.2.conv1.weight: found none; accepted is the shape"):
        started(theirs(), tmp_path, name="resnet34", norm="group")
