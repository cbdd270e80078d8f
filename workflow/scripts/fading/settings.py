"""Check a configuration: its shape against the schema, and across fields what a schema can't express."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from fading.errors import FadingError
from fading.influence import estimators

SCHEMA = Path(__file__).parents[2] / "schemas" / "config.schema.json"
MODELS = {"fashion-mnist": ("resnet", "logistic"), "movie-reviews": ("bert", "logistic")}
SIZES = {"fashion-mnist": {"train": 60_000, "test": 10_000}, "movie-reviews": {"train and test": 10_043}}


def check(config: dict) -> None:
    """Raise FadingError, one sentence naming the key, what was found and what is accepted, if a study can't run so."""
    _check_shape(config)
    _member("cases", config["cases"], config["definitions"], "defined are")
    for name in config["cases"]:
        _check_case(f"definitions.{name}", config["definitions"][name], config["spectrum"])
    keep, krylov = config["spectrum"]["keep"], config["spectrum"]["krylov"]
    _at_most("spectrum.keep", keep, krylov, "spectrum.krylov")


def _check_shape(config):
    error = best_match(Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(config))
    if error is None:
        return
    key = ".".join(map(str, error.absolute_path)) or "the configuration"
    if error.validator == "additionalProperties":
        accepted = error.schema["properties"]
        unknown = ", ".join(repr(name) for name in error.instance if name not in accepted)
        raise FadingError(f"{key} has the unknown key {unknown}; accepted are {', '.join(accepted)}.")
    raise FadingError(f"{key}: {error.message}.")


def _check_case(key, case, spectrum):
    dataset, kind = case["dataset"], case["model"]["kind"]
    _member(f"{key}.model.kind", [kind], MODELS[dataset], f"{dataset} goes with")
    if kind != "resnet" and case["model"].keys() & {"width", "activation"}:
        raise FadingError(f"{key}.model: a {kind} takes no width and no activation, it has its own.")
    examples, training, counterfactuals = case["examples"], case["training"], case["counterfactuals"]
    for splits, size in SIZES[dataset].items():
        wanted = sum(examples[split] for split in splits.split(" and "))
        _at_most(f"{key}.examples: {splits}", wanted, size, f"the size of {dataset}")
    if dataset == "movie-reviews" and "tokens" not in examples:
        raise FadingError(f"{key}.examples has no key 'tokens'; sentences need the number of word pieces to keep.")
    _at_most(f"{key}.examples.measured", examples["measured"], examples["test"], "examples.test")
    _at_most(f"{key}.training.batch_size", training["batch_size"], examples["train"], "examples.train")
    for step in training["checkpoints"]:
        _at_most(f"{key}.training.checkpoints", step, training["steps"], "training.steps")
    for step in (0, training["steps"]):
        _member(
            f"{key}.training.checkpoints, which must hold the first and last step,", [step], training["checkpoints"]
        )
    for regime in case["regimes"]:
        _member(f"{key}.regimes: {regime['name']} from", [regime["from"]], training["checkpoints"], "checkpoints are")
    names = [regime["name"] for regime in case["regimes"]]
    if len(set(names)) < len(names):
        raise FadingError(f"{key}.regimes has one name twice: {', '.join(names)}.")
    _at_most(f"{key}.counterfactuals.examples", counterfactuals["examples"], training["batch_size"], "the batch size")
    _at_most(f"{key}.counterfactuals.responses", counterfactuals["responses"], counterfactuals["examples"], "examples")
    if counterfactuals["steps"] != sorted(set(counterfactuals["steps"])):
        raise FadingError(f"{key}.counterfactuals.steps must ascend; found {counterfactuals['steps']}.")
    _at_most(f"{key}.leave_one_out.examples", case["leave_one_out"]["examples"], examples["train"], "examples.train")
    _member(f"{key}.estimators", case["estimators"], estimators(), "known are")
    _at_most("spectrum.examples", spectrum["examples"], examples["train"], f"{key}.examples.train")


def _member(key, values, accepted, introduction="accepted are"):
    for value in values:
        if value not in accepted:
            raise FadingError(f"{key}: found {value}; {introduction} {', '.join(map(str, accepted))}.")


def _at_most(key, value, limit, name):
    if value > limit:
        raise FadingError(f"{key}: found {value}; accepted is at most {limit}, {name}.")
