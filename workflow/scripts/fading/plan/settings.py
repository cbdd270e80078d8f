"""The settings of each rule's jobs: what a result depends on beside what it reads, and no list of cases or seeds.

A function per rule that has settings, of a plan and the job's wildcards.
"""

from fading.data import DATASETS, WEIGHTS
from fading.experiments import EXPERIMENTS
from fading.experiments.correction.names import GRADIENT_DOT
from fading.influence import ESTIMATORS, OF_THE_STUDY, SHARED
from fading.plan.checks import loss_weight_decay
from fading.plan.plan import CHUNK, Plan


def settings(plan: Plan, rule: str, wildcards: dict[str, str]) -> dict:
    """The settings of a job; empty for a rule that has none."""
    if rule.startswith(("table_", "figure_")):
        return _public(plan, rule)
    function = globals().get(rule)
    return function(plan, **wildcards) if function else {}


def _case(plan, case):
    """What it takes to open a case."""
    definition = plan.definition(case)
    return {
        "model": definition["model"],
        "classes": len(plan.dataset(case).labels),
        "measured": definition["examples"]["measured"],
        "weight_decay": loss_weight_decay(definition["training"]),
    }


def _optimizer(plan, case, learning_rate=None):
    """What it takes to train, at another learning rate in a regime."""
    training = plan.definition(case)["training"]
    chosen = {"optimizer": training["optimizer"], "learning_rate": learning_rate or training["learning_rate"]}
    return chosen | ({"decoupled_decay": training["weight_decay"]} if training["optimizer"] == "adamw" else {})


def _seed(plan, run):
    """The seed of what is drawn at random, but for the order of examples."""
    return {"seed": plan.seeds_of_runs[run]["seed"]}


def _order(plan, case, run, start, stop):
    """The order in which steps start to stop − 1 draw examples."""
    definition = plan.definition(case)
    return {
        "examples": definition["examples"]["train"],
        "batch_size": definition["training"]["batch_size"],
        "start": start,
        "stop": stop,
        "seed": plan.seeds_of_runs[run]["order"],
    }


def download(plan, download):
    files = {description.file: name for name, description in (*DATASETS.items(), *WEIGHTS.items())}
    return {"name": files[download]}


def examples(plan, case):
    definition = plan.definition(case)
    counts = {name: count for name, count in definition["examples"].items() if name != "measured"}
    weights = plan.dataset(case).weights
    encoder = {"weights": weights} if weights else {}
    errors = {"classes": len(plan.dataset(case).labels)} if "flipped" in counts else {}
    return {"dataset": definition["dataset"], "kind": definition["model"]["kind"], **counts, **encoder, **errors}


def batches(plan, case, run):
    return _order(plan, case, run, 0, plan.end(case))


def continuation_batches(plan, case, run, regime):
    start = plan.regimes(case)[regime]["from"]
    return _order(plan, case, run, start, start + plan.definition(case)["up_weighting"]["steps"][-1])


def _training(plan, case):
    definition = plan.definition(case)["training"]
    kept = {name: definition[name] for name in ("steps", "checkpoints")}
    return {**_case(plan, case), **_optimizer(plan, case), **kept}


def training(plan, case, run):
    return {**_training(plan, case), **_seed(plan, run)}


def spectrum(plan, case, run, step):
    return {**_case(plan, case), **plan.config["spectrum"], "step": int(step)}


def options(plan: Plan, case: str, estimator: str) -> dict:
    """An estimator's own settings: the case's, else the study's, else the estimator's defaults."""
    description, given = ESTIMATORS[estimator], plan.definition(case).get("influence", {})
    schemas = {name: SHARED.get(name, {}) for name in description.settings} | description.own
    values = {name: schema["default"] for name, schema in schemas.items() if "default" in schema}
    values |= {"window": plan.end(case)} if "window" in schemas else {}
    for name in schemas.keys() & OF_THE_STUDY.keys():
        section, key = OF_THE_STUDY[name].split(".")
        values[name] = plan.config[section][key]
    return values | {name: given[name] for name in schemas if name in given}


def scores(plan, case, run, estimator, step):
    chosen = {"step": int(step), "options": options(plan, case, estimator), **_seed(plan, run)}
    if ESTIMATORS[estimator].by_example:
        forward = not ESTIMATORS[estimator].of_the_past
        chosen["left_out"] = _left_out(plan, case) if plan.leaves_out(case, run) else {}
        chosen["up_weighted"] = plan.definition(case)["up_weighting"]["examples"] if forward else 0
    return {**_case(plan, case), **_optimizer(plan, case), **chosen}


def _left_out(plan, case):
    """Which examples and groups are left out."""
    return {name: plan.definition(case)["leave_one_out"][name] for name in ("count", "size")}


def retraining(plan, case, run, chunk):
    return {**_training(plan, case), **_left_out(plan, case), "chunk": CHUNK}


def damping(plan: Plan, case: str) -> float:
    """λ of a case's matrices."""
    return plan.definition(case).get("influence", {}).get("damping", SHARED["damping"]["default"])


def proximal(plan, case, run):
    return {
        **_case(plan, case),
        **plan.definition(case)["leave_one_out"],
        "step": plan.end(case),
        "damping": damping(plan, case),
        "hessian_examples": plan.config["spectrum"]["examples"],
    }


def _continuation(plan, case, regime):
    """What it takes to continue a case's training in a regime."""
    chosen = plan.regimes(case)[regime]
    return {**_case(plan, case), **_optimizer(plan, case, chosen["learning_rate"]), "from": chosen["from"]}


def up_weighting(plan, case, run, regime, chunk):
    return {**_continuation(plan, case, regime), **plan.definition(case)["up_weighting"], "chunk": CHUNK}


def leave_one_out(plan, case, run):
    """The case's estimators, and which of them, if any, is the linear response along the whole run."""
    names = plan.estimators(case)
    whole = [
        name
        for name in names
        if ESTIMATORS[name].of_the_past
        and ESTIMATORS[name].by_example
        and options(plan, case, name)["window"] == plan.end(case)
    ]
    return {"estimators": names, "unrolled": whole[0] if whole else None, **_seed(plan, run)}


def fading(plan, case, run, regime):
    return {"estimators": plan.forward_estimators(case), **divergence(plan, case, run, regime)}


def divergence(plan, case, run, regime):
    steps, rate = plan.definition(case)["up_weighting"]["steps"], plan.regimes(case)[regime]["learning_rate"]
    return {"steps": steps, "learning_rate": rate, **_seed(plan, run)}


def convexity(plan, case, run):
    return {"checkpoints": plan.along_training(case), **_seed(plan, run)}


def stability(plan, case, run):
    """Which right-hand sides are solved for, and by which grid of solvers."""
    spectrum = plan.config["spectrum"]
    return {
        **_case(plan, case),
        **plan.definition(case)["leave_one_out"],
        **{name: plan.config["assumptions"][name] for name in ("dampings", "scales", "dimension")},
        "step": plan.end(case),
        **{name: spectrum[name] for name in ("krylov", "keep")},
        "hessian_examples": spectrum["examples"],
        **_seed(plan, run),
    }


def trajectory(plan, case, run):
    return {
        "checkpoints": plan.along_training(case)[1:],
        "estimators": plan.config["assumptions"]["estimators"],
    }


def expansion(plan, case, run, regime):
    """Which examples are up-weighted by which ε, and for how long."""
    chosen = {name: plan.config["assumptions"][name] for name in ("examples", "epsilons", "steps")}
    model = {**plan.definition(case)["model"], "precision": "float64"}  # small remainders drown in float32's rounding
    return {**_continuation(plan, case, regime), **chosen, "model": model, **_seed(plan, run)}


def _after_training(plan, case, run):
    """What it takes to go on from the end of a case's training."""
    where = {"from": plan.end(case), "batch_size": plan.definition(case)["training"]["batch_size"]}
    return {**_case(plan, case), **_optimizer(plan, case), **where, **_seed(plan, run)}


def attempts(plan, case, run):
    """Which mis-predictions are corrected, by which methods, with how many examples, steps and learning rates."""
    chosen, rate = plan.config["correction"], plan.definition(case)["training"]["learning_rate"]
    names = ("targets", "examples", "steps", "others", "harmful", "retrained")
    return {
        **_after_training(plan, case, run),
        **{name: chosen[name] for name in names},
        "learning_rates": [float(f"{share * rate:.6g}") for share in chosen["learning_rates"]],
        "estimators": plan.rankers(case),
    }


def gallery(plan, case, run):
    shown = {"targets": 3, "method": GRADIENT_DOT, "labels": list(plan.dataset(case).labels)}
    return {**_after_training(plan, case, run), **shown}


def planted(plan, case, run):
    tried = {"estimators": plan.estimators(case), "recovery": plan.config["correction"]["recovery"]}
    return {**_after_training(plan, case, run), **tried}


def claims(plan):
    return {"claims": plan.claims, "tables": plan.claimed_tables}


def peer(plan, case, run, comparison):
    training, spectrum = plan.definition(case)["training"], plan.config["spectrum"]
    chosen = {name: plan.config["peers"][name] for name in ("train", "hessian_examples", "damping", "repeats")}
    krylov = {name: spectrum[name] for name in ("krylov", "keep")}
    steps = {"step": plan.end(case), "batch_size": training["batch_size"]}
    return {**_case(plan, case), **chosen, **krylov, **steps}


def case_benchmark(plan, case, run):
    chosen = {"step": plan.end(case), "batch_size": plan.definition(case)["training"]["batch_size"]}
    return {**_case(plan, case), **_optimizer(plan, case), **chosen}


def _public(plan, rule):
    """Of a table, what becomes of its frames; of a figure, its topic and what it calls cases and estimators."""
    if rule.startswith("figure_"):
        return {"topic": rule.removeprefix("figure_"), "names": names(plan)}
    tables = {table_rule(table): experiment for table, experiment in plan.tables.items()}
    if rule not in tables:
        return {}
    description = EXPERIMENTS[tables[rule]].tables
    (table,) = (description[name] for name in description if table_rule(name) == rule)
    return {key: value for key, value in table.items() if key != "output"}


def names(plan: Plan) -> dict[str, dict]:
    """What figures call the study's cases and estimators, and their colours."""
    cases = plan.config["definitions"]
    known = {name: ESTIMATORS[name] for case in cases for name in plan.estimators(case)}
    labels = {case: definition["label"] for case, definition in cases.items() if "label" in definition}
    return {
        "labels": labels | {name: description.label for name, description in known.items()},
        "short": {name: description.short or name for name, description in known.items()},
        "colours": {name: known[name].colour for name in known if known[name].colour is not None},
    }


def table_rule(table: str) -> str:
    """The rule that makes a public table."""
    return f"table_{table.replace('-', '_')}"
