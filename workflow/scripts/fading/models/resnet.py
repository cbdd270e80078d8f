"""A small ResNet (He et al. 2016), with a smooth or a kinked nonlinearity."""

from torch import Tensor, nn
from torch.nn import functional as F

from fading.errors import FadingError
from fading.models import Model

MODEL = Model(
    takes="images",
    settings={
        "width": {
            "description": "Of a resnet: channels of the first stage; each later stage doubles them.",
            "type": "integer",
            "minimum": 4,
            "multipleOf": 4,
        },
        "activation": {
            "description": "Of a resnet: its nonlinearity, smooth (gelu) or kinked (relu).",
            "enum": ["gelu", "relu"],
        },
    },
)
ACTIVATIONS = {"gelu": F.gelu, "relu": F.relu}


def build(settings: dict, inputs: tuple[Tensor, ...], classes: int) -> "ResNet":
    if inputs[0].shape[1] != 1:
        raise FadingError(
            f"A resnet takes images of one channel; found {inputs[0].shape[1]}: kind: torchvision takes any number."
        )
    return ResNet(settings["width"], settings["activation"], classes)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut (He et al. 2016), with GroupNorm so that examples stay independent."""

    def __init__(self, channels: int, width: int, stride: int, activation):
        super().__init__()
        self.activation = activation
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.GroupNorm(4, width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.GroupNorm(4, width)
        self.downsample = None
        if stride != 1 or channels != width:
            self.downsample = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.GroupNorm(4, width))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.activation(self.bn1(self.conv1(x)))
        return self.activation(self.bn2(self.conv2(x)) + shortcut)


class ResNet(nn.Module):
    """A ResNet of four stages, one BasicBlock each, for small one-channel images (n, 1, height, width).

    torchvision's ResNet(BasicBlock, [1, 1, 1, 1]) with a 3×3 stride-2 stem, no max-pooling, another width and
    activation; parameters have torchvision's names. Not torchvision's own: importing that takes seconds in every job.
    """

    def __init__(self, width: int, activation: str, classes: int):
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.conv1 = nn.Conv2d(1, width, 3, 2, 1, bias=False)
        self.bn1 = nn.GroupNorm(4, width)
        self.layer1 = nn.Sequential(BasicBlock(width, width, 1, self.activation))
        self.layer2 = nn.Sequential(BasicBlock(width, 2 * width, 2, self.activation))
        self.layer3 = nn.Sequential(BasicBlock(2 * width, 4 * width, 2, self.activation))
        self.layer4 = nn.Sequential(BasicBlock(4 * width, 8 * width, 2, self.activation))
        self.fc = nn.Linear(8 * width, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        x = self.activation(self.bn1(self.conv1(images)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))
