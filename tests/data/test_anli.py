"""ANLI, read from parquet files in the hub's layout: pairs of sentences."""

import hashlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from fading.data import anli, sentences
from fading.data.drawing import draw_examples
from fading.errors import FadingError
from serving import served

COLUMNS = ["uid", "premise", "hypothesis", "label", "reason"]


class Pieces:
    """An encoder that notes the lengths of what it is given."""

    def word_pieces(self, pairs, tokens):
        lengths = torch.tensor([[len(text) for text in pair] for pair in pairs])
        return lengths, torch.ones_like(lengths), torch.zeros_like(lengths)


@pytest.fixture
def source(tmp_path, monkeypatch) -> pd.DataFrame:
    """What the loading code makes of tiny splits."""
    pins = {}
    for file, count in zip(anli.PINS, (9, 4), strict=True):
        rows = [(f"{i}", "premise " * (i + 1), f"hypothesis {i}", i % 3, "") for i in range(count)]
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        pd.DataFrame(rows, columns=COLUMNS).to_parquet(path, index=False)
        pins[file] = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(anli, "PINS", pins)
    with served(tmp_path) as address:
        monkeypatch.setattr(sentences, "hub_address", lambda dataset, revision, file: f"{address}/{file}")
        return anli.fetch(iter)


def test_pairs_reach_the_encoder_as_pairs(source):
    assert list(source.columns) == ["text", "text_pair", "label", "split"]
    train, test = anli.draw(source, 5, 4)
    assert train.examples == [(source.text[row], source.text_pair[row]) for row in train.rows]
    assert set(source.split[test.rows]) == {"test"}
    arrays = draw_examples(anli, {"takes": "word-pieces", "train": 5, "test": 4, "tokens": 8}, source, Pieces(), iter)
    assert arrays["train_inputs.0"].tolist() == [[len(one), len(two)] for one, two in train.examples]
    assert [arrays[f"train_inputs.{i}"].dtype for i in range(3)] == [np.int64] * 3


def test_pairs_are_no_input_of_what_encodes_single_sentences(source):
    train, _ = anli.draw(source, 5, 4)
    encoder = SimpleNamespace(embeddings=None, hidden_states=None)
    for offered in (sentences.features, sentences.hidden_states):
        with pytest.raises(FadingError, match=r"pairs of sentences; accepted is a model that takes word-pieces\."):
            offered(train.examples, {"tokens": 8}, encoder, iter)
