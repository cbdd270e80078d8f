"""Files of the user's own, in the place of a dataset: safetensors of images or features, parquet of sentences."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from pyarrow import parquet, types
from safetensors import SafetensorError, safe_open

from fading.data import images, sentences
from fading.data.drawing import Draw, draw_splits
from fading.errors import FadingError

SHAPES = {"images": ("n", "channels", "height", "width"), "features": ("n", "width")}


def read(dataset: dict) -> dict[str, np.ndarray] | pd.DataFrame:
    """What a case's mapping `dataset` names, checked: `train` and `test`, what it `holds` and its `labels`.

    Of images and features the arrays <split>_inputs, float32 or uint8, and <split>_labels, int64; of sentences both
    splits in one frame with the columns text, label, split and, where they are pairs, text_pair. Raises FadingError,
    one sentence that names the file, unless they are as the schema of the configuration says.
    """
    if dataset["holds"] == "sentences":
        train, test = (_frame(dataset[split], dataset["labels"]) for split in sentences.SPLITS)
        if set(train) != set(test):
            raise FadingError(f"{dataset['test']} and {dataset['train']}: only one of them has the column text_pair.")
        return sentences.joined(train, test)
    arrays = {}
    for split in sentences.SPLITS:
        inputs, labels = _tensors(dataset[split], SHAPES[dataset["holds"]], dataset["labels"])
        arrays |= {f"{split}_inputs": inputs, f"{split}_labels": labels}
    (train, test), (kind, other) = (
        [getattr(arrays[f"{split}_inputs"], of) for split in sentences.SPLITS] for of in ("shape", "dtype")
    )
    if train[1:] != test[1:] or kind != other:
        found = f"{other} of shape {_shape(test[1:])}"
        raise FadingError(
            f"{dataset['test']}: inputs: found {found}; accepted is {kind} of shape {_shape(train[1:])}, as in "
            f"{dataset['train']}."
        )
    return arrays


def _tensors(path, axes, names):
    _there(path)
    try:
        with safe_open(path, "numpy") as file:
            if set(file.keys()) != {"inputs", "labels"}:
                raise FadingError(
                    f"{path}: found the tensors {', '.join(file.keys()) or 'none'}; accepted are inputs and labels."
                )
            inputs, labels = file.get_slice("inputs"), file.get_slice("labels")
            _accept(f"{path}: inputs", inputs.get_dtype(), ("F32", "U8"))
            _accept(f"{path}: labels", labels.get_dtype(), ("I64",))
            for name, shape, expected in (("inputs", inputs.get_shape(), axes), ("labels", labels.get_shape(), ("n",))):
                if len(shape) != len(expected) or 0 in shape:
                    accepted = f"accepted is {_shape(expected)}, none of them 0"
                    raise FadingError(f"{path}: {name}: found the shape {_shape(shape)}; {accepted}.")
            inputs, labels = file.get_tensor("inputs"), file.get_tensor("labels")
    except SafetensorError as error:
        raise FadingError(f"{path} is not a readable .safetensors file: {error}.") from error
    if len(inputs) != len(labels):
        raise FadingError(f"{path}: found {len(inputs)} inputs and {len(labels)} labels; accepted is one for each.")
    if inputs.dtype == np.float32 and not np.isfinite(inputs).all():
        row = int(np.flatnonzero(~np.isfinite(inputs.reshape(len(inputs), -1)).all(1))[0])
        raise FadingError(f"{path}: inputs: found NaN or infinity in example {row}; accepted are finite numbers.")
    _check_labels(path, "labels", labels, names)
    return inputs, labels


def _frame(path, names):
    _there(path)
    try:
        table = parquet.read_table(path)
    except (OSError, ValueError) as error:  # what pyarrow raises is either
        raise FadingError(f"{path} is not a readable .parquet file: {' '.join(str(error).split())}.") from error
    for column in ("text", "label"):
        if column not in table.column_names:
            raise FadingError(f"{path}: found the columns {', '.join(table.column_names)}; it lacks {column}.")
    columns = [column for column in ("text", "text_pair", "label") if column in table.column_names]
    for column in columns:
        kind, text = table.schema.field(column).type, column != "label"
        if not ((types.is_string(kind) or types.is_large_string(kind)) if text else types.is_integer(kind)):
            raise FadingError(f"{path}: {column}: found {kind}; accepted is {'text' if text else 'an integer'}.")
        if table[column].null_count:
            raise FadingError(f"{path}: {column}: found {table[column].null_count} empty places; accepted is none.")
    if not table.num_rows:
        raise FadingError(f"{path}: found no row; accepted is one for each example.")
    frame = table.select(columns).to_pandas(ignore_metadata=True).astype({"label": np.int64})
    for column in columns[:-1]:
        if (empty := frame[column].str.strip() == "").any():
            raise FadingError(f"{path}: {column}: found nothing in row {int(empty.argmax())}; accepted is a sentence.")
    _check_labels(path, "label", frame.label.to_numpy(), names)
    return frame


def _there(path):
    if not Path(path).is_file():
        raise FadingError(f"{path} does not exist.")


def _accept(key, found, accepted):
    if found not in accepted:
        raise FadingError(f"{key}: found {found}; accepted is {' or '.join(accepted)}.")


def _check_labels(path, key, labels, names):
    wrong = labels[(labels < 0) | (labels >= len(names))]
    if len(wrong):
        accepted = f"accepted are 0 to {len(names) - 1}, of {', '.join(names)}"
        raise FadingError(f"{path}: {key}: found {wrong[0]}; {accepted}.")


def _shape(sizes):
    return f"({', '.join(map(str, sizes))})"


def draw(source: dict[str, np.ndarray] | pd.DataFrame, train: int, test: int) -> tuple[Draw, Draw]:
    """Training and test examples, each from a shuffle of its own split.

    Inputs in float32 are taken as they are. Those in uint8 are scaled to [0, 1], and images then normalised by mean and
    standard deviation of the training file's channels, 1 where that is 0.
    """
    if isinstance(source, pd.DataFrame):
        return sentences.draw(source, train, test)
    splits = [(source[f"{split}_labels"], source[f"{split}_inputs"]) for split in sentences.SPLITS]
    drawn = draw_splits([(np.arange(len(labels)), labels, inputs) for labels, inputs in splits], (train, test))
    whole = source["train_inputs"]
    if whole.dtype == np.float32:
        return drawn
    if whole.ndim == 2:
        return tuple(Draw(one.rows, one.labels, one.examples.astype(np.float32) / 255) for one in drawn)
    mean, deviation = _moments(whole)
    return tuple(
        Draw(one.rows, one.labels, images.normalised(one.examples, mean, deviation).numpy(force=True)) for one in drawn
    )


def _moments(whole):
    """Mean and standard deviation of each channel of scaled images, from how often each of the 256 values occurs."""
    counts = np.array([np.bincount(whole[:, channel].ravel(), minlength=256) for channel in range(whole.shape[1])])
    values, shares = np.arange(256) / 255, counts / counts.sum(1, keepdims=True)
    mean = shares @ values
    deviation = np.sqrt((shares * (values - mean[:, None]) ** 2).sum(1))
    return mean, np.where(deviation > 0, deviation, 1)


def _as_drawn(examples, settings, encoder, progress):
    return (torch.as_tensor(examples),)


def _features(examples, settings, encoder, progress):
    of = sentences.features if settings["dataset"]["holds"] == "sentences" else _as_drawn
    return of(examples, settings, encoder, progress)


INPUTS = {**sentences.INPUTS, "images": _as_drawn, "features": _features}
