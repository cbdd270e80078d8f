"""Can a study run with this configuration? What a schema can't express, across its fields."""

import math
import os

from fading.data import called, described
from fading.errors import FadingError
from fading.experiments.correction.names import LABEL_NEIGHBOURS, NEEDED, NEIGHBOURS
from fading.influence import ESTIMATORS
from fading.models import MODELS
from fading.plan import schema
from fading.plan.limits import at_most, member
from fading.plan.options import curvature_examples, damping

RESERVED = "reference"  # the committed results
FOLDERS = ("figures", "logs", "tables", "times")  # of every study, beside those of its cases


def check(config: dict) -> None:
    """Raise FadingError, one sentence naming the key, what was found and what is accepted, if a study can't run so."""
    schema.check_shape(config, schema.configuration(), "the configuration")
    if config["study"] == RESERVED:
        raise FadingError(f"study: found {RESERVED}, which names the committed results; any other name is accepted.")
    for name in FOLDERS:
        if name in config["definitions"]:
            raise FadingError(f"definitions: found {name}, a folder of every study; any other name is accepted.")
    member("cases", config["cases"], config["definitions"], "defined are")
    peers = config["peers"]
    member("peers.cases", peers["cases"], config["definitions"], "defined are")
    for case in [*config["cases"], *config["correction"]["planted"]]:  # peers look at the first run alone
        runs = config["definitions"].get(case, {}).get("seeds", 1)
        at_most(f"definitions.{case}.seeds", runs, len(config["seeds"]), "the number of seeds")
    for case in dict.fromkeys([*config["cases"], *peers["cases"]]):
        _check_case(f"definitions.{case}", config["definitions"][case], config)
    at_most("peers.hessian_examples", peers["hessian_examples"], peers["train"], "peers.train")
    for case in peers["cases"]:
        train = config["definitions"][case]["examples"]["train"]
        at_most("peers.hessian_examples", peers["hessian_examples"], train, f"definitions.{case}.examples.train")
    keep, krylov = config["spectrum"]["keep"], config["spectrum"]["krylov"]
    at_most("spectrum.keep", keep, krylov, "spectrum.krylov")
    _check_assumptions(config)
    _check_memory(config)
    _check_removal(config)
    _check_correction(config)


def _check_memory(config):
    memory, definitions = config["memory"], config["definitions"]
    member("memory.cases", memory["cases"], definitions, "defined are")
    if memory["ages"] != sorted(memory["ages"]) or memory["ages"][0] != 1:
        raise FadingError(f"memory.ages: found {memory['ages']}; accepted are ages that ascend from 1.")
    member("memory.checked", memory["checked"], memory["ages"], "memory.ages are")
    for case in _of_the_study("memory.cases", memory["cases"], config["cases"]):
        definition, key = definitions[case], f"definitions.{case}"
        first, end = definition["regimes"][0], definition["training"]["steps"]
        if first["from"] != end:
            raise FadingError(
                f"{key}.regimes: found the first from {first['from']}; memory needs one from {end}, the end."
            )


def _check_removal(config):
    removal, definitions = config["removal"], config["definitions"]
    member("removal.cases", removal["cases"], definitions, "defined are")
    for name in ("shares", "counts"):
        if removal[name] != sorted(removal[name]):
            raise FadingError(f"removal.{name} must ascend; found {removal[name]}.")
    for case in _of_the_study("removal.cases", removal["cases"], config["cases"]):
        definition, key = definitions[case], f"definitions.{case}"
        if "removal" not in definition:
            raise FadingError(f"{key} has no key 'removal', which removal.cases needs: its subsets and again.")
        _check_left_out(key, definition, "removal.cases")
        train, subsets = definition["examples"]["train"], definition["removal"]
        at_most(f"{key}.removal.again", subsets["again"], subsets["subsets"], "subsets")
        at_most("removal.counts", removal["counts"][-1], train - 1, f"fewer than {key}.examples.train")
        counts = [round(share * train) for share in removal["shares"]]
        if counts != sorted({*counts} & {*range(1, train)}):
            raise FadingError(
                f"removal.shares: found {removal['shares']}, of {train} examples of {case} {counts}; accepted are "
                "shares that leave out one at least, not all, and each another number."
            )
    member("removal.flipped", removal["flipped"], removal["cases"], "removal.cases are")
    for case in _of_the_study("removal.flipped", removal["flipped"], config["cases"]):
        definition = definitions[case]
        known = [*definition["estimators"], *definition["removal"].get("estimators", [])]
        rankings = [*known, LABEL_NEIGHBOURS] if NEIGHBOURS in known else known
        member("removal.rankings", removal["rankings"], rankings, f"rankings of {case} are")


def _check_left_out(key, definition, why):
    if "leave_one_out" not in definition:
        raise FadingError(f"{key} has no key 'leave_one_out', which {why} needs.")


def _check_assumptions(config):
    assumptions, definitions = config["assumptions"], config["definitions"]
    member("assumptions.cases", assumptions["cases"], definitions, "defined are")
    for case in _of_the_study("assumptions.cases", assumptions["cases"], config["cases"]):
        _check_left_out(f"definitions.{case}", definitions[case], "assumptions.cases")
        rankings = rankers(definitions[case])
        member("assumptions.estimators", assumptions["estimators"], rankings, f"rankings of {case} are")
    for case in config["cases"]:
        if "leave_one_out" not in definitions[case]:
            continue  # nor has it an expansion
        up_weighting, key = definitions[case]["up_weighting"], f"definitions.{case}.up_weighting"
        at_most("assumptions.steps", assumptions["steps"], up_weighting["steps"][-1], f"the last of {key}.steps")
        at_most("assumptions.examples", assumptions["examples"], up_weighting["examples"], f"{key}.examples")


def _check_correction(config):
    correction, definitions = config["correction"], config["definitions"]
    for key in ("cases", "planted"):
        member(f"correction.{key}", correction[key], definitions, "defined are")
    _of_the_study("correction.cases", correction["cases"], config["cases"])
    for key in ("examples", "learning_rates", "steps"):
        if correction[key] != sorted(correction[key]):
            raise FadingError(f"correction.{key} must ascend; found {correction[key]}.")
    for case in dict.fromkeys([*correction["cases"], *correction["planted"]]):
        _check_case(f"definitions.{case}", definitions[case], config)
    for case in correction["cases"]:
        _check_corrected(f"definitions.{case}", case, definitions[case], correction)
    for case in correction["planted"]:
        _check_planted(f"definitions.{case}.examples", case, definitions[case]["examples"])


def _check_corrected(key, name, case, correction):
    examples, rankings = case["examples"], rankers(case)
    chosen = next(name for name in ("candidates", "train") if name in examples)
    at_most("correction.examples", correction["examples"][-1], examples[chosen], f"{key}.examples.{chosen}")
    at_most("correction.others", correction["others"], examples["test"], f"{key}.examples.test")
    lacking = [estimator for estimator in NEEDED if estimator not in rankings]
    if lacking:
        raise FadingError(f"{key}.estimators lacks {', '.join(lacking)}, which a correction compares with.")
    for methods in ("harmful", "retrained"):
        known = [*rankings, LABEL_NEIGHBOURS]
        member(f"correction.{methods}", correction[methods], known, f"rankings of {name} are")


def _check_planted(key, name, examples):
    if "flipped" not in examples:
        raise FadingError(f"correction.planted: found {name}; accepted are cases with examples.flipped.")
    if round(examples["flipped"] * examples["train"]) < 1:
        raise FadingError(f"{key}.flipped: found {examples['flipped']}; accepted is a share that makes an error.")
    fewer = examples["test"] - 1
    at_most(f"{key}.measured", examples["measured"], fewer, "fewer than test, where errors are planted")


def _of_the_study(key, listed, cases):
    """Those of the listed cases that the study runs. Raises FadingError if there is none."""
    running = [case for case in listed if case in cases]
    if not running:
        accepted = ", ".join(cases)
        raise FadingError(f"{key}: found {', '.join(listed)}; accepted are some of the study's cases, {accepted}.")
    return running


def _check_case(key, case, config):
    dataset = described(case["dataset"])
    examples, training, up_weighting = case["examples"], case["training"], case["up_weighting"]
    _check_model(key, case, dataset)
    _check_files(f"{key}.dataset", case["dataset"])
    _check_examples(key, called(case["dataset"]), examples, dataset)
    _check_training(key, training, examples)
    for regime in case["regimes"]:
        _check_regime(f"{key}.regimes: {regime['name']}", regime, training, examples, up_weighting)
    names = [regime["name"] for regime in case["regimes"]]
    if len(set(names)) < len(names):
        raise FadingError(f"{key}.regimes has one name twice: {', '.join(names)}.")
    if up_weighting["epsilon"] == 0:
        raise FadingError(f"{key}.up_weighting.epsilon: found 0, which changes nothing; any other is accepted.")
    if up_weighting["steps"] != sorted(set(up_weighting["steps"])):
        raise FadingError(f"{key}.up_weighting.steps must ascend; found {up_weighting['steps']}.")
    if "leave_one_out" in case:
        left = case["leave_one_out"]
        at_most(f"{key}.leave_one_out.count", left["count"], examples["train"], "examples.train")
        for name in ("twice", "proximal"):
            at_most(f"{key}.leave_one_out.{name}", left[name], left["count"], "count")
        at_most(f"{key}.leave_one_out.size", left["size"], left["twice"], "twice")
    given = "curvature_examples" in case.get("influence", {})
    sample = f"{key}.influence.curvature_examples" if given else "spectrum.examples"
    at_most(sample, curvature_examples(config, case), examples["train"], f"{key}.examples.train")
    if "candidates" in examples:
        _check_candidates(key, case, config)
    _check_estimators(key, case)


def _check_candidates(key, case, config):
    """What follows training must find scores of the examples that it draws."""
    count, training, memory = case["examples"]["candidates"], case["training"], config["memory"]
    at_most(f"{key}.examples.candidates", count, case["examples"]["train"], "examples.train")
    said = f"{key}.examples.candidates: found {count}"
    if "flipped" in case["examples"]:
        raise FadingError(f"{said} beside flipped: all are suspected of a wrong label; accepted is one of the two.")
    if early := [regime for regime in case["regimes"] if regime["from"] != training["steps"]]:
        found = f"{key}.regimes: {early[0]['name']} from: found {early[0]['from']}"
        raise FadingError(f"{found}; accepted beside candidates is {training['steps']}, the end.")
    followed = memory["ages"][-1] + (memory["readings"] - 1) * memory["spacing"]
    steps = followed if key.removeprefix("definitions.") in memory["cases"] else 1
    least = min(steps * training["batch_size"], case["examples"]["train"])
    if count < least:
        raise FadingError(f"{said}; accepted are at least {least}, as many as the {steps} steps after training draw.")


def _check_model(key, case, dataset):
    kind = case["model"]["kind"]
    takers = [name for name, model in MODELS.items() if model.takes in dataset.offers]
    member(f"{key}.model.kind", [kind], takers, f"{called(case['dataset'])} goes with")


def _check_files(key, dataset):
    """Of the user's own files: what is in them is looked at when they are read."""
    if isinstance(dataset, str):
        return
    kind = ".parquet" if described(dataset).sentences else ".safetensors"
    for split in ("train", "test"):
        if not dataset[split].endswith(kind):
            raise FadingError(
                f"{key}.{split}: found {dataset[split]}; accepted is a {kind} file of {dataset['holds']}."
            )
    if os.path.realpath(dataset["train"]) == os.path.realpath(dataset["test"]):
        raise FadingError(f"{key}.test: found {dataset['test']}, which is train's; accepted is another file.")


def _check_examples(key, name, examples, dataset):
    if dataset.train is None:
        pass  # what draws them says so
    elif dataset.test is None:
        at_most(
            f"{key}.examples: train and test", examples["train"] + examples["test"], dataset.train, f"all of {name}"
        )
    else:
        at_most(f"{key}.examples.train", examples["train"], dataset.train, f"all of {name}")
        at_most(f"{key}.examples.test", examples["test"], dataset.test, f"all of {name}")
    at_most(f"{key}.examples.measured", examples["measured"], examples["test"], "examples.test")
    if dataset.sentences and "tokens" not in examples:
        raise FadingError(f"{key}.examples has no key 'tokens'; sentences need the number of word pieces to keep.")
    if not dataset.sentences and "tokens" in examples:
        raise FadingError(f"{key}.examples has the key 'tokens', which only sentences take; {name} has none.")


def _check_training(key, training, examples):
    at_most(f"{key}.training.batch_size", training["batch_size"], examples["train"], "examples.train")
    epoch = math.ceil(examples["train"] / training["batch_size"])
    if training["steps"] < epoch:
        raise FadingError(f"{key}.training.steps: found {training['steps']}; accepted is at least {epoch}, one epoch.")
    if "warm_up" in training:
        at_most(f"{key}.training.warm_up", training["warm_up"], training["steps"] - 1, "less than training.steps")
    if training["checkpoints"] != sorted(training["checkpoints"]):
        raise FadingError(f"{key}.training.checkpoints must ascend; found {training['checkpoints']}.")
    for step in training["checkpoints"]:
        at_most(f"{key}.training.checkpoints", step, training["steps"], "training.steps")
    first_and_last, holds = [0, training["steps"]], "which must hold the first and last step,"
    member(f"{key}.training.checkpoints, {holds}", first_and_last, training["checkpoints"])


def _check_estimators(key, case):
    training, influence = case["training"], case.get("influence", {})
    kind, optimizer = case["model"]["kind"], training["optimizer"]
    beside = case.get("removal", {}).get("estimators", [])
    member(f"{key}.estimators", case["estimators"], ESTIMATORS, "known are")
    member(f"{key}.removal.estimators", beside, ESTIMATORS, "known are")
    if not (damping(case) or loss_weight_decay(training)):
        raise FadingError(f"{key}.influence.damping: found 0; accepted is more where the loss has no weight decay.")
    for name in [*case["estimators"], *beside]:
        description = ESTIMATORS[name]
        if description.small and not MODELS[kind].small:
            raise FadingError(
                f"{key}.estimators: {name} builds the whole Hessian; accepted is abif, cg or minres for a {kind}."
            )
        if description.optimizers and optimizer not in description.optimizers:
            held = ", ".join(description.optimizers)
            raise FadingError(f"{key}.estimators: {name} is for {held}; training.optimizer is {optimizer}.")
    if "window" in influence:
        at_most(f"{key}.influence.window", influence["window"], training["steps"], "training.steps")
    if "tests" in influence:
        at_most(f"{key}.influence.tests", influence["tests"], case["examples"]["measured"], "examples.measured")


def rankers(case: dict) -> list[str]:
    """The case's estimators that score every training example for what follows a checkpoint."""
    return [name for name in case["estimators"] if ESTIMATORS[name].ranks]


def loss_weight_decay(training: dict) -> float:
    """The weight decay that is part of the loss: none where the optimiser decouples it from the gradient."""
    return 0 if training["optimizer"] == "adamw" else training["weight_decay"]


def _check_regime(key, regime, training, examples, up_weighting):
    member(f"{key} from", [regime["from"]], training["checkpoints"], "checkpoints are")
    size = training["batch_size"]
    position = regime["from"] % math.ceil(examples["train"] / size) * size  # within the epoch
    batch = min(size, examples["train"] - position)
    at_most(f"{key}, up_weighting.examples", up_weighting["examples"], batch, "the size of its first batch")
