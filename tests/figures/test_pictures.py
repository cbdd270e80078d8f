"""A gallery shows what there is: grey values, colours, sentences, pairs of them."""

import numpy as np
import pandas as pd
import pytest
from fading.experiments.correction.gallery import with_text
from fading.experiments.correction.names import HARMFUL, HELPFUL, SHOWN, TARGET
from fading.figures.pictures import draw
from matplotlib import pyplot as plt


@pytest.fixture
def rows() -> pd.DataFrame:
    """A target, and the training examples most helpful and harmful to it."""
    kinds = [TARGET, *[HELPFUL] * SHOWN, *[HARMFUL] * SHOWN]
    described = [(kind, place, 10 + place, "a", "b", 0.5) for place, kind in enumerate(kinds)]
    return pd.DataFrame(described, columns=["kind", "index", "row", "label", "predicted", "score"])


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_shown_in_grey_or_in_their_colours(rows, channels):
    images = np.random.default_rng(0).normal(size=(len(rows), channels, 4, 5)).astype(np.float32)
    figure = plt.figure()
    draw(figure, with_text(rows, None), {"train_inputs.0": images, "test_inputs.0": images})
    for row, axis in zip(rows.itertuples(), figure.axes, strict=True):
        shown, image = np.asarray(axis.images[0].get_array()), images[row.index]
        if channels == 1:
            assert np.array_equal(shown, image[0])
        else:
            assert (shown.min(), shown.max()) == (0, 1)
            assert np.corrcoef(shown[..., 2].ravel(), image[2].ravel())[0, 1] == pytest.approx(1, abs=1e-6)
    plt.close(figure)


def test_of_a_pair_both_sentences_are_shown(rows):
    source = pd.DataFrame({"text": [f"premise {i}" for i in range(30)]})
    assert with_text(rows, source).text[0] == "premise 10"
    pairs = source.assign(text_pair=[f"hypothesis {i}" for i in range(30)])
    assert with_text(rows, pairs).text[1] == "premise 11 / hypothesis 11"
