"""Files of the user's own: what is accepted, what is made of it, and a sentence for everything else."""

import numpy as np
import pandas as pd
import pyarrow
import pytest
import yaml
from conftest import ROOT, clone, snakemake
from fading.artefacts import store
from fading.data import files, minilm
from fading.data.drawing import draw_examples
from fading.errors import FadingError
from pyarrow import parquet
from safetensors.numpy import save_file

NAMES = ["a", "b", "c"]


def tensors(count=9, shape=(2, 4, 4), dtype=np.float32, seed=0, **changed) -> dict[str, np.ndarray]:
    """Inputs and labels as a file of images has them."""
    generator = np.random.default_rng(seed)
    inputs = generator.integers(0, 256, (count, *shape)).astype(dtype)
    return {"inputs": inputs, "labels": np.arange(count) % 3, **changed}


def texts(count=9, **changed) -> dict[str, list]:
    """Columns as a file of sentences has them."""
    return {"text": [f"sentence {i}" for i in range(count)], "label": [i % 3 for i in range(count)], **changed}


def mapping(folder, train: dict, test: dict, holds: str) -> dict:
    """Both splits written, and what a case says of them."""
    suffix = "parquet" if holds == "sentences" else "safetensors"
    for split, content in (("train", train), ("test", test)):
        path = folder / f"{split}.{suffix}"
        if holds == "sentences":
            parquet.write_table(pyarrow.table(content), path)
        else:
            save_file(content, path)
    paths = {split: str(folder / f"{split}.{suffix}") for split in ("train", "test")}
    return {"kind": "files", **paths, "labels": NAMES, "holds": holds}


def drawn(dataset: dict, takes: str, encoder=None, **counts) -> dict[str, np.ndarray]:
    settings = {"dataset": dataset, "takes": takes, "train": 5, "test": 3, "tokens": 6, **counts}
    return draw_examples(files, settings, files.read(dataset), encoder, iter)


def test_images_in_float32_are_taken_as_they_are(tmp_path):
    content = tensors()
    arrays = drawn(mapping(tmp_path, content, tensors(4, seed=1), "images"), "images")
    rows = arrays["train_rows"]
    assert np.array_equal(arrays["train_inputs.0"], content["inputs"][rows])
    assert np.array_equal(arrays["train_labels"], content["labels"][rows])


def test_images_in_bytes_are_normalised_by_the_training_files_channels(tmp_path):
    train, test = tensors(dtype=np.uint8), tensors(4, dtype=np.uint8, seed=1)
    train["inputs"][:, 1] = test["inputs"][:, 1] = 51
    arrays = drawn(mapping(tmp_path, train, test, "images"), "images")
    scaled = train["inputs"][:, 0] / 255
    expected = (test["inputs"][arrays["test_rows"], 0] / 255 - scaled.mean()) / scaled.std()
    assert np.abs(arrays["test_inputs.0"][:, 0] - expected).max() < 1e-5
    assert np.abs(arrays["test_inputs.0"][:, 1]).max() < 1e-6, "one value throughout has nothing to be divided by"
    assert arrays["test_inputs.0"].dtype == np.float32


@pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 1), (np.uint8, 255)])
def test_features_are_taken_as_they_are_and_bytes_scaled(tmp_path, dtype, scale):
    content = tensors(shape=(7,), dtype=dtype)
    arrays = drawn(mapping(tmp_path, content, tensors(3, (7,), dtype), "features"), "features")
    assert arrays["train_inputs.0"] == pytest.approx(content["inputs"][arrays["train_rows"]] / scale, abs=1e-6)


def test_sentences_are_encoded(tmp_path, minilm_weights):
    dataset = mapping(tmp_path, texts(), texts(4), "sentences")
    arrays = drawn(dataset, "features", minilm.Encoder(minilm_weights))
    assert arrays["train_inputs.0"].shape == (5, 384)
    assert (arrays["test_rows"] >= 9).all(), "rows of both splits, one after the other"
    assert arrays["test_labels"].tolist() == [(row - 9) % 3 for row in arrays["test_rows"]]


def test_pairs_stay_pairs(tmp_path):
    pairs = [f"other {i}" for i in range(9)]
    dataset = mapping(tmp_path, texts(text_pair=pairs), texts(4, text_pair=pairs[:4]), "sentences")
    train, _ = files.draw(files.read(dataset), 5, 3)
    assert train.examples == [(f"sentence {row}", f"other {row}") for row in train.rows]


def test_what_is_read_is_written_and_read_as_an_artefact(tmp_path):
    lineage = dict.fromkeys(store.LINEAGE, "")
    for holds, content in (("images", tensors(dtype=np.uint8)), ("sentences", texts())):
        source = files.read(mapping(tmp_path, content, content, holds))
        path = tmp_path / ("source.parquet" if holds == "sentences" else "source.safetensors")
        store.write(path, source, lineage)
        again = store.read(path)
        assert all(np.array_equal(again[name], source[name]) for name in source)


def with_nan():
    content = tensors()
    content["inputs"][6, 1, 2, 3] = np.nan
    return content


IMAGES = [
    (tensors(extra=np.zeros(3)), "found the tensors extra, inputs, labels; accepted are inputs and labels"),
    ({"inputs": np.zeros((3, 1, 2, 2), np.float32)}, "found the tensors inputs; accepted are inputs and labels"),
    (tensors(dtype=np.float64), "inputs: found F64; accepted is F32 or U8"),
    (tensors(labels=np.zeros(9, np.int32)), "labels: found I32; accepted is I64"),
    (tensors(shape=(4, 4)), "inputs: found the shape (9, 4, 4); accepted is (n, channels, height, width)"),
    (tensors(0), "inputs: found the shape (0, 2, 4, 4); accepted is (n, channels, height, width), none of them 0"),
    (tensors(labels=np.zeros((9, 1), np.int64)), "labels: found the shape (9, 1); accepted is (n)"),
    (tensors(labels=np.zeros(8, np.int64)), "found 9 inputs and 8 labels; accepted is one for each"),
    (tensors(labels=np.arange(9)), "labels: found 3; accepted are 0 to 2, of a, b, c"),
    (tensors(labels=np.full(9, -1)), "labels: found -1; accepted are 0 to 2, of a, b, c"),
    (with_nan(), "inputs: found NaN or infinity in example 6; accepted are finite numbers"),
]
SENTENCES = [
    ({"sentence": ["a"], "label": [0]}, "found the columns sentence, label; it lacks text"),
    ({"text": ["a"]}, "found the columns text; it lacks label"),
    (texts(text=list(range(9))), "text: found int64; accepted is text"),
    (texts(label=[str(i) for i in range(9)]), "label: found string; accepted is an integer"),
    (texts(label=[0.0] * 9), "label: found double; accepted is an integer"),
    (texts(label=[0, None] + [1] * 7), "label: found 1 empty places; accepted is none"),
    (texts(text=["a", None] + ["b"] * 7), "text: found 1 empty places; accepted is none"),
    (texts(text=["a", "b", " "] + ["c"] * 6), "text: found nothing in row 2; accepted is a sentence"),
    (texts(label=[3] * 9), "label: found 3; accepted are 0 to 2, of a, b, c"),
    (texts(text_pair=[""] * 9), "text_pair: found nothing in row 0; accepted is a sentence"),
    ({"text": pyarrow.array([], "string"), "label": pyarrow.array([], "int64")}, "found no row"),
]


@pytest.mark.parametrize(
    ("holds", "content", "sentence"),
    [*(("images", *case) for case in IMAGES), *(("sentences", *case) for case in SENTENCES)],
)
def test_a_file_that_is_not_as_it_should_be_is_a_sentence(tmp_path, holds, content, sentence):
    good = texts() if holds == "sentences" else tensors()
    dataset = mapping(tmp_path, good, content, holds)
    with pytest.raises(FadingError) as raised:
        files.read(dataset)
    assert str(raised.value).startswith(f"{dataset['test']}: {sentence}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("holds", ["images", "sentences"])
def test_no_file_and_one_that_is_something_else_are_sentences(tmp_path, holds):
    good = texts() if holds == "sentences" else tensors()
    dataset = mapping(tmp_path, good, good, holds)
    (suffix,) = {dataset[split].rpartition(".")[2] for split in ("train", "test")}
    with open(dataset["test"], "wb") as file:
        file.write(b"\x80\x04K\x01.")  # a pickle
    with pytest.raises(FadingError, match=rf"test.{suffix} is not a readable .{suffix} file: ") as raised:
        files.read(dataset)
    assert "\n" not in str(raised.value)
    with pytest.raises(FadingError, match=rf"nowhere.{suffix} does not exist\."):
        files.read({**dataset, "train": str(tmp_path / f"nowhere.{suffix}")})


@pytest.mark.parametrize(
    ("test", "found"),
    [
        (tensors(shape=(1, 4, 4)), r"float32 of shape \(1, 4, 4\)"),
        (tensors(dtype=np.uint8), r"uint8 of shape \(2, 4, 4\)"),
    ],
)
def test_the_splits_have_to_be_alike(tmp_path, test, found):
    dataset = mapping(tmp_path, tensors(), test, "images")
    accepted = r"accepted is float32 of shape \(2, 4, 4\), as in .*train"
    with pytest.raises(FadingError, match=f"test.safetensors: inputs: found {found}; {accepted}"):
        files.read(dataset)


def test_a_pair_in_one_of_the_splits_alone_is_a_sentence(tmp_path):
    dataset = mapping(tmp_path, texts(), texts(text_pair=["b"] * 9), "sentences")
    with pytest.raises(FadingError, match="only one of them has the column text_pair"):
        files.read(dataset)


def test_too_few_examples_are_a_sentence(tmp_path):
    dataset = mapping(tmp_path, tensors(), tensors(2), "images")
    with pytest.raises(FadingError, match=r"examples.test: found 3; accepted is at most 2, all that there are\."):
        drawn(dataset, "images")


def test_nothing_of_pandas_in_a_file_is_followed(tmp_path):
    """Parquet may carry how pandas is to read it: an index, say, that would hide a column."""
    frame = pd.DataFrame(texts()).set_index("label")
    dataset = mapping(tmp_path, texts(), texts(), "sentences")
    frame.to_parquet(dataset["test"])
    assert files.read(dataset).label.tolist() == [i % 3 for i in range(9)] * 2


@pytest.mark.slow
def test_a_change_of_the_users_file_reads_and_draws_it_again(tmp_path):
    folder = clone(tmp_path / "clone")
    content = tensors(200, (12,))
    dataset = mapping(tmp_path, content, tensors(100, (12,), seed=1), "features")
    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    config["definitions"]["logistic-fashion"]["dataset"] = dataset
    (folder / "config/own.yaml").write_text(yaml.safe_dump(config | {"study": "own"}))
    target = "results/own/logistic-fashion/examples.safetensors"
    snakemake(folder, target, "--cores", "1", study="own")
    before = store.read(folder / target)
    source = store.lineage(folder / "results/own/logistic-fashion/source.safetensors")
    assert source["inputs"] == {path: store.sha256(path) for path in (dataset["train"], dataset["test"])}
    assert "Nothing to be done" in snakemake(folder, target, "--cores", "1", study="own").stderr
    content["inputs"] += 1
    save_file(content, dataset["train"])
    snakemake(folder, target, "--cores", "1", study="own")
    again = store.read(folder / target)
    assert np.array_equal(again["train_inputs.0"], before["train_inputs.0"] + 1)
    assert np.array_equal(again["test_inputs.0"], before["test_inputs.0"])
