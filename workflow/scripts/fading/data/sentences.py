"""What datasets of sentences offer to models, by an encoder, and how those are read and drawn that have splits."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fading.data.downloads import fetched, hub_address
from fading.data.drawing import Draw, draw_splits
from fading.errors import FadingError

if TYPE_CHECKING:
    from torch import Tensor  # which fetching sentences need not load

SPLITS = ("train", "test")


def from_hub(dataset: str, revision: str, pins: Mapping[str, str], columns: dict[str, str], progress) -> pd.DataFrame:
    """Both splits of a dataset on the hub, of their parquet files, training's first; `columns` by their new names."""
    with tempfile.TemporaryDirectory() as folder:
        files = [
            fetched(hub_address(dataset, revision, file), file, pins, Path(folder)) for file in progress(list(pins))
        ]
        return joined(*(pd.read_parquet(file)[list(columns)].rename(columns=columns) for file in files))


def joined(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Both splits in one frame, told apart by its column split."""
    return pd.concat([train.assign(split="train"), test.assign(split="test")], ignore_index=True)


def draw(source: pd.DataFrame, train: int, test: int) -> tuple[Draw, Draw]:
    """Training and test examples of joined splits: sentences, or pairs of them where there is a column text_pair."""
    parts = [source[source.split == split] for split in SPLITS]
    drawn = draw_splits(
        [(part.index.to_numpy(), part.label.to_numpy(), np.arange(len(part))) for part in parts], (train, test)
    )
    return tuple(Draw(one.rows, one.labels, _texts(source.iloc[one.rows])) for one in drawn)


def _texts(frame):
    return list(zip(frame.text, frame.text_pair, strict=True)) if "text_pair" in frame else frame.text.tolist()


def hidden_states(sentences: list[str], settings: dict, encoder, progress) -> "tuple[Tensor, Tensor]":
    """The frozen layers' output (n, tokens, width) and the mask (n, tokens)."""
    return encoder.hidden_states(_single(sentences), settings["tokens"], progress)


def features(sentences: list[str], settings: dict, encoder, progress) -> "tuple[Tensor]":
    """Embeddings (n, width) of Euclidean norm 1."""
    return (encoder.embeddings(_single(sentences), settings["tokens"], progress),)


def word_pieces(sentences: list, settings: dict, encoder, progress) -> "tuple[Tensor, Tensor, Tensor]":
    """Word pieces, their mask and the types that tell a pair's sentences apart, each (n, tokens), int64."""
    return encoder.word_pieces(sentences, settings["tokens"])


def _single(sentences):
    if isinstance(sentences[0], tuple):
        raise FadingError("The examples are pairs of sentences; accepted is a model that takes word-pieces.")
    return sentences


INPUTS = {"hidden-states": hidden_states, "features": features, "word-pieces": word_pieces}
