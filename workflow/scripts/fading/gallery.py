"""Show what influential means: a mis-predicted test example beside its most helpful and harmful training examples."""

import textwrap

import numpy as np
import pandas as pd

from fading.catalogue import DATASETS
from fading.correction import Ranking, Trained

TARGET, HELPFUL, HARMFUL = "target", "helpful", "harmful"
COUNT = 4  # of each end


def gallery(
    trained: Trained, target: int, ranking: Ranking, arrays: dict[str, np.ndarray], dataset: str
) -> pd.DataFrame:
    """A row for the target, and for each of its most helpful and most harmful training examples by a ranking.

    kind, place (in the ranking), index (in the training set; of the target in the test set), row (in the dataset),
    label, predicted (of the target), score. `arrays` are the case's drawn examples.
    """
    case, names = trained.case, DATASETS[dataset].labels
    first = {
        "kind": TARGET,
        "place": 0,
        "index": target,
        "row": int(arrays["test_rows"][target]),
        "label": names[case.test.labels[target]],
        "predicted": names[trained.before[target]],
        "score": np.nan,
    }
    rows = [first]
    for kind, chosen in ((HELPFUL, ranking.helpful(COUNT)), (HARMFUL, ranking.harmful(COUNT))):
        for place, index in enumerate(chosen.tolist(), start=1):
            rows.append(
                {
                    "kind": kind,
                    "place": place,
                    "index": index,
                    "row": int(arrays["train_rows"][index]),
                    "label": names[case.train.labels[index]],
                    "predicted": "",
                    "score": ranking.scores[index].item(),
                }
            )
    return pd.DataFrame(rows).assign(test_index=target)


def with_text(rows: pd.DataFrame, dataset: str, source) -> pd.DataFrame:
    """The rows with each example's sentence as `text`, empty where the dataset has none."""
    texts = source.text[rows.row].to_list() if DATASETS[dataset].sentences else ""
    return rows.assign(text=texts)


def draw(figure, rows: pd.DataFrame, arrays: dict[str, np.ndarray]) -> None:
    """Draw one target's rows: images from the case's drawn examples side by side, sentences one below the other."""
    if (rows.text != "").any():
        _sentences(figure.subplots(), rows)
    else:
        _images(figure.subplots(1, 2 * COUNT + 1), rows, arrays)


COLOURS = {TARGET: "0.15", HELPFUL: "C0", HARMFUL: "C3"}


def _images(axes, rows, arrays):
    for axis, row in zip(axes, rows.itertuples(), strict=True):
        images = arrays["test_inputs.0" if row.kind == TARGET else "train_inputs.0"]
        axis.imshow(images[row.index, 0], cmap="gray_r")
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set(visible=True, color=COLOURS[row.kind], linewidth=1.2)
        said = f"{row.label}\nnot {row.predicted}" if row.kind == TARGET else f"{row.label}\n{row.score:+.2g}"
        axis.set_title(said, fontsize=6, color=COLOURS[row.kind])


def _sentences(axis, rows):
    axis.set_axis_off()
    axis.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -0.6))
    for line, row in enumerate(rows.itertuples()):
        said = f"{row.label}, not {row.predicted}" if row.kind == TARGET else f"{row.label} {row.score:+.2g}"
        look = {"fontsize": 6, "color": COLOURS[row.kind], "va": "center"}
        axis.text(0, line, said, **look)
        axis.text(0.2, line, textwrap.shorten(row.text, 125, placeholder=" …"), **look)
