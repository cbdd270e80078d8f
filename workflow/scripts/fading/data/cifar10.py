"""CIFAR-10 (Krizhevsky 2009): small colour pictures of ten kinds of animals and vehicles.

It is read from the archive of bytes: the one that torchvision reads holds pickles, which could run code.
"""

import tarfile
import tempfile
from pathlib import Path
from types import MappingProxyType

import numpy as np

from fading.data import Dataset, images
from fading.data.downloads import fetched
from fading.data.drawing import Draw, draw_splits

DATASET = Dataset(
    label="CIFAR-10",
    file="cifar10.safetensors",
    licence=None,
    labels=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    offers=("images", "features"),
    train=50_000,
    test=10_000,
)
ADDRESS = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
PINS = MappingProxyType({"cifar-10-binary.tar.gz": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"})
FILES = {"train": [f"data_batch_{batch}.bin" for batch in range(1, 6)], "test": ["test_batch.bin"]}
SHAPE = (3, 32, 32)  # red, green and blue, row by row, after a byte that is the label
MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of the training images' channels


def fetch(progress) -> dict[str, np.ndarray]:
    """train_images (50000, 3, 32, 32) and test_images (10000, 3, 32, 32) uint8, and their labels 0 to 9."""
    with tempfile.TemporaryDirectory() as scratch:
        (path,) = (fetched(ADDRESS, name, PINS, Path(scratch)) for name in progress(list(PINS)))
        with tarfile.open(path) as archive:
            read = {split: b"".join(_content(archive, file) for file in files) for split, files in FILES.items()}
    arrays = {}
    for split, content in read.items():
        records = np.frombuffer(content, np.uint8).reshape(-1, 1 + np.prod(SHAPE))
        arrays[f"{split}_labels"], arrays[f"{split}_images"] = records[:, 0], records[:, 1:].reshape(-1, *SHAPE)
    return arrays


def _content(archive, file):
    return archive.extractfile(f"cifar-10-batches-bin/{file}").read()


def draw(source: dict[str, np.ndarray], train: int, test: int) -> tuple[Draw, Draw]:
    """Training and test examples, images, each from a shuffle of its own split."""
    splits = [(source[f"{split}_labels"], source[f"{split}_images"]) for split in FILES]
    return draw_splits([(np.arange(len(labels)), labels, drawn) for labels, drawn in splits], (train, test))


INPUTS = {
    "images": lambda drawn, *_: (images.normalised(drawn, MEAN, DEVIATION),),
    "features": lambda drawn, *_: (images.pooled(drawn, 4),),
}
