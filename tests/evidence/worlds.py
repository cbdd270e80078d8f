"""Small worlds of which it is known what is true: the raw numbers that jobs write, and the study's tables of them."""

from copy import deepcopy
from importlib import import_module
from itertools import combinations, product

import numpy as np
import pandas as pd
import yaml
from conftest import ROOT
from fading.evidence.claims import NOISE
from fading.evidence.correlations import spearman_pseudo_values
from fading.evidence.tables import averaged, by_test_example, located
from fading.experiments import EXPERIMENTS
from fading.experiments.correction.names import (
    DESCEND,
    ITSELF,
    LABEL_NEIGHBOURS,
    NEIGHBOURS,
    OF_LABEL,
    RANDOM,
    RELABEL,
)
from fading.experiments.effects import PROXIMAL, RETRAINING
from fading.experiments.expansion import REMAINDERS, remainder_statistics
from fading.experiments.fading import CURVATURE, MENDED, decomposition, fading_correlations
from fading.experiments.leave_one_out import correlations
from fading.experiments.memory import GRADIENT_DOT, ONCE, OWN, STEP_DOT
from fading.experiments.memory import agreement as agreement_of_uses
from fading.experiments.remedies import remedies
from fading.experiments.removal import ANOTHER_ORDER, THIS_RUN
from fading.experiments.seen import AGREEMENT
from fading.experiments.trajectory import agreement

CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
CASES = {"resnet-fashion": "edge", "bert-reviews": "diverging"}  # with the regime beside the calm one
CONVEX = "logistic-fashion"  # has a trajectory alone
SHORT = "resnet-short-fashion"  # of which examples and parts are left out, in one run
SHARPNESS = {"calm": 0.5, "edge": 2.0, "diverging": 3.0}  # ηλ_max
RUNS, EXAMPLES, TESTS, STEPS = range(3), 3, 64, [1, 20, 40]
LEFT_OUT, TRAINING, CORRECTED, TARGETS = 6, 30, range(10), 8
AGES, USES, SUBSETS = [1, 20, 30], 8, 30  # of memory, and of removal
RIGHT = {"gradient-dot": 0.999, "abif": 0.98}  # correlations with the first effect of up-weighting
FADES, FADES_LATE, STAYS = (1, 0.1, 0.1), (1, 0.98, 0.1), (1, 0.98, 0.98)  # correlations of effects with the first
HOLDS, BREAKS = (0.999, 0.999, 0.999), (0.98, 0.5, 0.2)  # of the linear response with effects
SUCCESS = {
    DESCEND: {"abif": 0.9, ITSELF: 1, RANDOM: 0.05, NEIGHBOURS: 0.2, OF_LABEL: 0.3, LABEL_NEIGHBOURS: 0.9},
    RELABEL: {"abif": 0.9, RANDOM: 0.9},
}
AT_ITS_TIME = {GRADIENT_DOT: 0.999, STEP_DOT: 0.999, "abif": 0.98, "ekfac": 0.98}  # with the first effect of a use
(RELATIVE_RATE,) = CONFIG["correction"]["learning_rates"]
SOON, LAST = 3, 10  # steps of corrections
MIRROR, SOLVED = "mirror", "gauss-newton"


def near(random, values, correlation):
    """Values whose correlation over test examples with others is about as given, a number or one per step."""
    correlation = np.reshape(correlation, (-1, 1))
    return correlation * values + np.sqrt(1 - correlation**2) * random.normal(size=values.shape)


class World:
    """What is true of both cases: all that the paper says, unless effects keep their correlation with the first."""

    def __init__(self, keeps=FADES):
        self.random = np.random.default_rng(0)
        self.forks = {
            (case, regime, run): self.fork(keeps, HOLDS if regime == "calm" else BREAKS)
            for case, other in CASES.items()
            for regime, run in product(("calm", other), RUNS)
        }
        self.sharpness = {(case, regime): SHARPNESS[regime] for case, regime, _ in self.forks}
        self.uses = {key: self.used(keeps) for key in self.forks if key[1] == "calm"}
        self.removed = {case: self.leaving_out_parts() for case in CASES}
        self.left_out = {case: self.leaving_out() for case in CASES}
        self.rankings = {CONVEX: self.training_runs(alike=0.999)} | {case: self.training_runs() for case in CASES}
        self.remainders = first_order_remainders()
        self.trials = self.corrections()
        self.removed[SHORT], self.left_out[SHORT] = self.leaving_out_parts(), self.leaving_out()
        self.forks[SHORT, "calm", 0] = self.fork(keeps, HOLDS)

    def noise(self, *shape):
        return self.random.normal(size=shape)

    def fork(self, keeps, holds):
        """Up-weighting in one run and regime: estimators are right about the first effect, of which less is kept."""
        first = self.noise(EXAMPLES, 1, TESTS)
        static = np.broadcast_to(first, (EXAMPLES, len(STEPS), TESTS))
        actual = near(self.random, static, keeps)
        curved = near(self.random, actual, 0.9)
        right = {name: near(self.random, first[:, 0], correlation) for name, correlation in RIGHT.items()}
        return {
            "actual": actual,
            "scores": right | {name: self.noise(EXAMPLES, TESTS) for name in NOISE},
            "response": {name: curved if CURVATURE in mends else static for mends, name in MENDED.items()}
            | {"effect": near(self.random, actual, holds)},
        }

    def used(self, keeps):
        """Uses in one run, by age: estimators are right about the first effect of each, of which less is kept."""
        first = self.noise(USES, 1, TESTS)
        actual = near(self.random, np.broadcast_to(first, (USES, len(AGES), TESTS)), keeps)
        right = {name: near(self.random, first, correlation) for name, correlation in AT_ITS_TIME.items()}
        unrelated = {name: self.noise(USES, 1, TESTS) for name in NOISE}
        static = {name: np.broadcast_to(array, actual.shape) for name, array in (right | unrelated).items()}
        return {
            "actual": actual,
            "predicted": static | {ONCE: near(self.random, actual, 0.9)},
            "forecast": dict(zip(AGES, keeps, strict=True)),
            "retrained": near(self.random, actual, 0.9995),
        }

    def leaving_out_parts(self):
        """Small parts do what is predicted to first order, halves do not quite; another order agrees on these."""
        few, half = self.noise(SUBSETS, TESTS), self.noise(SUBSETS, TESTS)
        right = {"unrolled": (0.98, 0.6), "source": (0.4, 0.4), "ekfac": (0.3, 0.3), "gradient-dot": (0.1, 0.1)}
        right |= {ANOTHER_ORDER: (0.1, 0.8), RANDOM: (0, 0)}
        return {
            share: (actual, {name: near(self.random, actual, both[place]) for name, both in right.items()})
            for place, (share, actual) in enumerate(((0.01, few), (0.5, half)))
        }

    def leaving_out(self):
        """It does what the linear response says, not what ABIF does; the damped inverse has the proximal response."""
        retrained, solved = self.noise(LEFT_OUT, TESTS), self.noise(LEFT_OUT, TESTS)
        unrelated = {name: self.noise(LEFT_OUT, TESTS) for name in ("abif", *NOISE)}
        return {
            RETRAINING: retrained,
            MIRROR: near(self.random, retrained, 0.99),
            PROXIMAL: near(self.random, solved, 0.97),
            SOLVED: -solved,
            "scores": {"unrolled": -near(self.random, retrained, 0.99), **unrelated},
        }

    def training_runs(self, alike=0.5):
        """Scores of the training examples at the end, half-way, in another order of the data, and by other seeds."""
        end = self.noise(TRAINING, TESTS)
        return [end, *(near(self.random, end, alike) for _ in range(len(RUNS) + 1))]

    def corrections(self):
        """A row per case, run, target, intervention, method and number of steps."""
        ways = [(intervention, *way) for intervention, chances in SUCCESS.items() for way in chances.items()]
        tried = product(CASES, CORRECTED, range(TARGETS), ways, (SOON, LAST))
        rows = [(*where, *way, step) for *where, way, step in tried]
        trials = pd.DataFrame(rows, columns=["case", "seed", "test_index", "intervention", "method", "chance", "step"])
        chance = trials.pop("chance")
        return trials.assign(
            k=np.where(trials.method == ITSELF, 1, 10),
            learning_rate=0.006,
            relative_rate=RELATIVE_RATE,
            success=(self.random.random(len(trials)) < chance).astype(float),
            retention=0.97 + 0.02 * self.random.random(len(trials)),
            **{"taken": 2, "visits": 20, "loss_before": 2.0, "loss": 1.0, "distance": 0.1, "accuracy_change": 0.0},
            retention_equal=0.9,
        )

    # What can be done to it

    def but(self, change, *parts):
        """Another world, in which change(world, part) has been done to every member of the parts named."""
        other = deepcopy(self)
        for part in parts:
            for member in getattr(other, part).values():
                change(other, member)
        return other

    def told_by(self, noise):
        """What is said to be an estimator's is noise's, everywhere."""

        def forked(_, fork):
            said = fork["scores"][noise]
            fork["scores"] |= dict.fromkeys(RIGHT, said)
            fork["response"] = dict.fromkeys(fork["response"], np.broadcast_to(said[:, None], fork["actual"].shape))

        def used(_, uses):
            uses["predicted"] = dict.fromkeys(uses["predicted"], uses["predicted"][noise])

        def left_out(_, left):
            said = left["scores"][noise]
            left |= {"scores": left["scores"] | {"abif": said, "unrolled": said}, SOLVED: said}

        def ranked(world, runs):
            runs[:] = [world.noise(*end.shape) for end in runs]

        other = self.but(forked, "forks").but(used, "uses").but(left_out, "left_out").but(ranked, "rankings")
        astray = dict.fromkeys(REMAINDERS.values(), other.remainders[REMAINDERS[RANDOM]])
        other.remainders = other.remainders.assign(**astray)
        other.correcting_as(noise)
        return other

    def correcting_as(self, noise):
        """ABIF corrects exactly what noise does."""
        theirs = self.trials[self.trials.method == noise]
        others = self.trials[self.trials.method != "abif"]
        self.trials = pd.concat([theirs.assign(method="abif"), others], ignore_index=True)

    def swapped(self):
        """What is called calm is each case's other regime."""
        other = deepcopy(self)

        def called(case, regime):
            return "calm" if regime != "calm" else CASES.get(case, regime)

        other.forks = {(case, called(case, regime), run): fork for (case, regime, run), fork in self.forks.items()}
        other.sharpness = {(case, called(case, regime)): value for (case, regime), value in self.sharpness.items()}
        return other

    # Its tables

    def tables(self, *names):
        """Public tables, as their rule makes them of what the jobs write."""
        return {name: as_table(name, frame) for name, frame in self.frames(*names).items()}

    def frames(self, *names):
        """What the jobs write, by the public table that is made of it."""
        frames = {made: pd.concat(made(self), ignore_index=True) for made in {FRAMES[name] for name in names}}
        return {name: frames[FRAMES[name]] for name in names}

    def of_estimators(self):
        for key, fork in self.forks.items():
            scores = {name: scored(array) for name, array in fork["scores"].items()}
            yield of_run(key, fading_correlations(changed(fork["actual"], 1), scores, fork["response"], STEPS))

    def of_uses(self):
        for key, uses in self.uses.items():
            for place, age in enumerate(AGES):
                predicted = {name: array[:, place] for name, array in uses["predicted"].items()}
                frame = agreement_of_uses(predicted, uses["actual"][:, place])
                yield located(frame, **setting(key), read=100, age=age, forecast=uses["forecast"][age])

    def checked(self):
        for key, uses in self.uses.items():
            values = spearman_pseudo_values(uses["actual"][:, 0], uses["retrained"][:, 0])
            yield located(by_test_example({"spearman": values}, train_index=np.arange(USES), age=2), **setting(key))

    def seen(self):
        for case in CASES:
            alike = 0.1 + 0.02 * self.noise(TESTS)
            rows = pd.DataFrame({"statistic": AGREEMENT, "epoch": 1, "test_index": range(TESTS), "estimate": alike})
            yield located(rows, case=case, seed=0)

    def parts_left_out(self):
        for case, by_share in self.removed.items():
            for share, (actual, forecasts) in by_share.items():
                for name, forecast in forecasts.items():
                    values = spearman_pseudo_values(forecast.T, actual.T)  # by test example, over subsets
                    rows = by_test_example({"lds": values.T}, subset=np.arange(SUBSETS))
                    where = {"truth": THIS_RUN, "estimator": name, "removed": int(3000 * share), "share": share}
                    yield located(rows, case=case, seed=0, **where)

    def parts(self):
        for key, fork in self.forks.items():
            yield of_run(key, decomposition(changed(fork["actual"], 1), fork["response"], STEPS))

    def against_retraining(self):
        for case, left in self.left_out.items():
            once, twice = changed(left[RETRAINING], -1), changed(-left[MIRROR], 1)
            both = {name: np.concatenate([once[name], twice[name]]) for name in once}
            scores = {name: scored(array) for name, array in left["scores"].items()}
            yield located(correlations({RETRAINING: both}, scores), case=case, seed=0)

    def remedied(self):
        for case, left in self.left_out.items():
            damped = {f"{SOLVED}/0.1": left[SOLVED], f"residual.{SOLVED}/0.1": np.zeros(LEFT_OUT)}
            truths = {truth: changed(left[truth], -1) for truth in (RETRAINING, PROXIMAL)}
            stand_ins = {name: scored(left["scores"][name]) for name in NOISE}
            compared = remedies({"examples": np.arange(LEFT_OUT), **damped}, truths, stand_ins)
            yield located(compared, case=case, seed=0)

    def agreements(self):
        for case, runs in self.rankings.items():
            end, half_way, another_order, *seeds = map(scored, runs)
            alike = agreement({55: half_way, 110: end}, [another_order], [end, *seeds])
            yield located(alike, case=case, estimator="abif")

    def expansions(self):
        path = {"smallest": -np.ones(8), "largest": np.ones(8)}
        statistics = remainder_statistics(self.remainders, path, 0.1)
        return [located(statistics, case=case, regime="calm", seed=0) for case in CASES]

    def divergences(self):
        for (case, regime), run in product(self.sharpness, RUNS):
            mean = self.sharpness[case, regime] + 0.02 * run
            of_batches = [("eta lambda max, batches, mean", batch, mean + 0.01 * batch) for batch in range(4)]
            of_run = {"eta lambda max, batches, largest": 3 * mean, "growth rate": 0.05 + 0.002 * run}
            rows = [*of_batches, *((name, -1, value) for name, value in of_run.items()), ("beyond the bound", -1, 0)]
            frame = pd.DataFrame(rows, columns=["statistic", "batch", "estimate"])
            yield located(frame, case=case, regime=regime, seed=run)

    def eigenvalues(self):
        ratio = {"method": "Lanczos", "statistic": "smallest to largest eigenvalue", "step": 110}
        rows = [{"case": case, "seed": run, **ratio, "estimate": -0.1 - 0.01 * run} for case in CASES for run in RUNS]
        yield pd.DataFrame(rows).assign(residual_low=0.0, residual_high=0.0)

    def solves(self):
        met = {"curvature": "hessian", "solver": "CG", "setting": "standard", "damping": 0.1, "estimate": 1.0}
        rows = [{"case": case, "seed": 0, "train_index": k, **met} for case in CASES for k in range(LEFT_OUT)]
        yield pd.DataFrame(rows).assign(statistic="negative_curvature")

    def tried(self):
        yield self.trials


FRAMES = {
    "fading-summary": World.of_estimators,
    "fading-drop": World.of_estimators,
    "decomposition": World.parts,
    "memory": World.of_uses,
    "memory-drop": World.of_uses,
    "memory-gain": World.of_uses,
    "memory-half-life": World.of_uses,
    "memory-checks": World.checked,
    "memory-seen": World.seen,
    "removal": World.parts_left_out,
    "removal-gain": World.parts_left_out,
    "loo-summary": World.against_retraining,
    "remedies": World.remedied,
    "trajectory": World.agreements,
    "expansion-summary": World.expansions,
    "divergence-summary": World.divergences,
    "convexity-summary": World.eigenvalues,
    "stability-summary": World.solves,
    "correction": World.tried,
    "correction-paired": World.tried,
}


def as_table(name, frame):
    """The public table of that name, as its rule makes it."""
    described = next(experiment.tables[name] for experiment in EXPERIMENTS.values() if name in experiment.tables)
    if "mean" in described:
        return averaged(frame, described["mean"], described["by"], described["scale"])
    module, _, function = described["function"].rpartition(".")
    return getattr(import_module(f"fading.{module}"), function)(frame)


def first_order_remainders():
    """A row per up-weighting or pair, and step: effects are first-order, and TracIn's sum goes astray."""
    rows = []
    for example, epsilon, step in product(range(3), (1, 0.1, 0.01, -1), (1, 8)):
        norm = abs(epsilon) * (1 + 0.1 * example)
        left = {"linear-response": 0.02 * epsilon**2, "tracin": norm * (0.1 * step - 0.08 + 0.01 * example)}
        left = {column: left.get(name, 1.4 * norm) for name, column in REMAINDERS.items()}
        where = {"train_index": example, "other_index": -1, "epsilon": epsilon, "step": step}
        rows.append({**where, "norm": norm, **left, "asymmetry": 0.01, "nonadditivity": np.nan})
    for first, second in combinations(range(3), 2):
        where = {"train_index": first, "other_index": second, "epsilon": 1, "step": 8}
        rows.append({**where, "norm": 2.0, "nonadditivity": 0.01 * (1 + first + second)})
    return pd.DataFrame(rows)


def changed(effects, epsilon):
    """Effects as retraining writes them, of the training examples 0, 1, 2 …"""
    return {
        "loss_change": effects,
        "members": np.arange(len(effects))[:, None],
        "epsilon": np.full(len(effects), epsilon),
    }


def scored(scores):
    return {"examples": np.arange(len(scores)), "scores": scores}


def of_run(key, frame):
    return located(frame, **dict(zip(("case", "regime", "seed"), key, strict=True)))


def setting(key):
    """Where the uses of a run are, by the columns that tell settings apart."""
    case, regime, run = key
    definition = CONFIG["definitions"][case]
    rate = next(one["learning_rate"] for one in definition["regimes"] if one["name"] == regime)
    size = definition["training"]["batch_size"]
    return {"case": case, "regime": regime, "changed": OWN, "learning_rate": rate, "batch_size": size, "seed": run}
