"""Noise can't win, and verdicts turn: the shipped claims, judged in worlds of which it is known what is true."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT
from fading.evidence.claims import CONTRADICTED, NOISE, PAPER, PLACES, SUPPORTED, VOID, judge
from fading.experiments.correction.names import RANDOM, RELABEL
from fading.experiments.effects import PROXIMAL, RETRAINING
from fading.experiments.memory import ONCE
from fading.experiments.removal import ANOTHER_ORDER
from fading.plan.claims import placed, stood_on
from worlds import (
    AT_ITS_TIME,
    CASES,
    CONFIG,
    CONVEX,
    FADES_LATE,
    FRAMES,
    MIRROR,
    RIGHT,
    SHORT,
    SOLVED,
    SOON,
    STAYS,
    World,
    as_table,
    near,
)

KNOWN = (*CASES, CONVEX, SHORT)
LARGER = {f"resnet{width}-fashion": "resnet-fashion" for width in (16, 32, 64)} | {
    "minilm-adamw-reviews": "bert-reviews"
}
SHIPPED = placed(yaml.safe_load((ROOT / "config/claims.yaml").read_text()), [*CASES])
CLAIMS = [claim for claim in SHIPPED if claim["case"] in KNOWN]
BY_SCALE = [claim for claim in SHIPPED if claim["case"] in LARGER]
OF_PAPER = {claim["claim"]: claim for claim in CLAIMS if claim["source"] == PAPER}
OF_ESTIMATORS = {
    name: claim
    for name, claim in OF_PAPER.items()
    if set(PLACES) & set(claim["where"]) and claim["table"] != "stability-summary"  # where a solver meets a matrix
}
FORKED = ("fading-summary", "fading-drop", "decomposition")
USED = ("memory", "memory-drop", "memory-half-life", "memory-checks")
REMOVED = ("removal", "removal-gain")
LEFT = ("loo-summary", "remedies")
TRIED = ("correction", "correction-paired")


@cache
def tables():
    """Of the world of the paper."""
    return World().tables(*FRAMES)


@cache
def of_paper():
    return judge(CLAIMS, tables()).set_index("claim")


def judged(world, *names):
    """The claims on the tables named, which alone are the world's own, and those that these stand on."""
    on = stood_on(CLAIMS, [claim["claim"] for claim in CLAIMS if claim["table"] in names])
    claims = [claim for claim in CLAIMS if claim["claim"] in on]
    return judge(claims, tables() | world.tables(*names)).set_index("claim")


def test_where_the_paper_is_right_its_claims_are_supported():
    verdicts = of_paper().verdict
    assert set(verdicts[[*OF_PAPER]]) == {SUPPORTED}
    ours = both("half-gone", "corrects-soon", "relabel-corrects", "relabel-needs-no-influence")
    ours += both("half-life-forecast", "constant-curvature-remembers", "early-uses-differ")
    ours += [*both("half-removed-is-beyond-first-order", "source-gains"), "ekfac-misses-removal-resnet"]
    ours += [*both("random-does-not-predict-removal"), "another-order-differs-resnet"]
    stood = stood_on(CLAIMS, [*OF_PAPER, *ours])
    assert set(verdicts[list(stood)]) == {SUPPORTED}
    assert (of_paper().p_holm[[*OF_PAPER]] >= of_paper().p[[*OF_PAPER]]).all()


def test_noise_is_tried_in_the_place_of_every_estimator_of_the_paper_and_never_supported():
    asked = of_paper()[[*NOISE]]
    assert asked.loc[[*OF_ESTIMATORS]].isin([VOID, CONTRADICTED]).all(axis=None)
    assert (asked.drop([*OF_ESTIMATORS, "hessian-unstable"]) == "").all(axis=None)


@pytest.mark.parametrize("noise", NOISE)
def test_overwriting_scores_with_noise_gives_the_verdicts_that_noise_is_judged_with(noise):
    overwritten = judged(World().told_by(noise), *FRAMES)
    verdicts = overwritten.verdict[[*OF_ESTIMATORS]]
    assert SUPPORTED not in set(verdicts)
    assert verdicts.to_dict() == of_paper()[noise][[*OF_ESTIMATORS]].to_dict()


def test_where_nothing_ever_correlates_no_claim_on_an_estimator_is_supported():
    def forked(world, fork):
        fork["actual"] = world.noise(*fork["actual"].shape)
        fork["response"] = {name: world.noise(*array.shape) for name, array in fork["response"].items()}

    def used(world, uses):
        uses["actual"] = world.noise(*uses["actual"].shape)

    def left_out(world, left):
        left |= {truth: world.noise(*left[truth].shape) for truth in (RETRAINING, PROXIMAL, MIRROR)}

    def ranked(world, runs):
        runs[:] = [world.noise(*end.shape) for end in runs]

    world = World().but(forked, "forks").but(used, "uses").but(left_out, "left_out").but(ranked, "rankings")
    world.correcting_as(RANDOM)
    verdicts = judged(world, *FORKED, *USED, *LEFT, "trajectory", *TRIED).verdict
    failing = [
        name
        for name, claim in OF_ESTIMATORS.items()
        if claim["table"] != "expansion-summary" and (claim["direction"] == "at most" or claim["column"] == "drop")
    ]
    assert len(failing) >= 8
    assert set(verdicts[failing]) == {VOID}, "failing at what can't be done is no finding"
    rest = [name for name, claim in OF_ESTIMATORS.items() if name not in failing and name in verdicts]
    assert set(verdicts[rest]) <= {VOID, CONTRADICTED}


def both(*names):
    return [f"{name}-{case}" for name in names for case in ("resnet", "bert")]


FADING = [*both("fading"), "fading-resnet-abif", "fading-bert-abif"]
ON_FADING = [*both("horizon-aware"), "fading-is-curvature"]
HALF_GONE = both("half-gone")
AT_ONCE = [*both("use-is-right-at-once", "use-by-abif"), "use-by-ekfac-resnet"]


def shuffled():
    """The truth is that of other test examples."""

    def forked(world, fork):
        fork["actual"] = world.random.permuted(fork["actual"], axis=2)

    def used(world, uses):
        uses["actual"] = world.random.permuted(uses["actual"], axis=2)

    def left_out(world, left):
        order = world.random.permutation(left[RETRAINING].shape[1])
        left |= {truth: left[truth][:, order] for truth in (RETRAINING, PROXIMAL, MIRROR)}

    return World().but(forked, "forks").but(used, "uses").but(left_out, "left_out")


def negated():
    """Estimators say the opposite."""

    def forked(_, fork):
        fork["scores"] |= {name: -fork["scores"][name] for name in RIGHT}

    def used(_, uses):
        uses["predicted"] |= {name: -uses["predicted"][name] for name in AT_ITS_TIME}

    return World().but(forked, "forks").but(used, "uses")


def never_right():
    """Estimators correlate by .1 with the first effect and the last."""

    def forked(world, fork):
        alike = 0.1 * fork["actual"].sum(1)
        fork["scores"] |= {name: alike + np.sqrt(0.98) * world.noise(*alike.shape) for name in RIGHT}

    def used(world, uses):
        alike = 0.1 * uses["actual"].sum(1, keepdims=True)
        said = {name: alike + np.sqrt(0.98) * world.noise(*alike.shape) for name in AT_ITS_TIME}
        uses["predicted"] |= {name: np.broadcast_to(array, uses["actual"].shape) for name, array in said.items()}

    return World().but(forked, "forks").but(used, "uses")


def retrained_uses_do_something_else():
    def used(world, uses):
        uses["retrained"] = near(world.random, uses["actual"], 0.5)

    return World().but(used, "uses")


def curvature_is_not_constant():
    """What is left of a step lasts, whatever its curvature at the fork says of it."""

    def used(world, uses):
        uses["predicted"][ONCE] = world.noise(*uses["actual"].shape)
        uses["forecast"] = dict.fromkeys(uses["forecast"], 1.0)

    return World().but(used, "uses")


def removal_of(name, change):
    """Another world, in which change(world, actual) is what is said of parts left out by one estimator."""

    def removed(world, by_share):
        for actual, forecasts in by_share.values():
            forecasts[name] = change(world, actual)

    return World().but(removed, "removed")


def abif_right_on_leaving_out():
    def left_out(world, left):
        left["scores"]["abif"] = -near(world.random, left[RETRAINING], 0.9)

    return World().but(left_out, "left_out")


def leaving_out_beyond_first_order():
    def left_out(world, left):
        left[MIRROR] = near(world.random, left[RETRAINING], 0.5)

    return World().but(left_out, "left_out")


def damping_mends():
    def left_out(world, left):
        left[RETRAINING] = near(world.random, -left[SOLVED], 0.9)
        left["scores"]["unrolled"] = -near(world.random, left[RETRAINING], 0.99)
        left[MIRROR] = near(world.random, left[RETRAINING], 0.99)

    return World().but(left_out, "left_out")


def trajectory_does_not_matter():
    world = World()
    world.rankings |= {case: world.training_runs(alike=0.98) for case in CASES}
    return world


def trajectory_matters_where_it_cannot():
    world = World()
    world.rankings[CONVEX] = world.training_runs()
    return world


def tracin_exact():
    world = World()
    world.remainders = world.remainders.assign(tracin_remainder=world.remainders.remainder)
    return world


def random_corrects():
    """Random examples correct what influential ones correct."""
    world = World()
    of_abif = world.trials[world.trials.method == "abif"].assign(method=RANDOM)
    world.trials = pd.concat([world.trials[world.trials.method != RANDOM], of_abif], ignore_index=True)
    return world


def corrects_late():
    """Nothing is corrected within the first steps."""
    world = World()
    world.trials.loc[world.trials.step == SOON, "success"] = 0.0
    return world


def relabelling_corrects_nothing():
    world = World()
    world.trials.loc[world.trials.intervention == RELABEL, "success"] = 0.0
    return world


MUTATIONS = {
    "the truth is of other test examples": (
        shuffled,
        (*FORKED, *USED, *LEFT),
        {
            CONTRADICTED: [
                *both("starts-right", "abif-sees-one-step", "abif-is-right"),
                *AT_ONCE,
                *both("use-checked"),
                *both("fading-is-first-order", "leave-one-out-is-first-order"),
                "linear-response-starts-right-diverging",
                "remedy-answers-another-question",
            ],
            VOID: [*FADING, *ON_FADING, *HALF_GONE, *both("leave-one-out"), "remedy-does-not-mend-leave-one-out"],
            SUPPORTED: both("mirrors"),
        },
    ),
    "estimators say the opposite": (
        negated,
        (*FORKED, *USED),
        {
            CONTRADICTED: [*both("starts-right", "abif-sees-one-step", "abif-is-right"), *AT_ONCE],
            VOID: [*FADING, *ON_FADING, *HALF_GONE],
            SUPPORTED: both("fading-is-first-order", "use-checked"),
        },
    ),
    "estimators never were right": (
        never_right,
        (*FORKED, *USED),
        {
            CONTRADICTED: [*both("starts-right", "abif-sees-one-step", "abif-is-right"), *AT_ONCE],
            VOID: [*FADING, *ON_FADING, *HALF_GONE],
            SUPPORTED: both("fading-is-first-order", "use-checked"),
        },
    ),
    "influence does not fade": (
        lambda: World(keeps=STAYS),
        (*FORKED, *USED),
        {
            CONTRADICTED: FADING,
            VOID: [*ON_FADING, *HALF_GONE],
            SUPPORTED: [*both("starts-right", "abif-is-right"), *AT_ONCE, "first-order-breaks-beyond-stability"],
        },
    ),
    "influence fades late": (
        lambda: World(keeps=FADES_LATE),
        (*FORKED, *USED),
        {CONTRADICTED: HALF_GONE, SUPPORTED: [*FADING, *both("horizon-aware")]},
    ),
    "retraining without a use does something else": (
        retrained_uses_do_something_else,
        USED,
        {
            CONTRADICTED: both("use-checked"),
            VOID: [*FADING, *HALF_GONE, *both("half-life-forecast")],
            SUPPORTED: AT_ONCE,
        },
    ),
    "curvature is not constant": (
        curvature_is_not_constant,
        USED,
        {
            CONTRADICTED: both("half-life-forecast", "constant-curvature-remembers"),
            SUPPORTED: [*FADING, *both("use-checked")],
        },
    ),
    "the first order does not say what removal does": (
        lambda: removal_of("unrolled", lambda world, actual: near(world.random, actual, 0.2)),
        REMOVED,
        {
            CONTRADICTED: both("unrolled-predicts-removal"),
            VOID: [
                *both("half-removed-is-beyond-first-order", "source-gains"),
                "ekfac-misses-removal-resnet",
                "another-order-differs-resnet",
            ],
            SUPPORTED: both("random-does-not-predict-removal"),
        },
    ),
    "EK-FAC says what removal does": (
        lambda: removal_of("ekfac", lambda world, actual: near(world.random, actual, 0.9)),
        REMOVED,
        {CONTRADICTED: ["ekfac-misses-removal-resnet"], SUPPORTED: both("source-gains")},
    ),
    "SOURCE says the opposite": (
        lambda: removal_of("source", lambda world, actual: -near(world.random, actual, 0.9)),
        REMOVED,
        {CONTRADICTED: both("source-gains")},
    ),
    "another order does the same": (
        lambda: removal_of(ANOTHER_ORDER, lambda world, actual: near(world.random, actual, 0.9)),
        REMOVED,
        {CONTRADICTED: ["another-order-differs-resnet"]},
    ),
    "another order is compared with other subsets": (
        lambda: removal_of(ANOTHER_ORDER, lambda world, actual: near(world.random, actual, 0)),
        REMOVED,
        {CONTRADICTED: ["another-order-agrees-on-half-resnet"], VOID: ["another-order-differs-resnet"]},
    ),
    "noise says what removal does": (
        lambda: removal_of(RANDOM, lambda world, actual: near(world.random, actual, 0.5)),
        REMOVED,
        {CONTRADICTED: both("random-does-not-predict-removal")},
    ),
    "regimes are swapped": (
        lambda: World().swapped(),
        (*FORKED, *USED, "divergence-summary"),
        {
            CONTRADICTED: [*both("calm-is-calm", "fading-is-first-order"), "edge-is-edge", "beyond-stability"],
            VOID: [*FADING, *both("divergence"), "divergence-beyond-stability", "first-order-breaks-beyond-stability"],
            SUPPORTED: both("starts-right"),
        },
    ),
    "ABIF is right on leaving out": (abif_right_on_leaving_out, LEFT, {CONTRADICTED: both("leave-one-out")}),
    "leaving out is beyond first order": (
        leaving_out_beyond_first_order,
        LEFT,
        {
            CONTRADICTED: both("mirrors"),
            VOID: [*both("leave-one-out-is-first-order", "leave-one-out"), "remedy-does-not-mend-leave-one-out"],
        },
    ),
    "damping mends leaving out": (damping_mends, LEFT, {CONTRADICTED: ["remedy-does-not-mend-leave-one-out"]}),
    "the trajectory does not matter": (
        trajectory_does_not_matter,
        ("trajectory",),
        {CONTRADICTED: ["checkpoint-matters-resnet", "order-matters-resnet"]},
    ),
    "the trajectory matters to convex models": (
        trajectory_matters_where_it_cannot,
        ("trajectory",),
        {
            CONTRADICTED: ["checkpoint-does-not-matter-convex"],
            VOID: ["checkpoint-matters-resnet", "order-matters-resnet"],
        },
    ),
    "TracIn has every term": (tracin_exact, ("expansion-summary",), {CONTRADICTED: ["tracin-lacks-a-term"]}),
    "random examples correct": (
        random_corrects,
        TRIED,
        {
            VOID: both("corrected", "retained", "beats-random", "beats-label"),
            SUPPORTED: both("corrects-soon", "neighbours-correct"),
        },
    ),
    "corrections come late": (
        corrects_late,
        TRIED,
        {
            CONTRADICTED: both("corrects-soon"),
            VOID: both("beats-label", "neighbours-correct"),
            SUPPORTED: both("corrected", "retained", "beats-random"),
        },
    ),
    "relabelling corrects nothing": (
        relabelling_corrects_nothing,
        TRIED,
        {
            CONTRADICTED: both("relabel-corrects"),
            VOID: both("relabel-needs-no-influence"),
            SUPPORTED: both("corrected", "beats-random"),
        },
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_verdicts_turn_with_the_truth(mutation):
    world, names, expected = MUTATIONS[mutation]
    verdicts = judged(world(), *names).verdict
    found = {ended: [name for name in turned if verdicts[name] == ended] for ended, turned in expected.items()}
    assert found == expected


OF_SCALE = {claim["table"] for claim in BY_SCALE} - {"scale"}
NETWORKS = {"resnet16": "resnet", "resnet32": "resnet", "resnet64": "resnet", "minilm": "bert"}
REPEATED = {  # by claim on a larger network, that on the small one
    name: name.replace(network, small)
    for name in (claim["claim"] for claim in BY_SCALE)
    for network, small in NETWORKS.items()
    if name.endswith(network) and not name.startswith("trained-well")
}
WORLDS = {"the paper is right": (World, ())} | {
    name: (world, OF_SCALE & {*of}) for name, (world, of, _) in MUTATIONS.items() if OF_SCALE & {*of}
}


RUNS = {large: CONFIG["definitions"][large]["seeds"] for large in LARGER}


def scaled(world, *names):
    """Tables in which of larger networks, in as many runs as they have, the same is true as of the small ones."""
    made = {}
    for name, frame in world.frames(*names).items():
        theirs = (
            frame[(frame.case == small) & (frame.seed < RUNS[large])].assign(case=large)
            for large, small in LARGER.items()
        )
        made[name] = as_table(name, pd.concat([frame, *theirs]))
    return made


@cache
def scaled_tables():
    """Of the world of the paper."""
    return scaled(World(), *OF_SCALE)


def judged_by_scale(world, *names, accuracy=0.9):
    """All claims on small and larger networks; the tables named alone are the world's own."""
    size = {
        "parameters": 10**6,
        "examples": 60000,
        "batch_size": 32,
        "steps": 3750,
        "epochs": 2.0,
        "test_examples": 1000,
    }
    reached = [(large, run, accuracy + 0.001 * run) for large in LARGER for run in range(RUNS[large])]
    sizes = pd.DataFrame(reached, columns=["case", "seed", "test_accuracy"]).assign(**size)
    made = tables() | scaled_tables() | scaled(world, *names) | {"scale": as_table("scale", sizes)}
    return judge(CLAIMS + BY_SCALE, made).set_index("claim")


@pytest.mark.parametrize("truth", WORLDS)
def test_claims_on_larger_networks_turn_as_those_on_the_small_ones(truth):
    world, names = WORLDS[truth]
    found = judged_by_scale(world(), *names)
    for column in ("verdict", *NOISE):
        expected = found.loc[[*REPEATED.values()], column].set_axis(REPEATED)
        assert found.loc[[*REPEATED], column].to_dict() == expected.to_dict()


def test_half_trained_networks_tell_nothing_of_fading():
    verdicts = judged_by_scale(World(), accuracy=0.7).verdict
    assert set(verdicts[[f"trained-well-{network}" for network in NETWORKS]]) == {CONTRADICTED}
    assert set(verdicts[[f"fading-{network}" for network in NETWORKS]]) == {VOID}
