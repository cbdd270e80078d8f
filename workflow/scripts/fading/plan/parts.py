"""Parts of which a job's settings are made, by name: functions of a plan and of the job's wildcards.

An experiment names in its description the parts that its result depends on, and keys of the configuration such as
assumptions.dampings, which go by their last word.
"""

from fading.influence import ESTIMATORS, OF_THE_STUDY, SHARED
from fading.plan.checks import loss_weight_decay
from fading.plan.plan import Plan


def part(plan: Plan, name: str, wildcards: dict[str, str]) -> dict:
    """The part of that name, or the value at that key."""
    if "." in name:
        return {name.rpartition(".")[2]: at_key(plan, name)}
    return globals()[name](plan, **wildcards)


def at_key(plan: Plan, key: str):
    """What the configuration has at a key such as spectrum.examples."""
    section, name = key.split(".")
    return plan.config[section][name]


def case(plan, case, **_):
    """What it takes to open a case."""
    definition = plan.definition(case)
    return {
        "model": definition["model"],
        "classes": len(plan.dataset(case).labels),
        "measured": definition["examples"]["measured"],
        "weight_decay": loss_weight_decay(definition["training"]),
    }


def double_precision(plan, case, **_):
    """The model in float64: small differences drown in float32's rounding."""
    return {"model": {**plan.definition(case)["model"], "precision": "float64"}}


def labels(plan, case, **_):
    """What the labels mean."""
    return {"labels": list(plan.dataset(case).labels)}


def seed(plan, run, **_):
    """The seed of what is drawn at random, but for the order of examples."""
    return {"seed": plan.seeds_of_runs[run]["seed"]}


def optimizer(plan, case, learning_rate=None, **_):
    """What it takes to train, at another learning rate in a regime."""
    training = plan.definition(case)["training"]
    decoupled = {"decoupled_decay": training["weight_decay"]} if training["optimizer"] == "adamw" else {}
    rate = learning_rate or training["learning_rate"]
    return {"optimizer": training["optimizer"], "learning_rate": rate, **decoupled}


def batch_size(plan, case, **_):
    return {"batch_size": plan.definition(case)["training"]["batch_size"]}


def training_steps(plan, case, **_):
    """How long training takes, and which checkpoints it keeps."""
    return {name: plan.definition(case)["training"][name] for name in ("steps", "checkpoints")}


def last_step(plan, case, **_):
    """The checkpoint after training."""
    return {"step": plan.end(case)}


def onwards(plan, case, **_):
    """Where training goes on from its end, with which batches."""
    return {"from": plan.end(case), **batch_size(plan, case)}


def continuation(plan, case, regime, **_):
    """From which checkpoint a regime continues training, and how."""
    start, rate = (plan.regimes(case)[regime][name] for name in ("from", "learning_rate"))
    return {**optimizer(plan, case, rate), "from": start}


def recorded(plan, case, regime, **_):
    """At which steps of a regime effects are recorded, and its learning rate."""
    rate = plan.regimes(case)[regime]["learning_rate"]
    return {"steps": plan.definition(case)["up_weighting"]["steps"], "learning_rate": rate}


def checkpoints_along_training(plan, case, **_):
    """The start, half-way and the end."""
    return {"checkpoints": plan.along_training(case)}


def later_checkpoints(plan, case, **_):
    """Half-way and the end."""
    return {"checkpoints": plan.along_training(case)[1:]}


def left_out(plan, case, **_):
    """Which examples and groups are left out."""
    return {name: plan.definition(case)["leave_one_out"][name] for name in ("count", "size")}


def proximal(plan, case, **_):
    """For how many of them the proximal response is computed."""
    return {"proximal": plan.definition(case)["leave_one_out"]["proximal"]}


def hessian_examples(plan, **_):
    """Over how many training examples Hessians are the mean."""
    return {"hessian_examples": at_key(plan, OF_THE_STUDY["hessian_examples"])}


def damping(plan, case, **_):
    """λ of a case's matrices."""
    return {"damping": plan.definition(case).get("influence", {}).get("damping", SHARED["damping"]["default"])}


def estimators(plan, case, **_):
    return {"estimators": plan.estimators(case)}


def rankers(plan, case, **_):
    """The estimators that score every training example for what follows a checkpoint."""
    return {"estimators": plan.rankers(case)}


def forward_estimators(plan, case, **_):
    """The estimators that say something of what follows a checkpoint."""
    return {"estimators": plan.forward_estimators(case)}


def whole_run_estimator(plan, case, **_):
    """Which estimator, if any, is the exact first order along the whole run."""
    whole = [
        name
        for name in plan.estimators(case)
        if ESTIMATORS[name].of_the_past
        and ESTIMATORS[name].by_example
        and options(plan, case, name)["window"] == plan.end(case)
    ]
    return {"unrolled": whole[0] if whole else None}


def correction_rates(plan, case, **_):
    """The learning rates of corrections, shares of training's."""
    rate = plan.definition(case)["training"]["learning_rate"]
    shares = plan.config["correction"]["learning_rates"]
    return {"learning_rates": [float(f"{share * rate:.6g}") for share in shares]}


def options(plan: Plan, case: str, estimator: str) -> dict:
    """An estimator's own settings: the case's, else the study's, else the estimator's defaults."""
    description, given = ESTIMATORS[estimator], plan.definition(case).get("influence", {})
    schemas = {name: SHARED.get(name, {}) for name in description.settings} | description.own
    values = {name: schema["default"] for name, schema in schemas.items() if "default" in schema}
    values |= {"window": plan.end(case)} if "window" in schemas else {}
    values |= {name: at_key(plan, OF_THE_STUDY[name]) for name in schemas.keys() & OF_THE_STUDY.keys()}
    return values | {name: given[name] for name in schemas if name in given}
