"""The top of the pre-trained BERT, to be fine-tuned on the hidden states of its frozen lower layers."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fading.models import Model

MODEL = Model(takes="hidden-states", weights="minilm")
LAYER = 5  # the first that data/minilm.py does not freeze; importing that takes seconds in every job


def build(settings: dict, inputs: tuple[Tensor, ...], classes: int) -> "BertTop":
    return BertTop(inputs[0].shape[2], heads=12, intermediate=1536, epsilon=1e-12, classes=classes)


def load_pretrained(module: "BertTop", tensors: dict[str, Tensor]) -> None:
    """Take the encoder layer LAYER and the pooler from BertModel's weights."""
    below = f"encoder.layer.{LAYER}"
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
        parameters = {kind: tensors[f"{theirs}.{kind}"] for kind in ("weight", "bias")}
        getattr(module, ours).load_state_dict(parameters)


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
