"""CIFAR-10, read from an archive in the very layout."""

import numpy as np
import pytest
import torch
from fading.data import cifar10, downloads
from fading.data.drawing import draw_examples
from fading.errors import FadingError
from serving import packed, served

NAME = "cifar-10-binary.tar.gz"


@pytest.fixture
def batches() -> dict[str, np.ndarray]:
    """Five batches of four records, a test batch of three."""
    generator = np.random.default_rng(0)
    files = [*cifar10.FILES["train"], *cifar10.FILES["test"]]
    records = {file: generator.integers(0, 256, (4 - ("test" in file), 3073), np.uint8) for file in files}
    for rows in records.values():
        rows[:, 0] %= 10
    return records


@pytest.fixture
def source(tmp_path, monkeypatch, batches) -> dict[str, np.ndarray]:
    """What the loading code makes of them."""
    monkeypatch.setattr(cifar10, "PINS", {NAME: packed(tmp_path / NAME, batches)})
    with served(tmp_path) as address:
        monkeypatch.setattr(cifar10, "ADDRESS", f"{address}/{NAME}")
        return cifar10.fetch(iter)


def test_batches_are_read_in_their_order_and_planes_in_theirs(source, batches):
    assert source["train_images"].shape == (20, 3, 32, 32)
    assert source["test_images"].shape == (3, 3, 32, 32)
    for row, (file, record) in enumerate(zip(cifar10.FILES["train"], range(4), strict=False)):
        expected = batches[file][record]
        assert source["train_labels"][4 * row + record] == expected[0]
        green = source["train_images"][4 * row + record, 1]
        assert green[2, 5] == expected[1 + 1024 + 2 * 32 + 5]
    assert source["test_labels"].tolist() == batches["test_batch.bin"][:, 0].tolist()


def test_images_are_normalised_by_channel_and_features_have_norm_one(source):
    settings = {"takes": "images", "train": 6, "test": 2}
    arrays = draw_examples(cifar10, settings, source, None, iter)
    rows = arrays["train_rows"]
    assert arrays["train_labels"].tolist() == source["train_labels"][rows].tolist()
    blue = (source["train_images"][rows, 2] / 255 - 0.4465) / 0.2616
    assert np.abs(arrays["train_inputs.0"][:, 2] - blue).max() < 1e-5
    assert arrays["train_inputs.0"].dtype == np.float32
    features = draw_examples(cifar10, {**settings, "takes": "features"}, source, None, iter)["test_inputs.0"]
    assert features.shape == (2, 192)
    assert torch.as_tensor(features).norm(dim=1).numpy() == pytest.approx([1, 1], abs=1e-6)


def test_another_archive_is_refused(tmp_path, monkeypatch, batches):
    packed(tmp_path / NAME, batches)
    monkeypatch.setattr(downloads, "RETRIES", 0)
    with served(tmp_path) as address, pytest.raises(FadingError, match=f"{NAME} has another sha256 than c4a38c50"):
        monkeypatch.setattr(cifar10, "ADDRESS", f"{address}/{NAME}")
        cifar10.fetch(iter)


def test_more_than_there_are_is_a_sentence(source):
    with pytest.raises(FadingError, match="examples.test: found 4; accepted is at most 3, all that there are."):
        cifar10.draw(source, 6, 4)
