"""Draw a gallery: a mis-predicted test example beside its most helpful and harmful training examples."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.patches import Patch

from fading.experiments.correction.names import HARMFUL, HELPFUL, SHOWN, TARGET

COLOURS = {TARGET: "0.15", HELPFUL: "C0", HARMFUL: "C3"}
SAID = {
    TARGET: "mis-predicted",
    HELPFUL: "most helpful training examples, scores",
    HARMFUL: "most harmful training examples, scores",
}


def draw(figure, rows: pd.DataFrame, arrays: dict[str, np.ndarray]) -> None:
    """Draw one target's rows: images from the case's drawn examples side by side, sentences one below the other."""
    if (rows.text != "").any():
        _sentences(figure.subplots(), rows)
    else:
        _images(figure.subplots(1, 2 * SHOWN + 1), rows, arrays)


def explain(figure) -> None:
    """Say below what the colours mean."""
    patches = [Patch(color=COLOURS[kind], label=text) for kind, text in SAID.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=3, fontsize=7)


def _images(axes, rows, arrays):
    for axis, row in zip(axes, rows.itertuples(), strict=True):
        images = arrays["test_inputs.0" if row.kind == TARGET else "train_inputs.0"]
        axis.imshow(_picture(images[row.index]), cmap="gray_r")
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set(visible=True, color=COLOURS[row.kind], linewidth=1.2)
        title = f"{row.label},\nsaid {row.predicted}" if row.kind == TARGET else f"{row.label}\n{_signed(row.score)}"
        axis.set_title(title, fontsize=6, color=COLOURS[row.kind])


def _picture(image):
    """Grey values (height, width), or colours (height, width, 3) from the image's darkest value to its brightest."""
    if len(image) != 3:
        return image[0]
    colours = np.moveaxis(image, 0, -1)
    return (colours - colours.min()) / max(np.ptp(colours), np.finfo(colours.dtype).tiny)


def _signed(score):
    return f"{score:+#.2g}".replace("-", "−")


def _sentences(axis, rows):
    axis.set_axis_off()
    axis.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -0.6))
    for line, row in enumerate(rows.itertuples()):
        caption = f"{row.label}, said {row.predicted}" if row.kind == TARGET else f"{row.label} {_signed(row.score)}"
        look = {"fontsize": 6, "color": COLOURS[row.kind], "va": "center"}
        axis.text(0, line, caption, **look)
        axis.text(0.2, line, textwrap.shorten(row.text, 125, placeholder=" …"), **look)
