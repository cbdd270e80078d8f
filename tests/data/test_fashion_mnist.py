"""Fashion-MNIST's sources, none of which is trusted."""

import gzip
import hashlib

import numpy as np
import pytest
import torch
from fading.data import fashion_mnist
from fading.data.drawing import draw_examples
from fading.errors import FadingError
from torch.nn import functional as F


def fake(folder, damage):
    folder.mkdir()
    for name in fashion_mnist.PINS:
        packed = gzip.compress(b"\x00\x00\x08\x01\x00\x00\x00\x02ab" * 50)
        (folder / f"{name}.gz").write_bytes(damage(packed))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda packed: packed, "where c59f46.* is pinned"),
        (lambda packed: packed[:-10], "ended before"),
        (lambda packed: packed[:12] + b"\xff" * 20, "Debian's package as installed: "),
    ],
)
def test_another_or_half_a_fashion_mnist_is_refused_and_the_next_source_tried(tmp_path, monkeypatch, damage, sentence):
    def offline(scratch, progress):
        """the network"""
        raise OSError("no route")

    fake(tmp_path / "debian", damage)
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(fashion_mnist, "_from_mirror", offline)
    monkeypatch.setattr(fashion_mnist, "_from_debian", offline)
    with pytest.raises(FadingError, match=sentence) as raised:
        fashion_mnist.fetch(iter)
    assert str(raised.value).count("the network: no route") == 2
    assert "\n" not in str(raised.value)


@pytest.fixture
def source() -> dict[str, np.ndarray]:
    """Noise in the shape of what is fetched."""
    generator = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 60), ("t10k", 20)):
        arrays[f"{split}_images"] = generator.integers(0, 256, (count, 28, 28), np.uint8)
        arrays[f"{split}_labels"] = generator.integers(0, 10, count, np.uint8)
    return arrays


def test_examples_are_the_same_in_every_version(source):
    arrays = draw_examples(fashion_mnist, {"takes": "images", "train": 40, "test": 10}, source, None, iter)
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode() + arrays[name].tobytes())
    assert digest.hexdigest() == "904ed6f1cb9c92425c8c4d611a4c9174f3987656e1e61e187414815643714424"


def test_features_are_pooled_pixels_of_norm_one(source):
    arrays = draw_examples(fashion_mnist, {"takes": "features", "train": 40, "test": 10}, source, None, iter)
    images = torch.as_tensor(source["t10k_images"][arrays["test_rows"]])
    expected = F.normalize(F.avg_pool2d(images.float() / 255, 2).flatten(1))
    assert np.array_equal(arrays["test_inputs.0"], expected.numpy())
