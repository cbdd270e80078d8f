"""Mis-predictions beside the training examples that influence them most, as pictures and sentences in HTML."""

import numpy as np
import pandas as pd
from PIL import Image

from fading.experiments.correction.names import TARGET
from fading.report.pictures import address


def shown(gallery: pd.DataFrame, drawn: dict[str, dict[str, np.ndarray]]) -> list[dict]:
    """For each case, mis-prediction and estimator, in the order of the table: case, target, method and examples.

    `drawn` are the cases' examples, `gallery` the table of that name. An example has kind, label, predicted (of the
    target), score (NaN of the target) and its sentence as `text` or its `picture` as the address of a PNG.
    """
    groups = gallery.fillna({"text": "", "predicted": ""}).groupby(["case", "test_index", "method"], sort=False)
    return [
        {
            "case": case,
            "target": target,
            "method": method,
            "examples": [_example(row, drawn[case]) for row in rows.itertuples()],
        }
        for (case, target, method), rows in groups
    ]


def _example(row, arrays):
    said = {"kind": row.kind, "label": row.label, "predicted": row.predicted, "score": row.score}
    if row.text:
        return said | {"text": row.text}
    images = arrays["test_inputs.0" if row.kind == TARGET else "train_inputs.0"]
    return said | {"picture": _picture(images[row.index])}


def _picture(image):
    """Of an image (channels, height, width): from its darkest value to its brightest, dark on light if it is grey."""
    grey = (image - image.min()) / max(np.ptp(image), np.finfo(image.dtype).tiny)
    values = np.moveaxis(grey, 0, -1) if len(image) == 3 else 1 - grey[0]
    return address(Image.fromarray((255 * values).round().astype(np.uint8)))
