"""Configurations that can run, those that can't with the sentence that says why, and claims that a study judges."""

import copy
import json
import random
import re

import pytest
import yaml
from conftest import ROOT
from fading.data.checkpoints import local
from fading.errors import FadingError
from fading.experiments.memory import ONCE
from fading.influence import ESTIMATORS
from fading.models import MODELS
from fading.plan.checks import check
from fading.plan.claims import check_claims, placed, stood_on
from fading.plan.jobs import STUDY, jobs
from fading.plan.plan import Plan, read_plan
from fading.plan.schema import ACCEPTED, claims, configuration
from jsonschema import Draft202012Validator
from snakemake.utils import update_config

DEFAULT = json.loads(json.dumps(yaml.safe_load((ROOT / "config/config.yaml").read_text())))  # nothing shared
CLAIMS = placed(yaml.safe_load((ROOT / "config/claims.yaml").read_text()), DEFAULT["cases"])


def test_the_shipped_configurations_are_valid():
    check(DEFAULT)
    smoke = copy.deepcopy(DEFAULT)
    update_config(smoke, yaml.safe_load((ROOT / "config/smoke.yaml").read_text()))
    check(smoke)
    assert smoke["study"] == "smoke"
    definitions = [smoke["definitions"][case] for case in smoke["cases"]]
    assert {definition["model"]["kind"] for definition in definitions} == {"resnet", "bert", "logistic"} <= set(MODELS)
    compared = [[*one["estimators"], *one.get("removal", {}).get("estimators", [])] for one in definitions]
    assert {name for names in compared for name in names} == set(ESTIMATORS)


def test_a_plan_is_of_the_configuration_as_snakemake_lays_it():
    smoke = copy.deepcopy(DEFAULT)
    update_config(smoke, yaml.safe_load((ROOT / "config/smoke.yaml").read_text()))
    assert read_plan(ROOT, "config/smoke.yaml").config == smoke
    assert read_plan(ROOT, "config/config.yaml").config == DEFAULT


def test_the_doubled_sample_is_that_of_every_claim_that_depends_on_it():
    plan = read_plan(ROOT, "config/doubled-curvature.yaml")
    assert plan.config["spectrum"]["examples"] == 2 * DEFAULT["spectrum"]["examples"]
    networks = [case for case in plan.cases if not case.startswith("logistic")]  # which have all of theirs
    assert {plan.curvature_examples(case) for case in networks} == {plan.config["spectrum"]["examples"]}
    curved = {name for name, one in ESTIMATORS.items() if one.spectrum or "curvature_examples" in one.settings}
    curved |= {ONCE}
    tables = {"convexity-summary", "remedies", "stability-summary", "memory-half-life"}
    dependent = {
        claim["claim"]
        for claim in plan.every_claim
        if claim["case"] in networks and (claim["table"] in tables or curved & set(map(str, claim["where"].values())))
    }
    listed = {claim["claim"]: claim["case"] for claim in plan.claims}
    assert dependent <= set(listed)
    assert set(listed.values()) == set(plan.cases), "no case without a claim, no claim without its case"


def test_what_has_a_default_can_be_left_out():
    config = copy.deepcopy(DEFAULT)
    for case in config["definitions"].values():
        for key in ("label", "seeds", "influence"):
            case.pop(key, None)
    check(config)


def test_the_shipped_claims_are_well_formed_and_of_cases_and_tables_there_are():
    plans = read_plan(ROOT, "config/config.yaml"), read_plan(ROOT, "config/full.yaml")
    for claim in CLAIMS:
        running = [plan for plan in plans if claim["case"] in plan.running]
        assert running, claim["claim"]
        assert any(tells(plan, claim) for plan in running), claim["claim"]


def tells(plan, claim) -> bool:
    """Does the plan measure, of the claim's case, in its regime, by its estimator, what its table is made from?"""
    case, where = claim["case"], claim["where"]
    if case not in plan.cases_of_experiment(plan.tables[claim["table"]]):
        return False
    said = {name for name in (where.get("estimator"), where.get("method")) if name in ESTIMATORS}
    shares = plan.config["removal"]["shares"] if claim["table"].startswith("removal") else [where.get("share")]
    aside = {"horizon", "tracin"}  # which theory and the expansion have by themselves
    return (
        where.get("regime", "calm") in plan.regimes(case)
        and said - aside <= set(plan.ladder(case))
        and where.get("share") in shares
    )


def test_a_study_judges_all_claims_or_those_that_it_names():
    assert Plan(DEFAULT, CLAIMS).claims == CLAIMS
    named = [CLAIMS[7], CLAIMS[2]]
    some = Plan(DEFAULT | {"claims": [claim["claim"] for claim in named]}, CLAIMS)
    assert some.claims == [CLAIMS[2], CLAIMS[7]], "in their own order"
    assert some.claimed_tables == list(dict.fromkeys([CLAIMS[2]["table"], CLAIMS[7]["table"]]))
    none = Plan(DEFAULT | {"claims": []}, CLAIMS)
    assert (none.claims, none.claimed_tables) == ([], [])


def test_what_the_claims_named_stand_on_is_judged_with_them():
    given = {claim["claim"]: set(claim.get("given", [])) for claim in CLAIMS}
    named = next(name for name, others in given.items() if any(given[other] for other in others))
    beneath = set.union(*(given[name] for name in given[named]))
    few = Plan(DEFAULT | {"claims": [named]}, CLAIMS)
    names = [claim["claim"] for claim in few.claims]
    assert {named, *given[named], *beneath} <= set(names)
    assert all(given[name] <= set(names) for name in names)
    assert names == [name for name in given if name in names], "in their own order"
    assert set(few.claimed_tables) == {claim["table"] for claim in few.claims}
    assert stood_on(CLAIMS, [named]) == set(names)


def chain(given: dict[str, list[str]]) -> list[dict]:
    """Claims with these names that stand on each other so."""
    claims = [{key: value for key, value in CLAIMS[0].items() if key != "given"} | {"claim": name} for name in given]
    return [claim | ({"given": given[claim["claim"]]} if given[claim["claim"]] else {}) for claim in claims]


def test_a_claim_that_may_be_tested_on_several_cases_is_on_the_first_that_the_study_has():
    claim = CLAIMS[0] | {"case": ["resnet-fashion", "bert-reviews"]}
    for cases, case in (
        (["bert-reviews", "resnet-fashion"], "resnet-fashion"),
        (["bert-reviews"], "bert-reviews"),
        (["logistic-fashion"], "bert-reviews"),
    ):
        assert placed([claim], cases) == [claim | {"case": case}]
    full = read_plan(ROOT, "config/full.yaml")
    cases = {claim["claim"]: claim["case"] for claim in full.claims}
    assert cases["leave-one-out-resnet"] == cases["leave-one-out-is-first-order-resnet"] == "resnet-short-fashion"


def test_claims_stand_on_claims_that_there_are_and_not_on_themselves():
    check_claims(chain({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}), DEFAULT | {"claims": ["a"]})
    for given, message in (
        ({"a": ["b"], "c": []}, "config/claims.yaml: a: given: found b; config/claims.yaml has a, c"),
        ({"a": ["a"]}, "config/claims.yaml: a: given leads back to itself: a, a"),
        (
            {"d": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]},
            "config/claims.yaml: a: given leads back to itself: d, a, b, c, a",
        ),
        ({"a": ["b", "b"], "b": []}, "0.given: found ['b', 'b']; accepted is a list without repetition"),
    ):
        with pytest.raises(FadingError) as raised:
            check_claims(chain(given), DEFAULT | {"claims": [next(iter(given))]})
        assert message in str(raised.value)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"direction": "about"}, "0.direction: found 'about'; accepted is one of at least, at most"),
        ({"knowing": "all"}, "0.knowing: found 'all'; accepted is one of nothing, prototypes, earlier results"),
        ({"given": []}, "0.given: found ..; accepted is a list of at least 1"),
        ({"threshold": "half"}, "0.threshold: found 'half'; accepted is a finite number"),
        ({"case": "vit"}, f"config/claims.yaml: {CLAIMS[0]['claim']}: case: found vit; defined are resnet-fashion"),
        ({"case": ["resnet-fashion"]}, r"config/claims.yaml.0.case: found \['resnet-fashion'\]; accepted is"),
        ({"case": ["resnet-fashion", "vit"]}, f"{CLAIMS[0]['claim']}: case: found vit; defined are resnet-fashion"),
        ({"table": "lo-summary"}, f"config/claims.yaml: {CLAIMS[0]['claim']}: table: found lo-summary; tables are"),
        ({"claim": CLAIMS[1]["claim"]}, f"has the claim {CLAIMS[1]['claim']} twice"),
        ({"verdict": "supported"}, "0 has the unknown key 'verdict'"),
    ],
)
def test_a_bad_claim_is_one_sentence(change, message):
    with pytest.raises(FadingError, match=message):
        check_claims([CLAIMS[0] | change, *CLAIMS[1:]], DEFAULT)


RESNET, BERT = "definitions.resnet-fashion", "definitions.bert-reviews"
CASE = DEFAULT["definitions"]["resnet-fashion"]
END = CASE["training"]["steps"]
AGES = ", ".join(map(str, DEFAULT["memory"]["ages"]))
BIG = {
    **{"kind": "torchvision", "name": "resnet18", "norm": "group"},
    **{"activation": "gelu", "stem": "small", "precision": "float32"},
}
LARGE = {"kind": "transformers", "checkpoint": "minilm", "train": "all", "precision": "float32"}
HUB = {"hub": "owner/name", "revision": 40 * "0", "sha256": 64 * "0"}
WRONG = [
    ("cases", ["resnet"], "cases: found resnet; defined are resnet-fashion"),
    ("speed", 3, "the configuration has the unknown key 'speed'; accepted are study, seeds, cases"),
    (f"{RESNET}.training.momentum", 0.9, f"{RESNET}.training has the unknown key 'momentum'; accepted are optimizer"),
    (f"{RESNET}.training.optimizer", "adam", "optimizer: found 'adam'; accepted is one of sgd, momentum, adamw"),
    (
        RESNET,
        CASE | {"training": CASE["training"] | {"optimizer": "adamw"}, "estimators": ["horizon"]},
        "estimators: horizon is for sgd; training.optimizer is adamw",
    ),
    (f"{RESNET}.model.depth", 3, f"{RESNET}.model has the unknown key 'depth'; accepted are kind"),
    (f"{RESNET}.dataset", "cifar", f"{RESNET}.dataset: found 'cifar'; accepted is one of anli, cifar10, fashion-mnist"),
    (f"{RESNET}.model.kind", "vit", f"{RESNET}.model.kind: found 'vit'; accepted is one of bert, logistic, resnet"),
    (f"{RESNET}.dataset", "movie-reviews", "found resnet; movie-reviews goes with bert, logistic"),
    (f"{BERT}.model.width", 8, f"{BERT}.model has the unknown key 'width'; accepted are kind, precision."),
    (f"{RESNET}.model", BIG | {"norm": "batch"}, "model.norm: found 'batch'; accepted is one of group, frozen-batch"),
    (f"{RESNET}.model", BIG | {"activation": "tanh"}, "found 'tanh'; accepted is one of gelu, relu, silu"),
    (f"{RESNET}.model", {key: BIG[key] for key in ("kind", "name", "precision")}, "lacks norm, activation, stem"),
    (f"{RESNET}.model", BIG | {"width": 8}, "has the unknown key 'width'; accepted are kind, precision, name, norm"),
    (f"{RESNET}.model", BIG | {"checkpoint": "minilm"}, "checkpoint: found 'minilm'; accepted is a mapping"),
    (f"{RESNET}.model", BIG | {"checkpoint": {}}, "model.checkpoint lacks file"),
    (f"{RESNET}.model", BIG | {"checkpoint": {"file": "a.pth"}}, "found 'a.pth'; accepted is a .safetensors file"),
    (f"{RESNET}.model.activation", "silu", "activation: found 'silu'; accepted is one of gelu, relu."),
    (f"{BERT}.model", LARGE | {"train": "last-0"}, "train: found 'last-0'; accepted is all, head, or last- with a"),
    (f"{BERT}.model", LARGE | {"checkpoint": "bert-base"}, "found 'bert-base'; accepted is one of minilm"),
    (f"{BERT}.model", LARGE | {"checkpoint": {"folder": ""}}, "folder: found ''; accepted is text that is not empty"),
    (f"{BERT}.model", LARGE | {"checkpoint": HUB | {"hub": "bert"}}, "found 'bert'; accepted is an owner and a name"),
    (f"{BERT}.model", LARGE | {"checkpoint": HUB | {"revision": "main"}}, "accepted is 40 hexadecimal digits"),
    (f"{BERT}.model", LARGE | {"checkpoint": {"hub": "a/b"}}, "checkpoint lacks revision, sha256"),
    (f"{BERT}.model", LARGE | {"checkpoint": {"file": "a"}}, "model.checkpoint"),
    (f"{RESNET}.model", LARGE, "found transformers; fashion-mnist goes with"),
    (f"{RESNET}.training.steps", 110.0, "steps: found 110.0; accepted is an integer"),
    (f"{RESNET}.training.steps", 60, "found 60; accepted is at least 94, one epoch"),
    (f"{RESNET}.training.learning_rate", float("nan"), "learning_rate: found nan; accepted is a finite number"),
    (f"{RESNET}.training.steps", 0, "steps: found 0; accepted is at least 1"),
    (f"{RESNET}.training.learning_rate", "fast", "found 'fast'; accepted is a finite number"),
    (f"{RESNET}.training.checkpoints", [0, 31, 400], f"found 400; accepted is at most {END}, training.steps"),
    (f"{RESNET}.training.checkpoints", [0, 31, 63], "which must hold the first and last step"),
    (
        f"{RESNET}.regimes",
        [{"name": "a", "from": 50, "learning_rate": 0.1}],
        "regimes: a from: found 50; checkpoints are",
    ),
    (f"{RESNET}.regimes", [{"name": "a", "from": 0, "learning_rate": 1}] * 2, "one name twice: a, a"),
    (f"{RESNET}.examples.train", 70_000, "found 70000; accepted is at most 60000, all of fashion-mnist"),
    (f"{BERT}.examples.test", 9_100, "found 11100; accepted is at most 10043, all of movie-reviews"),
    (f"{RESNET}.examples.measured", 1001, "found 1001; accepted is at most 1000"),
    (f"{RESNET}.training.batch_size", 5000, "found 5000; accepted is at most 3000, examples.train"),
    (
        f"{RESNET}.up_weighting.examples",
        33,
        "regimes: calm, up_weighting.examples: found 33; accepted is at most 32, the size",
    ),
    (f"{RESNET}.training.checkpoints", [0, 110], "checkpoints: found [0, 110]; accepted is a list of at least 3"),
    (f"{RESNET}.training.checkpoints", [0, 63, 31, 110], "training.checkpoints must ascend; found [0, 63, 31, 110]"),
    (f"{RESNET}.seeds", 6, f"{RESNET}.seeds: found 6; accepted is at most 5, the number of seeds"),
    ("assumptions.cases", ["vit"], "assumptions.cases: found vit; defined are resnet-fashion"),
    (
        "assumptions.estimators",
        ["tracin"],
        "assumptions.estimators: found tracin; rankings of resnet-fashion are gradient-dot, abif",
    ),
    ("assumptions.steps", 31, "assumptions.steps: found 31; accepted is at most 30, the last of"),
    ("assumptions.examples", 5, "assumptions.examples: found 5; accepted is at most 4"),
    ("assumptions.epsilons", [1], "assumptions.epsilons: found [1]; accepted is a list of at least 2"),
    (f"{RESNET}.up_weighting.steps", [5, 2], "must ascend; found [5, 2]"),
    (f"{RESNET}.up_weighting.epsilon", 0, "epsilon: found 0, which changes nothing; any other is accepted"),
    (f"{RESNET}.leave_one_out.count", 4001, "found 4001; accepted is at most 3000"),
    (f"{RESNET}.leave_one_out.twice", 11, "leave_one_out.twice: found 11; accepted is at most 10, count"),
    (f"{RESNET}.leave_one_out.twice", 1, "leave_one_out.twice: found 1; accepted is at least 2"),
    (f"{RESNET}.leave_one_out.size", 7, "leave_one_out.size: found 7; accepted is at most 6, twice"),
    (f"{RESNET}.leave_one_out.proximal", 11, "leave_one_out.proximal: found 11; accepted is at most 10, count"),
    (f"{RESNET}.leave_one_out", {"count": 8, "size": 2, "proximal": 2}, f"{RESNET}.leave_one_out lacks twice"),
    (f"{RESNET}.estimators", ["tracing"], "found tracing; known are abif, cg, datainf, ekfac, exact, gradient-cosine"),
    (
        f"{RESNET}.influence.damping",
        0,
        "influence.damping: found 0; accepted is more where the loss has no weight decay",
    ),
    (f"{RESNET}.influence.damping", -1, "damping: found -1; accepted is at least 0"),
    ("definitions.logistic-fashion.training.optimizer", "adamw", "accepted is more where the loss has no weight decay"),
    (f"{RESNET}.influence.tolerance", 0, "tolerance: found 0; accepted is more than 0"),
    (
        f"{RESNET}.influence.window",
        END + 1,
        f"influence.window: found {END + 1}; accepted is at most {END}, training.steps",
    ),
    (f"{RESNET}.influence.window", 0, "influence.window: found 0; accepted is at least 1"),
    (f"{RESNET}.influence.tests", 65, "influence.tests: found 65; accepted is at most 64, examples.measured"),
    (f"{RESNET}.influence.tests", 1, "influence.tests: found 1; accepted is at least 2"),
    (
        f"{RESNET}.training.warm_up",
        END,
        f"warm_up: found {END}; accepted is at most {END - 1}, less than training.steps",
    ),
    (f"{RESNET}.training.warm_up", 0, "warm_up: found 0; accepted is at least 1"),
    (f"{RESNET}.training.decay", "cosine", "decay: found 'cosine'; accepted is one of linear"),
    (
        f"{RESNET}.influence.horizon",
        110,
        f"{RESNET}.influence has the unknown key 'horizon'; accepted are curvature, curvature_examples, damping, iter",
    ),
    (
        f"{RESNET}.influence.curvature_examples",
        3001,
        f"{RESNET}.influence.curvature_examples: found 3001; accepted is at most 3000, {RESNET}.examples.train",
    ),
    (f"{RESNET}.influence.curvature_examples", 0, "influence.curvature_examples: found 0; accepted is at least 1"),
    (f"{RESNET}.influence.scale", 0, f"{RESNET}.influence.scale: found 0; accepted is more than 0"),
    (f"{RESNET}.influence.iterations", 2.5, "influence.iterations: found 2.5; accepted is an integer"),
    (f"{RESNET}.label", 3, f"{RESNET}.label: found 3; accepted is text"),
    ("claims", ["nonsense"], f"claims: found nonsense; config/claims.yaml has {CLAIMS[0]['claim']}, "),
    ("claims", "some", "claims: found 'some'; accepted is one of all"),
    ("claims", 3, "claims: found 3; accepted is a list"),
    ("claims", [CLAIMS[0]["claim"]] * 2, "accepted is a list without repetition"),
    ("definitions.Upper", {}, "definitions: found 'Upper'; accepted is small letters"),
    (f"{RESNET}.influence.curvature", "fisher", "found 'fisher'; accepted is one of hessian, gauss-newton"),
    ("peers.cases", ["vit"], "peers.cases: found vit; defined are resnet-fashion"),
    ("peers.hessian_examples", 601, "peers.hessian_examples: found 601; accepted is at most 600, peers.train"),
    ("spectrum.keep", 31, "spectrum.keep: found 31; accepted is at most 30, spectrum.krylov"),
    ("spectrum.examples", 2001, f"spectrum.examples: found 2001; accepted is at most 2000, {BERT}.examples.train"),
    (f"{RESNET}.examples.tokens", 9, "examples has the key 'tokens', which only sentences take"),
    (
        "definitions.logistic-fashion.training.weight_decay",
        0,
        "damping: found 0; accepted is more where the loss has no weight decay",
    ),
    (f"{RESNET}.estimators", ["exact"], "exact builds the whole Hessian; accepted is abif, cg or minres for a resnet"),
    (f"{RESNET}.model", {"kind": "resnet"}, f"{RESNET}.model lacks width, activation"),
    (f"{RESNET}.model", {"precision": "float32"}, f"{RESNET}.model lacks kind"),
    (f"{BERT}.model", {"kind": "bert"}, f"{BERT}.model lacks precision"),
    (RESNET, {"dataset": "fashion-mnist"}, f"{RESNET} lacks model, examples, training, regimes"),
    ("seeds", 3, "seeds: found 3; accepted is a list"),
    ("seeds", [1, 1], "seeds: found [1, 1]; accepted is a list without repetition"),
    (f"{RESNET}.model.width", 6, "width: found 6; accepted is a multiple of 4"),
    ("study", "reference", "study: found reference, which names the committed results"),
    ("study", "../elsewhere", "study: found '../elsewhere'; accepted is small letters"),
    ("seeds", [], "seeds: found []; accepted is a list of at least 1"),
    ("correction.cases", ["vit"], "correction.cases: found vit; defined are resnet-fashion"),
    (
        "correction.cases",
        ["resnet-planted"],
        "correction.cases: found resnet-planted; accepted are some of the study's",
    ),
    (
        "correction.planted",
        ["bert-reviews"],
        "correction.planted: found bert-reviews; accepted are cases with examples.",
    ),
    ("correction.planted", [], "correction.planted: found []; accepted is a list of at least 1"),
    ("correction.steps", [20, 1], "correction.steps must ascend; found [20, 1]"),
    (
        "correction.others",
        1001,
        "correction.others: found 1001; accepted is at most 1000, definitions.resnet-fashion.examples",
    ),
    ("correction.examples", [10, 2001], "correction.examples: found 2001; accepted is at most 2000"),
    (
        "correction.harmful",
        ["cg"],
        "correction.harmful: found cg; rankings of resnet-fashion are gradient-dot, abif, ",
    ),
    (
        f"{RESNET}.estimators",
        ["abif", "gradient-dot", "unrolled", "ekfac", "nearest-neighbours"],
        "estimators lacks random, which a correction compares with.",
    ),
    ("memory.cases", ["vit"], "memory.cases: found vit; defined are resnet-fashion"),
    ("memory.cases", ["bert-planted"], "memory.cases: found bert-planted; accepted are some of the study's cases, re"),
    ("memory.ages", [1, 4, 2, 5, 20], "memory.ages: found [1, 4, 2, 5, 20]; accepted are ages that ascend from 1"),
    ("memory.ages", [2, 5, 20], "memory.ages: found [2, 5, 20]; accepted are ages that ascend from 1"),
    ("memory.checked", [2, 6], f"memory.checked: found 6; memory.ages are {AGES}"),
    (
        "definitions.logistic-fashion.examples.candidates",
        599,
        "logistic-fashion.examples.candidates: found 599; accepted are at least 600, as many as the 1 steps after",
    ),
    (f"{RESNET}.examples.candidates", 3001, f"{RESNET}.examples.candidates: found 3001; accepted is at most 3000"),
    (
        f"{RESNET}.examples.candidates",
        959,
        f"{RESNET}.examples.candidates: found 959; accepted are at least 960, as many as the 30 steps after",
    ),
    (
        "definitions.resnet-planted.examples.candidates",
        1184,
        "candidates: found 1184 beside flipped: all are suspected of a wrong label; accepted is one of the two.",
    ),
    (
        RESNET,
        CASE
        | {"examples": CASE["examples"] | {"candidates": 1184}}
        | {"regimes": [*CASE["regimes"], {"name": "early", "from": 141, "learning_rate": 1}]},
        f"{RESNET}.regimes: early from: found 141; accepted beside candidates is {END}, the end.",
    ),
    (
        RESNET,
        {key: value for key, value in CASE.items() if key != "leave_one_out"},
        f"{RESNET} has no key 'leave_one_out', which assumptions.cases needs.",
    ),
    (
        f"{RESNET}.regimes",
        [{"name": "calm", "from": 141, "learning_rate": 0.02}, {"name": "b", "from": END, "learning_rate": 1}],
        f"{RESNET}.regimes: found the first from 141; memory needs one from {END}, the end.",
    ),
    ("removal.cases", ["vit"], "removal.cases: found vit; defined are resnet-fashion"),
    ("removal.cases", ["bert-planted"], "removal.cases: found bert-planted; accepted are some of the study's cases"),
    (
        "removal.cases",
        ["logistic-fashion"],
        "definitions.logistic-fashion has no key 'removal', which removal.cases needs: its subsets and again.",
    ),
    ("removal.shares", [0.5, 0.01], "removal.shares must ascend; found [0.5, 0.01]"),
    (
        "removal.shares",
        [0.0001],
        "removal.shares: found [0.0001], of 3000 examples of resnet-fashion [0]; accepted are",
    ),
    (
        "removal.shares",
        [0.5, 0.9999],
        "of 3000 examples of resnet-fashion [1500, 3000]; accepted are shares that leave",
    ),
    ("removal.shares", [0.01, 0.0101], "of 3000 examples of resnet-fashion [30, 30]; accepted are"),
    ("removal.shares", [0.5, 1], "removal.shares.1: found 1; accepted is less than 1"),
    ("removal.counts", [150, 30], "removal.counts must ascend; found [150, 30]"),
    (
        "removal.counts",
        [30, 3000],
        f"removal.counts: found 3000; accepted is at most 2999, fewer than {RESNET}.examples.train",
    ),
    ("removal.flipped", ["logistic-fashion"], "removal.flipped: found logistic-fashion; removal.cases are resnet-fash"),
    ("removal.flipped", [], "removal.flipped: found []; accepted is a list of at least 1"),
    (
        f"{RESNET}.estimators",
        ["gradient-dot", "abif", "unrolled", "ekfac"],
        "removal.rankings: found label-neighbours; rankings of resnet-fashion are gradient-dot, abif, unrolled, ekfac",
    ),
    (
        "removal.rankings",
        ["cosine"],
        "removal.rankings: found cosine; rankings of resnet-fashion are gradient-dot, abif",
    ),
    (f"{RESNET}.removal.again", 11, f"{RESNET}.removal.again: found 11; accepted is at most 10, subsets"),
    (f"{RESNET}.removal.subsets", 2, f"{RESNET}.removal.subsets: found 2; accepted is at least 3"),
    (f"{RESNET}.removal.estimators", ["tracing"], f"{RESNET}.removal.estimators: found tracing; known are abif, cg"),
    ("definitions.resnet-planted.examples.flipped", 1.0e-5, "flipped: found 1e-05; accepted is a share that makes an"),
    ("definitions.resnet-planted.examples.measured", 1000, "measured: found 1000; accepted is at most 999, fewer than"),
    ("definitions.resnet-planted.examples.flipped", 0.6, "flipped: found 0.6; accepted is at most 0.5"),
    ("seeds", [2**64], f"seeds.0: found {2**64}; accepted is at most 1000000000"),
    ("spectrum.examples", 10**12, "spectrum.examples: found 1000000000000; accepted is at most 1000000000"),
    (f"{RESNET}.training.learning_rate", 1e308, "learning_rate: found 1e+308; accepted is at most 1000000"),
    (f"{RESNET}.training.learning_rate", float("inf"), "learning_rate: found inf; accepted is a finite number"),
    (f"{RESNET}.training.weight_decay", -1e-3, "weight_decay: found -0.001; accepted is at least 0"),
    (f"{RESNET}.model.width", 4 * 10**9, "width: found 4000000000; accepted is at most 1000000000"),
    (f"{RESNET}.influence.damping", 1e7, "damping: found 10000000.0; accepted is at most 1000000"),
    (f"{RESNET}.seeds", True, "seeds: found True; accepted is an integer"),
    ("study", "mine\n", "study: found 'mine\\n'; accepted is small letters"),
    ("study", 65 * "a", "; accepted is text of at most 64 characters"),
    ("study", "", "study: found ''; accepted is small letters"),
    ("study", None, "study: found None; accepted is text"),
    ("study", 3, "study: found 3; accepted is text"),
    ("definitions.mine\n", {}, "definitions: found 'mine\\n'; accepted is small letters"),
    ("definitions.logs", DEFAULT["definitions"]["resnet-fashion"], "found logs, a folder of every study; any other"),
    ("definitions.tables", DEFAULT["definitions"]["resnet-fashion"], "found tables, a folder of every study"),
    ("definitions.figures", DEFAULT["definitions"]["resnet-fashion"], "found figures, a folder of every study"),
    ("definitions.times", DEFAULT["definitions"]["resnet-fashion"], "found times, a folder of every study"),
    (f"definitions.{65 * 'a'}", {}, "accepted is text of at most 64 characters"),
    (f"{RESNET}.regimes", [{"name": "a\n", "from": 0, "learning_rate": 1}], "accepted is small letters"),
    (f"{RESNET}.regimes", [], f"{RESNET}.regimes: found []; accepted is a list of at least 1"),
    (f"{RESNET}.regimes", None, f"{RESNET}.regimes: found None; accepted is a list"),
    ("definitions", [], "definitions: found []; accepted is a mapping"),
    ("removal.shares", [0.5, 1.5], "removal.shares.1: found 1.5; accepted is less than 1"),
]


@pytest.mark.parametrize(("key", "value", "sentence"), WRONG)
def test_one_sentence_names_the_key_what_was_found_and_what_is_accepted(key, value, sentence):
    config = copy.deepcopy(DEFAULT)
    *path, last = key.split(".")
    place = config
    for part in path:
        place = place.setdefault(part, {})
    place[last] = value
    with pytest.raises(FadingError) as raised:
        Plan(config, CLAIMS)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def leaves(value, path=()):
    """The places in a configuration that hold no mapping, and in lists their first."""
    if isinstance(value, dict):
        for key in value:
            yield from leaves(value[key], (*path, key))
        return
    yield path
    if isinstance(value, list) and value:
        yield from leaves(value[0], (*path, 0))


def test_whatever_stands_anywhere_is_taken_or_refused_in_one_sentence():
    strange = [None, True, -1, 0, 1, 3.5, 1e308, 2**64, float("nan"), "", "a\n", "\x1b[2J", "é", [], [[]], {}, {"a": 1}]
    places = [(path, value) for path in leaves(DEFAULT) for value in strange]
    refused = 0
    for path, value in random.Random(0).sample(places, 600):
        config = copy.deepcopy(DEFAULT)
        place = config
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value
        try:
            Plan(config, CLAIMS)
        except FadingError as error:
            assert str(error).isprintable(), error
            refused += 1
    assert refused > 400


OWN = {"kind": "files", "train": "a/train.safetensors", "test": "b/test.safetensors", "labels": ["x", "y"]}


def own_data(case: str, **changed) -> dict:
    """The default configuration, where a case brings its own files."""
    config = copy.deepcopy(DEFAULT)
    config["definitions"][case]["dataset"] = {**OWN, "holds": "images", **changed}
    return config


@pytest.mark.parametrize(
    ("case", "holds", "suffix"),
    [
        ("resnet-fashion", "images", "safetensors"),
        ("logistic-fashion", "features", "safetensors"),
        ("logistic-reviews", "sentences", "parquet"),
        ("bert-reviews", "sentences", "parquet"),
    ],
)
def test_files_of_the_users_own_go_with_what_takes_them(case, holds, suffix):
    paths = {split: f"{split}.{suffix}" for split in ("train", "test")}
    config = own_data(case, holds=holds, labels=["x", "y", "z"], **paths)
    plan = Plan(config | {"cases": [*dict.fromkeys([*config["cases"], case])]}, CLAIMS)
    described = plan.dataset(case)
    assert (described.labels, described.train, described.sentences) == (("x", "y", "z"), None, holds == "sentences")
    (source,) = (job for job in jobs(plan, "crate") if job.rule == "source")
    assert source.wildcards == {"case": case, "format": suffix}
    assert source.given == tuple(paths.values())
    assert source.settings == {"dataset": plan.definition(case)["dataset"]}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"kind": "file"}, "kind: found 'file'; accepted is one of files"),
        ({"holds": "words"}, "holds: found 'words'; accepted is one of images, features, sentences"),
        ({"path": "a"}, "dataset has the unknown key 'path'; accepted are kind, train, test, labels, holds"),
        ({"train": ""}, "train: found ''; accepted is text that is not empty"),
        ({"train": "a.npy"}, "train: found a.npy; accepted is a .safetensors file of images"),
        ({"test": "a.pt"}, "test: found a.pt; accepted is a .safetensors file of images"),
        ({"test": OWN["train"]}, "test: found a/train.safetensors, which is train's; accepted is another file"),
        ({"labels": ["x"]}, "labels: found ['x']; accepted is a list of at least 2"),
        ({"labels": ["x", "x"]}, "labels: found ['x', 'x']; accepted is a list without repetition"),
        ({"holds": "features"}, "found resnet; the data in a/train.safetensors goes with "),
    ],
)
def test_files_that_could_not_be_read_are_a_sentence(changed, sentence):
    with pytest.raises(FadingError) as raised:
        Plan(own_data("resnet-fashion", **changed), CLAIMS)
    assert sentence in str(raised.value)
    assert str(raised.value).startswith(f"{RESNET}.")
    assert "\n" not in str(raised.value)


def test_what_files_hold_says_whether_word_pieces_are_counted():
    paths = {"holds": "sentences", "train": "a.parquet", "test": "b.parquet"}
    config = own_data("bert-reviews", **paths)
    del config["definitions"]["bert-reviews"]["examples"]["tokens"]
    with pytest.raises(FadingError, match="has no key 'tokens'; sentences need"):
        check(config)
    config = own_data("resnet-fashion")
    config["definitions"]["resnet-fashion"]["examples"]["tokens"] = 8
    with pytest.raises(
        FadingError, match="'tokens', which only sentences take; the data in a/train.safetensors has none"
    ):
        check(config)
    config = own_data("resnet-fashion")
    del config["definitions"]["resnet-fashion"]["dataset"]["labels"]
    with pytest.raises(FadingError, match="dataset lacks labels, which a study must give"):
        check(config)


@pytest.mark.parametrize(
    ("case", "model"),
    [
        ("resnet-fashion", BIG),
        ("resnet-fashion", BIG | {"norm": "frozen-batch", "checkpoint": {"file": "weights/resnet18.safetensors"}}),
        ("bert-reviews", LARGE | {"train": "last-2"}),
        ("bert-reviews", LARGE | {"train": "head", "checkpoint": {"folder": "/models/mine"}}),
        ("bert-reviews", LARGE | {"checkpoint": HUB}),
    ],
)
def test_models_by_name_and_where_they_start_from(case, model):
    config = copy.deepcopy(DEFAULT)
    config["definitions"][case]["model"] = model
    plan = Plan(config, CLAIMS)
    planned = {job.name: job for job in jobs(plan, STUDY)}
    read = {need.rule: need for need in planned[f"training {case} 0"].reads}
    own = isinstance(model.get("checkpoint"), dict)
    assert ("pretrained" in read) == own
    assert ("download" in read) == (model.get("checkpoint") == "minilm")
    assert planned[f"examples {case}"].settings["model"] == model
    if own:
        assert planned[f"pretrained {case}"].settings == {"checkpoint": model["checkpoint"]}
        assert planned[f"pretrained {case}"].given == tuple(local(model["checkpoint"]))
        assert read["pretrained"] in planned[f"examples {case}"].reads


def test_a_regime_from_an_epochs_short_last_batch_can_change_no_more_than_that_holds():
    config = copy.deepcopy(DEFAULT)
    bert = config["definitions"]["bert-reviews"]
    bert["training"]["checkpoints"] = [0, 62, 126]  # of 63 steps of an epoch the last draws 16
    bert["regimes"] = [{"name": "calm", "from": 126, "learning_rate": 0.1}]
    bert["regimes"] += [{"name": "short", "from": 62, "learning_rate": 0.1}]
    bert["up_weighting"]["examples"] = 16
    check(config)
    bert["up_weighting"]["examples"] = 17
    with pytest.raises(FadingError, match="short, up_weighting.examples: found 17; accepted is at most 16"):
        check(config)


def test_every_constraint_of_the_schema_has_its_words():
    constraints = set()

    def walk(schema):
        if isinstance(schema, dict):
            constraints.update(schema)
            schema = [value for key, value in schema.items() if key != "if"]
        if isinstance(schema, list):
            for part in schema:
                walk(part)

    walk(configuration())
    walk(claims())
    known = set(Draft202012Validator.VALIDATORS) - {"$ref", "properties", "items", "propertyNames", "if", "allOf"}
    assert constraints & known <= set(ACCEPTED) | {"additionalProperties", "required"}


def test_the_example_in_the_readme_is_valid():
    (example,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "config/README.md").read_text(), re.DOTALL)
    config = copy.deepcopy(DEFAULT)
    update_config(config, yaml.safe_load(example))
    check(config)
    assert config["study"] == "wide"
