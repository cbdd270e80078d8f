"""Sentences as word pieces, by a checkpoint's tokenizer."""

import json

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from fading.errors import FadingError


class WordPieces:
    """Turns sentences into word pieces, after a checkpoint's config.json and tokenizer.json, arrays of bytes."""

    def __init__(self, weights: dict[str, np.ndarray]):
        self.config = json.loads(weights["config.json"].tobytes())
        try:
            self.tokenizer = Tokenizer.from_str(weights["tokenizer.json"].tobytes().decode())
        except Exception as error:  # tokenizers raises nothing more special
            raise FadingError(f"The checkpoint's tokenizer.json is no tokenizer: {error}.") from error

    def word_pieces(self, sentences: list[str] | list[tuple[str, str]], tokens: int) -> tuple[Tensor, Tensor, Tensor]:
        """Word pieces, mask and types, (n, tokens) int64 each, of sentences or of pairs of them.

        They are cut or padded to `tokens` pieces; the mask is 1 where a piece is, types are 1 in a pair's second part
        if the tokenizer tells them apart. Raises FadingError for pieces that the checkpoint's model does not know.
        """
        self.tokenizer.enable_truncation(tokens)
        self.tokenizer.enable_padding(length=tokens, pad_id=self.config.get("pad_token_id") or 0)
        encoded = self.tokenizer.encode_batch(sentences)
        kinds = ("ids", "attention_mask", "type_ids")
        pieces, mask, types = (np.array([getattr(one, kind) for one in encoded], np.int64) for kind in kinds)
        if (most := pieces.max(initial=0)) >= (known := self.config.get("vocab_size", np.inf)):
            raise FadingError(f"tokenizer.json has the word piece {most}; the model of config.json knows {known}.")
        return tuple(map(torch.as_tensor, (pieces, mask, types)))
