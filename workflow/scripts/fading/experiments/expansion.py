"""Fourth assumption: an effect is first-order in the weight, and TracIn's first order is the whole first order."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import torch

from fading.artefacts import budget
from fading.derivatives.gradients import per_example_gradients
from fading.derivatives.response import linear_response
from fading.evidence.intervals import jackknife_of_pairs
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
        "path": "path_of_regime",
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
        "expansion-summary": {
            "output": "statistics",
            "mean": "estimate",
            "by": ("case", "regime", "estimator", "statistic", "epsilon", "step"),
            "scale": "linear",
        },
    },
    figures={"expansion": ("expansion", "expansion-summary")},
)


REMAINDERS = {"linear-response": "remainder", "tracin": "tracin_remainder", "random": "random_remainder"}


def remainders(segment: Segment, examples: list[int], epsilons: list[float], seed: int, progress=iter) -> pd.DataFrame:
    """What first-order predictions leave over, a row per counterfactual and step.

    Each example is up-weighted by each ε and by minus the largest, and each pair by the largest. `norm` is ‖δ_t‖;
    `remainder` ‖δ_t − εψ_t‖ with the linear response ψ; `tracin_remainder` the same with TracIn's sum of gradient
    steps, which nothing propagates (NaN for optimisers other than SGD), and `random_remainder` with a vector of δ_t's
    own norm in a random direction, one per example; `asymmetry` of ±ε ‖δ(ε) + δ(−ε)‖ / (‖δ(ε)‖ + ‖δ(−ε)‖), 0 where
    effects mirror each other; `nonadditivity` of a pair ‖δ_pair − δ_k − δ_l‖ / ‖δ_pair‖. other_index is the pair's
    second example, else −1.
    """
    case, optimizer, largest = segment.case, segment.optimizer, max(epsilons)
    keys = [(example, epsilon) for example in examples for epsilon in (*epsilons, -largest)]
    pairs = list(combinations(examples, 2))
    counterfactuals = [
        *(Counterfactual((example,), epsilon) for example, epsilon in keys),
        *(Counterfactual(pair, largest) for pair in pairs),
    ]
    vectors = (3 * len(counterfactuals) + 6 * len(examples)) * len(segment.state)
    budget.require(vectors * segment.state[0].nbytes, f"{len(counterfactuals)} counterfactuals in step")
    runs = [descend(segment, weights(case, counterfactual)) for counterfactual in counterfactuals]
    response = linear_response(segment, [(example,) for example in examples])
    theta, rows = segment.state[0], []
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn(len(examples), len(theta), generator=generator, dtype=case.dtype, device="cpu")
    directions = directions.to(theta.device)
    directions /= directions.norm(dim=1, keepdim=True)
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
            predicted = epsilon * psi[k], epsilon * summed[k], delta.norm() * directions[k]
            left = {name: delta - vector for name, vector in zip(REMAINDERS.values(), predicted, strict=True)}
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


def remainder_statistics(frame: pd.DataFrame, path: dict[str, np.ndarray], learning_rate: float) -> pd.DataFrame:
    """One regime's statistics by example: estimator, statistic, train_index, epsilon, step, estimate.

    `remainder` of each estimator, relative to ‖δ‖, at the first step and at the last; "random" is the control. Of the
    linear response at the last step `slope`, of ln remainder against ln |ε|, 2 where an expansion to first order
    exists; `horizon`, the first step at which its relative error passes 50 %, the last step + 1 if none does; and
    `predicted horizon` ln(1/ε)/(ηΛ), the order of magnitude that the largest |eigenvalue| Λ of these steps' Hessians
    (`path`) allows. Of no estimator `asymmetry`, and `nonadditivity`, of pairs, as each example's pseudo-value.
    """
    last, response = frame.step.max(), "linear-response"
    sharpness = np.abs([path[end][:last] for end in ("smallest", "largest")]).max()
    pairs = frame[(frame.other_index != NO_EXAMPLE) & (frame.step == last)]
    rows = [("", "nonadditivity", example, pairs.epsilon.max(), last, value) for example, value in _of_pairs(pairs)]
    for example, paths in frame[frame.other_index == NO_EXAMPLE].groupby("train_index", sort=False):
        end = paths[paths.step == last]
        slope = np.polyfit(np.log(end.epsilon.abs()), np.log(end.remainder), 1)[0]
        rows.append((response, "slope", example, np.nan, last, slope))
        mirrored = end.dropna(subset="asymmetry")
        rows += [("", "asymmetry", example, row.epsilon, last, row.asymmetry) for row in mirrored.itertuples()]
        for epsilon, steps in paths[paths.epsilon > 0].groupby("epsilon"):
            for row in steps[steps.step.isin([steps.step.min(), last])].itertuples():
                for estimator, column in REMAINDERS.items():
                    relative = getattr(row, column) / row.norm
                    rows.append((estimator, "remainder", example, epsilon, row.step, relative))
            passed = steps.step[steps.remainder > steps.norm / 2]
            horizon = passed.min() if len(passed) else last + 1
            rows.append((response, "horizon", example, epsilon, last, horizon))
            predicted = math.log(1 / epsilon) / (learning_rate * sharpness)
            rows.append((response, "predicted horizon", example, epsilon, last, predicted))
    columns = ["estimator", "statistic", "train_index", "epsilon", "step", "estimate"]
    return pd.DataFrame(rows, columns=columns).dropna(subset="estimate")


def _of_pairs(pairs):
    """Each example's pseudo-value of the pairs' nonadditivity, since pairs that share an example hang together."""
    keys, values = list(zip(pairs.train_index, pairs.other_index, strict=True)), pairs.nonadditivity.to_numpy()
    examples = sorted({example for pair in keys for example in pair})
    return zip(examples, jackknife_of_pairs(values[:, None], keys)[:, 0], strict=True)
