"""Artefacts return what was written, with their lineage; no changed byte, foreign header or other format passes."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from fading.artefacts import store
from fading.errors import FadingError
from matplotlib.figure import Figure

LINEAGE = {key: {"β": 0.5} for key in store.LINEAGE}


def figure():
    drawing = Figure()
    drawing.subplots().plot([1, 2], [3, 5])
    return drawing


CONTENT = {
    ".safetensors": lambda: {"a": np.arange(6.0).reshape(2, 3), "b": np.array([1, 2])},
    ".parquet": lambda: pd.DataFrame({"step": [1, 2], "name": ["x", None]}),
    ".csv": lambda: pd.DataFrame({"step": [1, 2], "value": [0.1, 1 / 3]}),
    ".png": figure,
    ".svg": figure,
}


@pytest.mark.parametrize("suffix", CONTENT)
def test_lineage_returns_and_bytes_repeat(tmp_path, suffix):
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    for path in (first, second):
        store.write(path, CONTENT[suffix](), LINEAGE)
    assert store.lineage(first) == LINEAGE
    assert first.read_bytes() == second.read_bytes()
    assert {file.suffix for file in tmp_path.iterdir()} <= {suffix, ".json"}, "no scratch file stays"


def test_content_returns(tmp_path):
    for suffix in (".parquet", ".csv"):
        store.write(tmp_path / f"t{suffix}", CONTENT[suffix](), LINEAGE)
        pd.testing.assert_frame_equal(store.read(tmp_path / f"t{suffix}"), CONTENT[suffix]())
    store.write(tmp_path / "t.safetensors", CONTENT[".safetensors"](), LINEAGE)
    for name, array in store.read(tmp_path / "t.safetensors").items():
        np.testing.assert_array_equal(array, CONTENT[".safetensors"]()[name])


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.parquet"
    store.write(path, CONTENT[".parquet"](), LINEAGE)
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        store.write(path, "not a frame", LINEAGE)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".safetensors", ".parquet", ".png", ".svg"])
def test_a_damaged_file_is_named(tmp_path, suffix):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(b"\x00half a file")
    with pytest.raises(FadingError, match=rf"broken\{suffix} is not a readable \{suffix} file"):
        store.lineage(path)
    if suffix in store.READERS:
        with pytest.raises(FadingError, match=rf"broken\{suffix} is not a readable \{suffix} file"):
            store.read(path)


@pytest.mark.parametrize("header", ["somebody's figure", "{}", "[1]"])
def test_a_foreign_header_is_no_lineage(tmp_path, header):
    figure().savefig(tmp_path / "a.png", metadata={store.KEY: header})
    figure().savefig(tmp_path / "a.svg", metadata={"Description": header})
    (tmp_path / "a.csv").write_text("step\n1\n")
    (tmp_path / "a.csv.json").write_text(header)
    for name in ("a.png", "a.svg", "a.csv"):
        with pytest.raises(FadingError, match=f"{name} carries no lineage"):
            store.lineage(tmp_path / name)


def test_what_could_run_code_is_not_an_artefact(tmp_path):
    for name in ("model.pkl", "model.pt", "arrays.npz"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(FadingError, match="is not an artefact"):
            store.read(tmp_path / name)
        with pytest.raises(FadingError, match="is not an artefact"):
            store.write(tmp_path / name, {}, LINEAGE)


def test_a_missing_file_and_a_missing_header_are_named(tmp_path):
    with pytest.raises(FadingError, match="does not exist"):
        store.read(tmp_path / "no.parquet")
    figure().savefig(tmp_path / "bare.png")
    with pytest.raises(FadingError, match="no lineage"):
        store.lineage(tmp_path / "bare.png")


def test_a_tables_lineage_stands_beside_it(tmp_path):
    store.write(tmp_path / "t.csv", CONTENT[".csv"](), LINEAGE)
    assert json.loads((tmp_path / "t.csv.json").read_text()).items() > LINEAGE.items()
    assert (tmp_path / "t.csv").read_text().startswith("step,value\n1,0.1\n")


@pytest.mark.parametrize("suffix", CONTENT)
def test_no_byte_of_a_file_changes_unseen(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    store.write(path, CONTENT[suffix](), LINEAGE)
    for file in tmp_path.iterdir():
        whole = file.read_bytes()
        for place in range(0, len(whole), len(whole) // 97 or 1):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(FadingError, match=path.name):
                store.check(path)
        file.write_bytes(whole)
    store.check(path)


def test_content_is_not_read_unless_it_is_as_written(tmp_path):
    path = tmp_path / "a.csv"
    store.write(path, CONTENT[".csv"](), LINEAGE)
    path.write_text(path.read_text().replace("0.1", "0.2"))
    with pytest.raises(FadingError, match=r"a.csv is not as it was written"):
        store.read(path)


def test_an_unsealed_file_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("step\n1\n")
    (tmp_path / "a.csv.json").write_text(json.dumps(LINEAGE))
    with pytest.raises(FadingError, match=r"a.csv carries no seal"):
        store.read(tmp_path / "a.csv")


@pytest.mark.parametrize("suffix", CONTENT)
def test_who_may_read_a_file_is_as_the_users_mask_says(tmp_path, suffix):
    mask = os.umask(0o027)
    try:
        store.write(tmp_path / f"a{suffix}", CONTENT[suffix](), LINEAGE)
    finally:
        os.umask(mask)
    assert (tmp_path / f"a{suffix}").stat().st_mode & 0o777 == 0o640
