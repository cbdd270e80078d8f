"""Fourth assumption: an effect is first-order in the weight, and TracIn's first order is the whole first order."""

import math
from dataclasses import dataclass
from itertools import combinations
from operator import itemgetter

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
    needs="leaves_out",  # not of networks that are there for their size
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


EXPANDED = 0.8  # of the budget, for runs in step
REMAINDERS = {"linear-response": "remainder", "tracin": "tracin_remainder", "random": "random_remainder"}


def remainders(segment: Segment, examples: list[int], epsilons: list[float], seed: int, progress=iter) -> pd.DataFrame:
    """What first-order predictions leave over, a row per counterfactual and step.

    Each example is up-weighted by each ε and by minus the largest, and each pair by the largest. `norm` is ‖δ_t‖;
    `remainder` ‖δ_t − εψ_t‖ with the linear response ψ; `tracin_remainder` the same with TracIn's sum of gradient
    steps, which nothing propagates (NaN for optimisers other than SGD), and `random_remainder` with a vector of δ_t's
    own norm in a random direction, one per example; `asymmetry` of ±ε ‖δ(ε) + δ(−ε)‖ / (‖δ(ε)‖ + ‖δ(−ε)‖), 0 where
    effects mirror each other; `nonadditivity` of a pair ‖δ_pair − δ_k − δ_l‖ / ‖δ_pair‖. other_index is the pair's
    second example, else −1. Where the budget does not hold all runs at once those of one example, and of one pair, go
    at a time, and if need be those of one |ε|. Raises FadingError where it does not hold these.
    """
    largest, pairs = max(epsilons), list(combinations(examples, 2))
    keys = {example: [(example, epsilon) for epsilon in (*epsilons, -largest)] for example in examples}
    together = [_Part([], [pair], largest) for pair in pairs]
    by_size = [[key for key in own if abs(key[1]) == size] for own in keys.values() for size in epsilons]
    finer = [
        [_Part([key for own in keys.values() for key in own], pairs, largest)],
        [*(_Part(own, [], largest) for own in keys.values()), *together],
        [*(_Part(own, [], largest) for own in by_size), *together],
    ]
    held = EXPANDED * budget.limit() / segment.state.nbytes
    parts = next((parts for parts in finer if max(part.vectors for part in parts) <= held), finer[-1])
    generator, count = torch.Generator().manual_seed(seed), segment.state.shape[1]
    drawn = torch.randn(len(examples), count, generator=generator, dtype=segment.case.dtype, device="cpu")
    drawn /= drawn.norm(dim=1, keepdim=True)
    directions = dict(zip(examples, drawn, strict=True))
    rows = [row for part in parts for row in part.rows(segment, directions, progress)]
    return pd.DataFrame(sorted(rows, key=itemgetter("step")))


@dataclass(frozen=True)
class _Part:
    """Runs that advance together: of single examples, by example and ε, and of pairs by the largest ε."""

    keys: list[tuple[int, float]]
    pairs: list[tuple[int, int]]
    largest: float

    @property
    def examples(self):
        """Those whose linear response is followed."""
        return list(dict.fromkeys(example for example, _ in self.keys))

    @property
    def singles(self):
        """The keys, and what pairs are held against."""
        members = ((example, self.largest) for pair in self.pairs for example in pair)
        return list(dict.fromkeys([*self.keys, *members]))

    @property
    def vectors(self):
        """How many of the state's size they take."""
        return 3 * (len(self.singles) + len(self.pairs)) + 6 * len(self.examples)

    def rows(self, segment, directions, progress):
        case, optimizer, largest, examples = segment.case, segment.optimizer, self.largest, self.examples
        counterfactuals = [
            *(Counterfactual((example,), epsilon) for example, epsilon in self.singles),
            *(Counterfactual(pair, largest) for pair in self.pairs),
        ]
        what = f"{len(counterfactuals)} counterfactuals in step"
        budget.require(self.vectors * segment.state.nbytes, what, share=EXPANDED)
        runs = [descend(segment, weights(case, counterfactual)) for counterfactual in counterfactuals]
        groups = [(example,) for example in examples]
        response = linear_response(segment, groups) if groups else [(None, None, None)] * len(segment.batches)
        theta, rows = segment.state[0], []
        fill = 0.0 if isinstance(optimizer, SGD) else math.nan
        summed = torch.full((len(examples), len(theta)), fill, dtype=case.dtype)
        steps = zip(progress(segment.batches), descend(segment), response, *runs, strict=True)
        for batch, (step, after, _), (_, _, psi), *moved in steps:
            drawn = torch.isin(torch.tensor(examples, dtype=torch.long), batch)
            if drawn.any():
                forcing = per_example_gradients(case, theta, case.train[torch.tensor(examples)[drawn]])
                summed[drawn] -= optimizer.learning_rate / len(batch) * forcing
            theta, since = after[0], step - segment.first_step
            deltas = [state[0] - theta for _, state, _ in moved]
            single = dict(zip(self.singles, deltas, strict=False))
            for example, epsilon in self.keys:
                k, delta = examples.index(example), single[example, epsilon]
                direction = directions[example].to(theta.device)
                predicted = epsilon * psi[k], epsilon * summed[k], delta.norm() * direction
                left = {name: delta - vector for name, vector in zip(REMAINDERS.values(), predicted, strict=True)}
                row = {"train_index": example, "other_index": NO_EXAMPLE, "epsilon": epsilon, "step": since}
                row |= {"norm": _norm(delta)} | {name: _norm(vector) for name, vector in left.items()}
                if epsilon == largest:
                    opposite = single[example, -epsilon]
                    row["asymmetry"] = _norm(delta + opposite) / (_norm(delta) + _norm(opposite))
                rows.append(row)
            for (first, second), delta in zip(self.pairs, deltas[len(self.singles) :], strict=True):
                apart = _norm(delta - single[first, largest] - single[second, largest]) / _norm(delta)
                row = {"train_index": first, "other_index": second, "epsilon": largest, "step": since}
                rows.append({**row, "norm": _norm(delta), "nonadditivity": apart})
        return rows


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
