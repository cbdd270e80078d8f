"""The networks of the study. Each maps one example's tensors to logits and holds nothing random and no buffers."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BERT_LOWER_LAYERS = 5  # frozen, of six
ACTIVATIONS = {"gelu": F.gelu, "relu": F.relu}


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


class BertTop(nn.Module):
    """BERT's last encoder layer, pooler and a classifier, on the hidden states that the frozen lower layers give.

    Only the first token's row of the last layer is computed, since the pooler reads no other: exactly BertModel's
    pooled output, for a fraction of the cost. Inputs: hidden (n, tokens, width), mask (n, tokens), 1 where a token is.
    """

    def __init__(self, width: int, heads: int, intermediate: int, epsilon: float, classes: int):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.attention_output = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, epsilon)
        self.intermediate = nn.Linear(width, intermediate)
        self.output = nn.Linear(intermediate, width)
        self.output_norm = nn.LayerNorm(width, epsilon)
        self.pooler = nn.Linear(width, width)
        self.classifier = nn.Linear(width, classes)
        nn.init.normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)

    def pooled(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """BertModel's pooler output, (n, width)."""
        n, tokens, width = hidden.shape
        first = hidden[:, 0]
        query = self.query(first).view(n, self.heads, 1, -1)
        key = self.key(hidden).view(n, tokens, self.heads, -1).transpose(1, 2)
        value = self.value(hidden).view(n, tokens, self.heads, -1).transpose(1, 2)
        scores = query @ key.mT / math.sqrt(width // self.heads)
        attention = scores.masked_fill(mask[:, None, None, :] == 0, -torch.inf).softmax(-1)
        context = (attention @ value).reshape(n, width)
        x = self.attention_norm(self.attention_output(context) + first)
        x = self.output_norm(self.output(F.gelu(self.intermediate(x))) + x)
        return torch.tanh(self.pooler(x))

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        return self.classifier(self.pooled(hidden, mask))

    def load_bert(self, weights: dict[str, Tensor], layer: int) -> None:
        """Take the encoder layer of that number and the pooler from BertModel's weights."""
        below = f"encoder.layer.{layer}"
        names = {
            "query": f"{below}.attention.self.query",
            "key": f"{below}.attention.self.key",
            "value": f"{below}.attention.self.value",
            "attention_output": f"{below}.attention.output.dense",
            "attention_norm": f"{below}.attention.output.LayerNorm",
            "intermediate": f"{below}.intermediate.dense",
            "output": f"{below}.output.dense",
            "output_norm": f"{below}.output.LayerNorm",
            "pooler": "pooler.dense",
        }
        for ours, theirs in names.items():
            tensors = {kind: weights[f"{theirs}.{kind}"] for kind in ("weight", "bias")}
            getattr(self, ours).load_state_dict(tensors)


class Logistic(nn.Module):
    """Multinomial logistic regression on features (n, width): the convex control."""

    def __init__(self, width: int, classes: int):
        super().__init__()
        self.linear = nn.Linear(width, classes)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        return self.linear(features)
