"""ANLI's first round (Nie et al. 2020): does a premise entail a hypothesis that people wrote to mislead a model?

Test examples are those of its dev split: for that split, not for the test split, the sha256 at this revision is on
public record.
"""

from types import MappingProxyType

import pandas as pd

from fading.data import Dataset, sentences

DATASET = Dataset(
    label="ANLI, round 1",
    file="anli.parquet",
    licence="CC-BY-NC-4.0",
    labels=("entailment", "neutral", "contradiction"),
    offers=("word-pieces",),
    train=16_946,
    test=1_000,
    sentences=True,
)
REVISION = "8e4813d81f46d313dac7892e1c28076917cfcdf9"
PINS = MappingProxyType(
    {
        f"plain_text/{split}_r1-00000-of-00001.parquet": pin
        for split, pin in (
            ("train", "de2d038ae67f1fb1872073490b9e7685e9114d5f278ddd4631905fe0a4ecbcff"),
            ("dev", "72e27463177b4363be80f1fc6ccdaab44ddaeb65db58c2280f94690e15468334"),
        )
    }
)
draw, INPUTS = sentences.draw, {"word-pieces": sentences.word_pieces}


def fetch(progress) -> pd.DataFrame:
    """Columns text (the premise), text_pair (the hypothesis), label (in the order of the names above) and split."""
    columns = {"premise": "text", "hypothesis": "text_pair", "label": "label"}
    return sentences.from_hub("facebook/anli", REVISION, PINS, columns, progress)
