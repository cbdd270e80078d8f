"""Fourth assumption: an effect is first-order in the weight, and TracIn's first order is the whole first order."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import torch

from fading.derivatives.gradients import per_example_gradients
from fading.derivatives.response import linear_response
from fading.experiments import Experiment
from fading.training.counterfactuals import NO_EXAMPLE, Counterfactual
from fading.training.optimizers import SGD
from fading.training.retraining import weights
from fading.training.segment import Segment, descend

EXPERIMENT = Experiment(
    stage="assumptions",
    of="regime",
    reads={
        "examples": "examples",
        "order": "continuation_order",
        "checkpoints": "checkpoints",
        "changes": "first_changes_up_weighted",
    },
    settings=(
        "case_in_double_precision",
        "continuation",
        "assumptions.examples",
        "assumptions.epsilons",
        "assumptions.steps",
        "seed",
    ),
    first_seed=True,
    tables={
        "expansion": {"output": "remainders"},
        "expansion-summary": {"output": "statistics", "mean": "estimate"},
    },
    figures={"expansion": ("expansion", "expansion-summary")},
)


def remainders(segment: Segment, examples: list[int], epsilons: list[float], progress=iter) -> pd.DataFrame:
    """What first-order predictions leave over, a row per counterfactual and step.

    Each example is up-weighted by each ε and by minus the largest, and each pair by the largest. `norm` is ‖δ_t‖;
    `remainder` ‖δ_t − εψ_t‖ with the linear response ψ; `tracin_remainder` the same with TracIn's sum of gradient
    steps, which nothing propagates (NaN for optimisers other than SGD); `asymmetry` of ±ε ‖δ(ε) + δ(−ε)‖ / (‖δ(ε)‖ +
    ‖δ(−ε)‖), 0 where effects mirror each other; `nonadditivity` of a pair ‖δ_pair − δ_k − δ_l‖ / ‖δ_pair‖. other_index
    is the pair's second example, else −1.
    """
    case, optimizer, largest = segment.case, segment.optimizer, max(epsilons)
    keys = [(example, epsilon) for example in examples for epsilon in (*epsilons, -largest)]
    pairs = list(combinations(examples, 2))
    counterfactuals = [
        *(Counterfactual((example,), epsilon) for example, epsilon in keys),
        *(Counterfactual(pair, largest) for pair in pairs),
    ]
    runs = [descend(segment, weights(case, counterfactual)) for counterfactual in counterfactuals]
    response = linear_response(segment, [(example,) for example in examples])
    theta, rows = segment.state[0], []
    fill = 0.0 if isinstance(optimizer, SGD) else math.nan
    summed = torch.full((len(examples), len(theta)), fill, dtype=case.dtype)
    steps = zip(progress(segment.batches), descend(segment), response, *runs, strict=True)
    for batch, (_, after, _), (step, _, psi), *moved in steps:
        drawn = torch.isin(torch.tensor(examples), batch)
        if drawn.any():
            forcing = per_example_gradients(case, theta, case.train[torch.tensor(examples)[drawn]])
            summed[drawn] -= optimizer.learning_rate / len(batch) * forcing
        theta, since = after[0], step - segment.first_step
        deltas = [state[0] - theta for _, state, _ in moved]
        single = dict(zip(keys, deltas, strict=False))
        for (example, epsilon), delta in single.items():
            k = examples.index(example)
            left = {"remainder": delta - epsilon * psi[k], "tracin_remainder": delta - epsilon * summed[k]}
            row = {"train_index": example, "other_index": NO_EXAMPLE, "epsilon": epsilon, "step": since}
            row |= {"norm": _norm(delta)} | {name: _norm(vector) for name, vector in left.items()}
            if epsilon == largest:
                opposite = single[example, -epsilon]
                row["asymmetry"] = _norm(delta + opposite) / (_norm(delta) + _norm(opposite))
            rows.append(row)
        for (first, second), delta in zip(pairs, deltas[len(keys) :], strict=True):
            apart = _norm(delta - single[first, largest] - single[second, largest]) / _norm(delta)
            row = {"train_index": first, "other_index": second, "epsilon": largest, "step": since}
            rows.append({**row, "norm": _norm(delta), "nonadditivity": apart})
    return pd.DataFrame(rows)


def _norm(vector):
    return vector.norm().item()


def remainder_statistics(frame: pd.DataFrame, learning_rate: float, sharpness: float) -> pd.DataFrame:
    """One regime's statistics by example: statistic, train_index, epsilon, estimate.

    At the last step: `slope` of ln remainder against ln |ε|, 2 where an expansion to first order exists; `remainder`
    and `TracIn's remainder` relative to ‖δ‖, `asymmetry`, and `nonadditivity` by pair. `horizon` is the first step at
    which the linear response's relative error passes 50 %, the last step + 1 if none does, and `predicted horizon`
    ln(1/ε)/(ηΛ), the order of magnitude that the bound with sharpness Λ allows.
    """
    rows, last = [], frame.step.max()
    pairs = frame[(frame.other_index != NO_EXAMPLE) & (frame.step == last)]
    rows += [("nonadditivity", row.train_index, row.epsilon, row.nonadditivity) for row in pairs.itertuples()]
    for example, paths in frame[frame.other_index == NO_EXAMPLE].groupby("train_index", sort=False):
        end = paths[paths.step == last]
        rows.append(("slope", example, np.nan, np.polyfit(np.log(end.epsilon.abs()), np.log(end.remainder), 1)[0]))
        for row in end[end.epsilon > 0].itertuples():
            rows.append(("remainder", example, row.epsilon, row.remainder / row.norm))
            rows.append(("TracIn's remainder", example, row.epsilon, row.tracin_remainder / row.norm))
        mirrored = end.dropna(subset="asymmetry")
        rows += [("asymmetry", example, row.epsilon, row.asymmetry) for row in mirrored.itertuples()]
        for epsilon, path in paths[paths.epsilon > 0].groupby("epsilon"):
            passed = path.step[path.remainder > path.norm / 2]
            rows.append(("horizon", example, epsilon, passed.min() if len(passed) else last + 1))
            rows.append(("predicted horizon", example, epsilon, math.log(1 / epsilon) / (learning_rate * sharpness)))
    return pd.DataFrame(rows, columns=["statistic", "train_index", "epsilon", "estimate"])
