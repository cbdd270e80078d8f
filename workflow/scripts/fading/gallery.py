"""Show what influential means: a mis-predicted test example beside its most helpful and harmful training examples."""

import numpy as np
import pandas as pd

from fading.catalogue import DATASETS
from fading.correction import Ranking, Trained
from fading.pictures import COUNT, HARMFUL, HELPFUL, TARGET


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
