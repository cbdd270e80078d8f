"""SST-2, read from parquet files in the hub's layout."""

import hashlib
from collections.abc import Iterator

import pandas as pd
import pytest
from fading.data import downloads, minilm, sentences, sst2
from fading.data.drawing import draw_examples
from fading.errors import FadingError
from serving import served

TRAIN, TEST = sst2.PINS


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Iterator[dict[str, str]]:
    """Tiny splits in the place of the hub's; their sha256."""
    frames = {
        TRAIN: pd.DataFrame({"sentence": [f"film {i} " for i in range(12)], "label": [0, 1] * 6, "idx": range(12)}),
        TEST: pd.DataFrame({"sentence": [f"seen {i}" for i in range(5)], "label": [1, 0, 1, 1, 0], "idx": range(5)}),
    }
    (tmp_path / "sst2").mkdir()
    for file, frame in frames.items():
        frame.to_parquet(tmp_path / file, index=False)
    with served(tmp_path) as address:
        monkeypatch.setattr(sentences, "hub_address", lambda dataset, revision, file: f"{address}/{file}")
        monkeypatch.setattr(downloads, "RETRIES", 0)
        yield {file: hashlib.sha256((tmp_path / file).read_bytes()).hexdigest() for file in frames}


@pytest.fixture
def source(hub, monkeypatch) -> pd.DataFrame:
    """What the loading code makes of them."""
    monkeypatch.setattr(sst2, "PINS", hub)
    return sst2.fetch(iter)


def test_both_splits_are_read_with_their_labels(source):
    assert list(source.columns) == ["text", "label", "split"]
    assert source.split.tolist() == ["train"] * 12 + ["test"] * 5
    assert source.label[source.split == "test"].tolist() == [1, 0, 1, 1, 0]


def test_rows_are_those_of_the_whole_and_splits_stay_apart(source, minilm_weights):
    settings = {"takes": "features", "train": 8, "test": 4, "tokens": 6}
    arrays = draw_examples(sst2, settings, source, minilm.Encoder(minilm_weights), iter)
    for split in ("train", "test"):
        rows = source.iloc[arrays[f"{split}_rows"]]
        assert set(rows.split) == {split}
        assert rows.label.tolist() == arrays[f"{split}_labels"].tolist()
    train, _ = sst2.draw(source, 8, 4)
    assert train.examples == source.text[train.rows].tolist()
    assert arrays["train_inputs.0"].shape == (8, 384)


def test_another_file_than_is_pinned_is_refused(hub):
    with pytest.raises(FadingError, match="train-00000-of-00001.parquet has another sha256 than 66a253e6"):
        sst2.fetch(iter)
