"""SST-2 (Socher et al. 2013), as GLUE has it (Wang et al. 2019): sentences and phrases of film reviews.

The labels of its test split are not public: test examples are those of its validation split.
"""

from types import MappingProxyType

import pandas as pd

from fading.data import Dataset, sentences

DATASET = Dataset(
    label="SST-2",
    file="sst2.parquet",
    licence=None,
    labels=("negative", "positive"),
    offers=("hidden-states", "features", "word-pieces"),
    train=67_349,
    test=872,
    sentences=True,
    weights="minilm",
)
REVISION = "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c"
PINS = MappingProxyType(
    {
        "sst2/train-00000-of-00001.parquet": "66a253e67968acfabcbe49dbe9da964b42ac1c851c40ab760e8c8942efdb3229",
        "sst2/validation-00000-of-00001.parquet": "a1371f3b3a7b0bcefa8388799a9359dc3ce76c349cc0079507a7991364fd2a9b",
    }
)
draw, INPUTS = sentences.draw, sentences.INPUTS


def fetch(progress) -> pd.DataFrame:
    """Columns text, label (0 negative, 1 positive) and split."""
    return sentences.from_hub("nyu-mll/glue", REVISION, PINS, {"sentence": "text", "label": "label"}, progress)
