"""torchvision's own ResNets (He et al. 2016) by name, without what ties examples together or breaks derivatives."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import resnet

from fading.models import Model, pretrained

MODEL = Model(
    takes="images",
    settings={
        "name": {
            "description": "Of torchvision: which of its ResNets, by the number of layers.",
            "enum": ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"],
        },
        "norm": {
            "description": "Of torchvision: GroupNorm (group), or BatchNorm2d in evaluation mode (frozen-batch), whose "
            "means and variances are constant, the checkpoint's or else 0 and 1, while scale and shift train.",
            "enum": ["group", "frozen-batch"],
        },
        "activation": {
            "description": "Of torchvision: what stands in every ReLU's place, gelu, relu or silu.",
            "enum": ["gelu", "relu", "silu"],
        },
        "stem": {
            "description": "Of torchvision: a 3×3 convolution (small), or a 7×7 one of stride 2 and max-pooling "
            "(imagenet).",
            "enum": ["small", "imagenet"],
        },
    },
    optional={
        "checkpoint": {
            "description": "Of torchvision: weights to start from, a safetensors file of torchvision's state dict.",
            "type": "object",
            "additionalProperties": False,
            "required": ["file"],
            "properties": {
                "file": {
                    "description": "Its path, absolute or from the working folder.",
                    "type": "string",
                    "pattern": r"\.safetensors$",
                }
            },
        }
    },
    frozen=True,
)
ACTIVATIONS = {"gelu": nn.GELU, "relu": nn.ReLU, "silu": nn.SiLU}
GROUPS = (32, 16, 8, 4)  # of GroupNorm, the first that divides the channels (Wu and He 2018 have 32)
STATISTICS = ("running_mean", "running_var")


class BasicBlock(resnet.BasicBlock):
    """torchvision's, which adds the shortcut in place: what enters a layer or leaves it must stay."""

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(resnet.Bottleneck):
    """torchvision's, likewise."""

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
        return self.relu(self.bn3(self.conv3(out)) + (x if self.downsample is None else self.downsample(x)))


BLOCKS = {
    "resnet18": (BasicBlock, [2, 2, 2, 2]),
    "resnet34": (BasicBlock, [3, 4, 6, 3]),
    "resnet50": (Bottleneck, [3, 4, 6, 3]),
    "resnet101": (Bottleneck, [3, 4, 23, 3]),
    "resnet152": (Bottleneck, [3, 8, 36, 3]),
}


class MaxPool(nn.Module):
    """nn.MaxPool2d(3, stride=2, padding=1), whose derivative on a GPU depends on the order of additions.

    Where maxima tie, the gradient is shared among them; MaxPool2d gives it to the first.
    """

    def forward(self, x: Tensor) -> Tensor:
        rows = _largest_of_three(F.pad(x, (1, 1, 1, 1), value=-torch.inf))
        return _largest_of_three(rows.mT).mT


def _largest_of_three(x):
    """In windows of stride 2 along the last axis but one."""
    return torch.maximum(torch.maximum(x[..., :-2:2, :], x[..., 1:-1:2, :]), x[..., 2::2, :])


def group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(next(groups for groups in GROUPS if channels % groups == 0), channels)


NORMS = {"group": group_norm, "frozen-batch": nn.BatchNorm2d}


def build(settings: dict, inputs: tuple[Tensor, ...], classes: int) -> resnet.ResNet:
    block, depths = BLOCKS[settings["name"]]
    network = resnet.ResNet(block, depths, classes, norm_layer=NORMS[settings["norm"]])
    return adapted(network, settings, channels=inputs[0].shape[1])


def adapted(network: resnet.ResNet, settings: dict, channels: int) -> resnet.ResNet:
    """The network with the activation and the stem that the settings name, for images of so many channels."""
    width = network.conv1.out_channels
    size, stride = (3, 1) if settings["stem"] == "small" else (7, 2)
    network.conv1 = nn.Conv2d(channels, width, size, stride, size // 2, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.maxpool = nn.Identity() if settings["stem"] == "small" else MaxPool()
    for module in network.modules():
        if hasattr(module, "relu"):
            module.relu = ACTIVATIONS[settings["activation"]]()
    return network.eval()


def load_pretrained(module: resnet.ResNet, tensors: dict[str, Tensor]) -> None:
    """Take torchvision's weights by name; the last layer stays random unless it is for as many classes.

    With GroupNorm only scale and shift of the norms are taken. Raises FadingError for a tensor that is missing or of
    another shape, as where the stem or the number of channels differs.
    """
    pretrained.take(module, tensors, may_lack=lambda name: name.startswith("fc."))


def frozen(settings: dict, weights: dict[str, np.ndarray] | None) -> dict[str, np.ndarray]:
    """The means and variances of a checkpoint's batch norms, where the model has some.

    Raises FadingError for one that is missing or of another shape.
    """
    if weights is None or settings["norm"] != "frozen-batch":
        return {}
    with torch.device("meta"):
        network = resnet.ResNet(*BLOCKS[settings["name"]])
    held = {name: buffer for name, buffer in network.named_buffers() if name.endswith(STATISTICS)}
    for name, buffer in held.items():
        pretrained.fits(name, buffer, weights, may_lack=False)
    return {f"frozen.{name}": weights[name] for name in held}
