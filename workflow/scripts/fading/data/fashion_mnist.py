"""Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): small grey pictures of clothes."""

import gzip
import shutil
import subprocess
import tempfile
import zlib
from pathlib import Path
from types import MappingProxyType

import numpy as np

from fading.data import Dataset, images
from fading.data.downloads import fetched, verify
from fading.data.drawing import Draw, draw_splits
from fading.errors import FadingError

DATASET = Dataset(
    label="Fashion-MNIST",
    file="fashion-mnist.safetensors",
    licence="MIT",
    labels=("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
    offers=("images", "features"),
    train=60_000,
    test=10_000,
)
PINS = MappingProxyType(
    {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    }
)
MIRROR = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"  # its makers', which torchvision reads, too
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
MEAN, DEVIATION = 0.2860, 0.3530  # of its pixels


def fetch(progress) -> dict[str, np.ndarray]:
    """train_images (60000, 28, 28) and t10k_images uint8, and their labels 0 to 9.

    Takes the files from Debian's dataset-fashion-mnist where installed, else downloads them from their makers' mirror,
    else downloads that Debian package without installing it.
    """
    failures = []
    for source in (_installed, _from_mirror, _from_debian):
        with tempfile.TemporaryDirectory() as scratch:
            try:
                folder = source(Path(scratch), progress)
                return {_array_name(name): _idx_array(folder / f"{name}.gz", Path(scratch)) for name in PINS}
            except (OSError, EOFError, zlib.error, subprocess.CalledProcessError, FadingError) as error:
                failures.append(f"{source.__doc__}: {str(error).rstrip('.')}")
    raise FadingError(
        f"Fashion-MNIST could be had from no source ({'; '.join(failures)}); nothing was kept: "
        "run again with a network, or install Debian's package dataset-fashion-mnist."
    )


def _array_name(file):
    return "_".join(file.split("-")[:2])


def _idx_array(packed, scratch):
    raw = scratch / packed.stem
    with gzip.open(packed) as source, open(raw, "wb") as unpacked:
        shutil.copyfileobj(source, unpacked)
    content = verify(raw, PINS).read_bytes()
    dimensions = content[3]
    shape = np.frombuffer(content, ">i4", dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _installed(scratch, progress):
    """Debian's package as installed"""
    return DEBIAN


def _from_mirror(scratch, progress):
    """its makers' mirror"""
    for name in progress(list(PINS)):  # they are pinned unpacked
        fetched(f"{MIRROR}/{name}.gz", f"{name}.gz", {}, scratch)
    return scratch


def _from_debian(scratch, progress):
    """Debian's package, downloaded"""
    state = [f"-oDir::State::Lists={scratch}/lists", f"-oDir::Cache={scratch}", "-oAPT::Sandbox::User="]
    (scratch / "lists" / "partial").mkdir(parents=True)
    commands = [
        ["apt-get", *state, "update"],
        ["apt-get", *state, "download", "dataset-fashion-mnist"],
        ["sh", "-c", "dpkg -x dataset-fashion-mnist_*.deb ."],
    ]
    for command in progress(commands):
        subprocess.run(command, cwd=scratch, check=True)
    return scratch / DEBIAN.relative_to("/")


def draw(source: dict[str, np.ndarray], train: int, test: int) -> tuple[Draw, Draw]:
    """Training and test examples, images, each from a shuffle of its own split."""
    splits = [(source[f"{split}_labels"], source[f"{split}_images"]) for split in ("train", "t10k")]
    return draw_splits([(np.arange(len(labels)), labels, drawn) for labels, drawn in splits], (train, test))


INPUTS = {
    "images": lambda drawn, *_: (images.normalised(drawn, (MEAN,), (DEVIATION,)),),
    "features": lambda drawn, *_: (images.pooled(drawn, 2),),
}
