"""Show what influential means: a mis-predicted test example beside its most helpful and harmful training examples."""

import numpy as np
import pandas as pd

from fading.experiments import Experiment
from fading.experiments.correction.interventions import Trained
from fading.experiments.correction.names import HARMFUL, HELPFUL, SHOWN, TARGET
from fading.experiments.correction.rankings import Ranking

EXPERIMENT = Experiment(
    stage="correction",
    of="run",
    reads={
        "source": "sentences",
        "examples": "examples",
        "checkpoints": "checkpoints",
        "scores": "scores_of_rankers",
    },
    settings=("case", "onwards", "candidates", "labels", "rankers", "seed"),
    cases="correction.cases",
    first_seed=True,
    pictures=True,
    tables={"gallery": {"output": "gallery"}},
    figures={"gallery": ("gallery",)},
)


def gallery(
    trained: Trained, target: int, ranking: Ranking, arrays: dict[str, np.ndarray], labels: list[str]
) -> pd.DataFrame:
    """A row for the target, and for each of its most helpful and most harmful training examples by a ranking.

    kind, place (in the ranking), index (in the training set; of the target in the test set), row (in the dataset),
    label, predicted (of the target), score. `arrays` are the case's drawn examples, `labels` what its labels mean.
    """
    case = trained.case
    rows = [
        {
            "kind": TARGET,
            "place": 0,
            "index": target,
            "row": int(arrays["test_rows"][target]),
            "label": labels[case.test.labels[target]],
            "predicted": labels[trained.before[target]],
            "score": np.nan,
        }
    ]
    for kind, examples in ((HELPFUL, ranking.helpful(SHOWN)), (HARMFUL, ranking.harmful(SHOWN))):
        for place, index in enumerate(examples.tolist(), start=1):
            rows.append(
                {
                    "kind": kind,
                    "place": place,
                    "index": index,
                    "row": int(arrays["train_rows"][index]),
                    "label": labels[case.train.labels[index]],
                    "predicted": "",
                    "score": ranking.scores[index].item(),
                }
            )
    return pd.DataFrame(rows).assign(test_index=target)


def with_text(rows: pd.DataFrame, source: pd.DataFrame | None) -> pd.DataFrame:
    """The rows with each example's sentence, or both of a pair, as `text`, empty where the dataset has none."""
    if source is None:
        return rows.assign(text="")
    texts = source.text + " / " + source.text_pair if "text_pair" in source else source.text
    return rows.assign(text=texts[rows.row].to_list())
