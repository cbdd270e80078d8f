"""The settings of each rule's jobs: what a result depends on beside what it reads, and no list of cases or seeds.

A function per rule that every study has, of a plan and the job's wildcards; experiments name the parts of theirs.
"""

from collections.abc import Callable

from fading.data import DATASETS, WEIGHTS
from fading.experiments import EXPERIMENTS
from fading.influence import ESTIMATORS
from fading.plan import parts
from fading.plan.naming import table_rule
from fading.plan.plan import CHUNK, REMOVALS, Plan

RULES: dict[str, Callable[..., dict]] = {}


def rule(function: Callable[..., dict]) -> Callable[..., dict]:
    """Make it known by its name."""
    RULES[function.__name__] = function
    return function


def settings(plan: Plan, rule: str, wildcards: dict[str, str]) -> dict:
    """The settings of a job; empty for a rule that has none."""
    if rule in EXPERIMENTS:
        return parts.made_of(plan, EXPERIMENTS[rule].settings, wildcards)
    if rule.startswith("table_"):
        return _table(plan, rule)
    if rule.startswith("figure_"):
        return {"names": names(plan)}
    return RULES[rule](plan, **wildcards) if rule in RULES else {}


@rule
def download(plan, download):
    files = {description.file: name for name, description in (*DATASETS.items(), *WEIGHTS.items())}
    return {"name": files[download]}


@rule
def source(plan, case, **_):
    return {"dataset": plan.definition(case)["dataset"]}


@rule
def examples(plan, case):
    definition = plan.definition(case)
    when_opened = ("measured", "candidates", "flipped")
    counts = {name: count for name, count in definition["examples"].items() if name not in when_opened}
    encoder = {"weights": plan.encoder(case)} if plan.encoder(case) else {}
    model = {"model": definition["model"]} if plan.model(case).frozen else {}
    return {"dataset": definition["dataset"], "takes": plan.model(case).takes, **counts, **encoder, **model}


@rule
def pretrained(plan, case):
    return {"checkpoint": plan.checkpoint(case)}


def _order(plan, case, run, start, stop):
    """The order in which steps start to stop − 1 draw examples."""
    count = plan.definition(case)["examples"]["train"]
    drawn = {"examples": count, **parts.batch_size(plan, case), "start": start, "stop": stop}
    return {**drawn, "seed": plan.seeds_of_runs[run]["order"]}


@rule
def batches(plan, case, run):
    return _order(plan, case, run, 0, plan.end(case))


@rule
def continuation_batches(plan, case, run, regime):
    start = plan.regimes(case)[regime]["from"]
    return _order(plan, case, run, start, start + plan.definition(case)["up_weighting"]["steps"][-1])


@rule
def training(plan, **wildcards):
    return parts.made_of(plan, ("case", "optimizer", "training_steps", "seed"), wildcards)


@rule
def spectrum(plan, step, **wildcards):
    asked = ("case", "spectrum.krylov", "spectrum.keep", "curvature_examples")
    return {**parts.made_of(plan, asked, wildcards), "step": int(step)}


@rule
def scores(plan, case, run, estimator, step):
    asked = {"step": int(step), "options": plan.options(case, estimator)}
    return {**parts.made_of(plan, ("case", "optimizer", "scored", "seed"), {"case": case, "run": run}), **asked}


@rule
def retraining(plan, **wildcards):
    return parts.made_of(plan, ("case", "optimizer", "training_steps", "left_out"), wildcards) | {"chunk": CHUNK}


@rule
def removed(plan, case, run, **wildcards):
    counts = {"shares": plan.config["removal"]["shares"], "subsets": plan.removals(case, run), "chunk": REMOVALS}
    return {**parts.made_of(plan, ("case", "optimizer", "training_steps"), {"case": case, "run": run}), **counts}


@rule
def proximal(plan, **wildcards):
    solved = ("left_out", "proximal", "last_step", "damping", "curvature_examples")
    return parts.made_of(plan, ("case", *solved), wildcards)


@rule
def up_weighting(plan, **wildcards):
    weighted = plan.definition(wildcards["case"])["up_weighting"]
    return {**parts.made_of(plan, ("case", "continuation"), wildcards), **weighted, "chunk": CHUNK}


@rule
def path(plan, **wildcards):
    return parts.made_of(plan, ("case", "continuation"), wildcards)


@rule
def claims(plan):
    return {"claims": plan.claims, "tables": plan.claimed_tables}


@rule
def peer(plan, library, what, **wildcards):
    task = [f"peers.{name}" for name in ("train", "hessian_examples", "damping", "repeats")]
    return parts.made_of(
        plan, ("case", *task, "spectrum.krylov", "spectrum.keep", "last_step", "batch_size"), wildcards
    )


@rule
def case_benchmark(plan, **wildcards):
    return parts.made_of(plan, ("case", "optimizer", "last_step", "batch_size"), wildcards)


@rule
def page(plan):
    """Of the study's tables and figures who describes each, by which rule, and what is drawn from what.

    `config` is what captions say of the configuration.
    """
    described = {
        case: {"influence": definition.get("influence")} for case, definition in plan.config["definitions"].items()
    }
    tables = {name: [by, table_rule(name)] for name, by in plan.tables.items()}
    tables["claims"] = ["claims", "claims"]
    drawn = {topic: EXPERIMENTS[by].figures[topic] for topic, by in plan.topics.items()} | {"claims": ["claims"]}
    return {
        "study": plan.config["study"],
        "config": {
            "cases": plan.cases,
            "spectrum": plan.config["spectrum"],
            "correction": {"recovery": plan.config["correction"]["recovery"]},
            "definitions": described,
        },
        "names": names(plan),
        "tables": tables,
        "figures": {**plan.topics, "claims": "claims"},
        "read": {topic: [name for name in read if name in tables] for topic, read in drawn.items()},
        "pictured": plan.pictured,
    }


def _table(plan, rule):
    """What becomes of a public table's frames."""
    tables = {table_rule(name): EXPERIMENTS[experiment].tables[name] for name, experiment in plan.tables.items()}
    return {key: value for key, value in tables.get(rule, {}).items() if key != "output"}


def names(plan: Plan) -> dict[str, dict]:
    """What figures call the study's cases and estimators, and their colours."""
    definitions = {case: plan.definition(case) for case in plan.running}
    described = {name: ESTIMATORS[name] for case in plan.running for name in plan.ladder(case)}
    labels = {case: definition["label"] for case, definition in definitions.items() if "label" in definition}
    return {
        "labels": labels | {name: description.label for name, description in described.items()},
        "short": {name: description.short or name for name, description in described.items()},
        "colours": {
            name: description.colour for name, description in described.items() if description.colour is not None
        },
    }
