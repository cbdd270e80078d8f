"""Parts of which a job's settings are made, by name: functions of a plan and of the job's wildcards.

An experiment names in its description the parts that its result depends on, and keys of the configuration such as
assumptions.dampings, which go by their last word.
"""

from collections.abc import Callable

from fading.errors import FadingError
from fading.plan import options
from fading.plan.checks import loss_weight_decay
from fading.plan.plan import Plan

PARTS: dict[str, Callable[..., dict]] = {}


def part(function: Callable[..., dict]) -> Callable[..., dict]:
    """Make it known by its name."""
    PARTS[function.__name__] = function
    return function


def made_of(plan: Plan, names: tuple[str, ...], wildcards: dict[str, str]) -> dict:
    """Settings of parts and keys. Raises FadingError if two of them have a name in common."""
    made: dict = {}
    for name in names:
        values = {name.rpartition(".")[2]: plan.at_key(name)} if "." in name else PARTS[name](plan, **wildcards)
        if twice := made.keys() & values.keys():
            raise FadingError(f"The settings {', '.join(names)} have {', '.join(sorted(twice))} twice.")
        made |= values
    return made


@part
def case(plan, case, run, **_):
    """What it takes to open a case, with the errors that a run has planted in it."""
    return _case(plan, case, run)


def _case(plan, case, run):
    definition = plan.definition(case)
    share = definition["examples"].get("flipped")
    errors = {"flipped": {"share": share, **seed(plan, run)}} if share else {}
    return {
        "model": definition["model"],
        "classes": len(plan.dataset(case).labels),
        "measured": definition["examples"]["measured"],
        "weight_decay": loss_weight_decay(definition["training"]),
        **errors,
    }


@part
def case_in_double_precision(plan, case, run, **_):
    """The same in float64: small differences drown in float32's rounding."""
    opened = _case(plan, case, run)
    return {**opened, "model": {**opened["model"], "precision": "float64"}}


@part
def candidates(plan, case, run, **_):
    """How many of the training examples that steps after training draw are to be chosen from, if not all are."""
    count = plan.definition(case)["examples"].get("candidates")
    order = plan.seeds_of_runs[run]["order"]
    return {"candidates": {"count": count, **onwards(plan, case), "order": order}} if count else {}


@part
def scored(plan, case, run, **_):
    """The same of those that are scored: in the run that examples are left out of, the first, all are."""
    first = run in plan.runs(case, first_alone=True)
    return {} if plan.leaves_out(case) and first else candidates(plan, case, run)


@part
def labels(plan, case, **_):
    """What the labels mean."""
    return {"labels": list(plan.dataset(case).labels)}


@part
def seed(plan, run, **_):
    """The seed of what is drawn at random, but for the order of examples."""
    return {"seed": plan.seeds_of_runs[run]["seed"]}


@part
def optimizer(plan, case, learning_rate=None, **_):
    """What it takes to train, at another learning rate in a regime."""
    training = plan.definition(case)["training"]
    decoupled = {"decoupled_decay": training["weight_decay"]} if training["optimizer"] == "adamw" else {}
    made = {"optimizer": training["optimizer"], **decoupled}
    if learning_rate:
        return {**made, "learning_rate": learning_rate}
    return {**made, "learning_rate": training["learning_rate"], **_schedule(training)}


def _schedule(training):
    """The schedule of the learning rate, where it is not constant."""
    falls = {"end": training["steps"]} if training.get("decay") == "linear" else {}
    shape = {"warm_up": training.get("warm_up", 0), **falls}
    return {"schedule": shape} if any(shape.values()) else {}


@part
def batch_size(plan, case, **_):
    return {"batch_size": plan.definition(case)["training"]["batch_size"]}


@part
def training_examples(plan, case, **_):
    """How many examples it trains on."""
    return {"examples": plan.definition(case)["examples"]["train"]}


@part
def test_examples(plan, case, **_):
    """Of how many examples its accuracy is."""
    return {"test_examples": plan.definition(case)["examples"]["test"]}


@part
def training_steps(plan, case, **_):
    """How long training takes, and which checkpoints it keeps."""
    return {name: plan.definition(case)["training"][name] for name in ("steps", "checkpoints")}


@part
def last_step(plan, case, **_):
    """The checkpoint after training."""
    return {"step": plan.end(case)}


@part
def onwards(plan, case, **_):
    """Where training goes on from its end, with which batches."""
    return {"from": plan.end(case), **batch_size(plan, case)}


@part
def calm_rate(plan, case, **_):
    """The learning rate at which training goes on where no regime is named: the first one's."""
    return {"rate": next(iter(plan.regimes(case).values()))["learning_rate"]}


@part
def continuation(plan, case, regime, **_):
    """From which checkpoint a regime continues training, and how."""
    start, rate = (plan.regimes(case)[regime][name] for name in ("from", "learning_rate"))
    return {**optimizer(plan, case, rate), "from": start}


@part
def recorded(plan, case, regime, **_):
    """At which steps of a regime effects are recorded, and its learning rate."""
    rate = plan.regimes(case)[regime]["learning_rate"]
    return {"steps": plan.definition(case)["up_weighting"]["steps"], "learning_rate": rate}


@part
def checkpoints_along_training(plan, case, run, **_):
    """The start, half-way and the end; of all but the first run the end alone."""
    return {"checkpoints": plan.steps_of_spectra(case, run)}


@part
def later_checkpoints(plan, case, **_):
    """Half-way and the end."""
    return {"checkpoints": plan.along_training(case)[1:]}


@part
def left_out(plan, case, **_):
    """Which examples and groups are left out."""
    return {"left_out": {name: plan.definition(case)["leave_one_out"][name] for name in ("count", "twice", "size")}}


@part
def proximal(plan, case, **_):
    """For how many of them the proximal response is computed."""
    return {"proximal": plan.definition(case)["leave_one_out"]["proximal"]}


@part
def memory_of_run(plan, case, run, **_):
    """Along which stretches after training a run's memory is measured: the first regime, and the others that it has.

    Of the first run beside these at the first regime's learning rate, or training's batch size, times its factors.
    """
    memory, regimes, size = plan.config["memory"], plan.regimes(case), plan.definition(case)["training"]["batch_size"]
    here = [*list(regimes)[:1], *(name for name in plan.regimes_of(case, run) if name != next(iter(regimes)))]
    going_on = [name for name in here if regimes[name]["from"] == plan.end(case)]
    stretches = [(name, "nothing", regimes[name]["learning_rate"], size) for name in going_on]
    if run in plan.runs(case, first_alone=True):
        name, _, rate, _ = stretches[0]
        for factor in regimes[name].get("factors", []):
            stretches.append((name, "learning rate", float(f"{factor * rate:.6g}"), size))
            stretches.append((name, "batch size", rate, max(1, round(factor * size))))
    keys = ("regime", "changed", "learning_rate", "batch_size")
    precise = {"precise": {**plan.definition(case)["model"], "precision": "float64"}}
    looked_at = {name: memory[name] for name in ("ages", "readings", "spacing", "checked")}
    order = {"from": plan.end(case), "order": plan.seeds_of_runs[run]["order"], **seed(plan, run)}
    described = [dict(zip(keys, stretch, strict=True)) for stretch in stretches]
    followed = {**memory, **plan.definition(case).get("memory", {})}["tests"]
    tests = {"tests": min(followed, plan.definition(case)["examples"]["measured"])}
    return {**optimizer(plan, case), **order, **precise, **tests, **looked_at, "stretches": described}


@part
def removal_runs(plan, case, run, **_):
    """What the runs are in which the same subsets are left out again, one for each of their jobs."""
    return {"again": [what for what, _, _ in plan.removed_again(case)]}


@part
def curvature_examples(plan, case, **_):
    """Over how many training examples curvature is the mean."""
    return {"curvature_examples": plan.curvature_examples(case)}


@part
def damping(plan, case, **_):
    """λ of a case's matrices."""
    return {"damping": options.damping(plan.definition(case))}


@part
def estimators(plan, case, **_):
    return {"estimators": plan.estimators(case)}


@part
def ladder(plan, case, **_):
    """The estimators that say what leaving out parts of the training set does."""
    return {"estimators": plan.ladder(case)}


@part
def rankers(plan, case, **_):
    """The estimators that score every training example for what follows a checkpoint."""
    return {"estimators": plan.rankers(case)}


@part
def stand_ins(plan, case, **_):
    """The estimators that take the place of curvature, to see what noise would do."""
    return {"stand_ins": plan.stand_ins(case)}


@part
def forward_estimators(plan, case, **_):
    """The estimators that say something of what follows a checkpoint."""
    return {"estimators": plan.forward_estimators(case)}


@part
def whole_run_estimator(plan, case, **_):
    """Which estimator, if any, is the exact first order along the whole run."""
    return {"unrolled": plan.whole_run_estimator(case)}


@part
def correction_rates(plan, case, **_):
    """The learning rates of corrections, shares of training's."""
    rate = plan.definition(case)["training"]["learning_rate"]
    shares = plan.config["correction"]["learning_rates"]
    return {"learning_rates": [float(f"{share * rate:.6g}") for share in shares]}
