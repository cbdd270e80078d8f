"""The frozen part of the pre-trained BERT: sentences in, hidden states or sentence embeddings out."""

import json

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import BertConfig, BertModel


def hidden_states(weights: dict, sentences: list[str], tokens: int, layers: int, progress) -> tuple[Tensor, Tensor]:
    """The output (n, tokens, width) of the first `layers` encoder layers in evaluation mode, and the mask (n, tokens).

    Sentences are cut or padded to `tokens` word pieces; the mask is 1 where a piece is.
    """
    config = BertConfig(**json.loads(weights["config.json"].tobytes()), attn_implementation="eager")
    config.num_hidden_layers = layers
    model = BertModel(config, add_pooling_layer=False).eval()
    own = {name: torch.from_numpy(weights[name]) for name in model.state_dict()}
    model.load_state_dict(own)
    tokenizer = Tokenizer.from_str(weights["tokenizer.json"].tobytes().decode())
    tokenizer.enable_truncation(tokens)
    tokenizer.enable_padding(length=tokens)
    encoded = tokenizer.encode_batch(sentences)
    pieces = torch.tensor(np.array([one.ids for one in encoded]))
    mask = torch.tensor(np.array([one.attention_mask for one in encoded]))
    with torch.no_grad():
        batches = list(zip(pieces.split(32), mask.split(32), strict=True))
        hidden = [model(ids, attention_mask=one).last_hidden_state for ids, one in progress(batches)]
    return torch.cat(hidden), mask


def embeddings(weights: dict, sentences: list[str], tokens: int, progress) -> Tensor:
    """Sentence embeddings (n, width) of Euclidean norm 1: the last layer's mean over word pieces."""
    layers = json.loads(weights["config.json"].tobytes())["num_hidden_layers"]
    hidden, mask = hidden_states(weights, sentences, tokens, layers, progress)
    mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
    return torch.nn.functional.normalize(mean)
