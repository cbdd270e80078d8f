"""The ResNet against torchvision's."""

import torch
from fading.models.resnet import ResNet
from torch import nn
from torchvision.models.resnet import BasicBlock
from torchvision.models.resnet import ResNet as TorchvisionResNet


def test_resnet_is_torchvisions_with_another_stem_and_width():
    theirs = TorchvisionResNet.__new__(TorchvisionResNet)
    nn.Module.__init__(theirs)
    theirs._norm_layer, theirs.inplanes, theirs.dilation, theirs.groups, theirs.base_width = (
        lambda channels: nn.GroupNorm(4, channels),
        8,
        1,
        1,
        64,
    )
    theirs.conv1, theirs.bn1 = nn.Conv2d(1, 8, 3, 2, 1, bias=False), nn.GroupNorm(4, 8)
    theirs.relu, theirs.maxpool, theirs.avgpool = nn.ReLU(), nn.Identity(), nn.AdaptiveAvgPool2d(1)
    for layer, (width, stride) in enumerate([(8, 1), (16, 2), (32, 2), (64, 2)], start=1):
        setattr(theirs, f"layer{layer}", theirs._make_layer(BasicBlock, width, 1, stride))
    theirs.fc = nn.Linear(64, 10)

    ours = ResNet(8, "relu", 10)
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(5, 1, 28, 28)
    torch.testing.assert_close(ours(images), theirs(images))
    assert sum(parameter.numel() for parameter in ours.parameters()) == 77_858
