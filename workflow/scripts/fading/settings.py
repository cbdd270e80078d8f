"""Check a configuration: its shape against the schema, and across fields what a schema can't express."""

import json
import math
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from jsonschema.validators import extend

from fading.catalogue import DATASETS
from fading.errors import FadingError
from fading.influence import COSTLY, OF_THE_PAST, estimators
from fading.methods import LABEL_NEIGHBOURS, NEEDED, rankers

SCHEMAS = Path(__file__).parents[2] / "schemas"
SCHEMA, CLAIMS_SCHEMA = SCHEMAS / "config.schema.json", SCHEMAS / "claims.schema.json"
RESERVED = "reference"  # the committed results


def check(config: dict) -> None:
    """Raise FadingError, one sentence naming the key, what was found and what is accepted, if a study can't run so."""
    _check_shape(config, SCHEMA, "the configuration")
    if config["study"] == RESERVED:
        raise FadingError(f"study: found {RESERVED}, which names the committed results; any other name is accepted.")
    _member("cases", config["cases"], config["definitions"], "defined are")
    peers = config["peers"]
    _member("peers.cases", peers["cases"], config["definitions"], "defined are")
    for name in dict.fromkeys([*config["cases"], *peers["cases"]]):
        _check_case(f"definitions.{name}", config["definitions"][name], len(config["seeds"]), config["spectrum"])
    _at_most("peers.hessian_examples", peers["hessian_examples"], peers["train"], "peers.train")
    for name in peers["cases"]:
        train = config["definitions"][name]["examples"]["train"]
        _at_most("peers.hessian_examples", peers["hessian_examples"], train, f"definitions.{name}.examples.train")
    keep, krylov = config["spectrum"]["keep"], config["spectrum"]["krylov"]
    _at_most("spectrum.keep", keep, krylov, "spectrum.krylov")
    _check_assumptions(config)
    _check_correction(config)


def _check_assumptions(config):
    chosen, definitions = config["assumptions"], config["definitions"]
    _member("assumptions.cases", chosen["cases"], definitions, "defined are")
    tested = [name for name in chosen["cases"] if name in config["cases"]]
    if not tested:
        found, accepted = (", ".join(names) for names in (chosen["cases"], config["cases"]))
        raise FadingError(f"assumptions.cases: found {found}; accepted are some of the study's cases, {accepted}.")
    for name in tested:
        quick = [one for one in definitions[name]["estimators"] if one not in COSTLY | OF_THE_PAST]
        _member("assumptions.estimators", chosen["estimators"], quick, f"of those that cost little {name} has")
    for name in config["cases"]:
        counterfactuals = definitions[name]["counterfactuals"]
        key = f"definitions.{name}.counterfactuals"
        _at_most("assumptions.steps", chosen["steps"], counterfactuals["steps"][-1], f"the last of {key}.steps")
        _at_most("assumptions.examples", chosen["examples"], counterfactuals["examples"], f"{key}.examples")


def _check_correction(config):
    chosen, definitions = config["correction"], config["definitions"]
    for key in ("cases", "planted"):
        _member(f"correction.{key}", chosen[key], definitions, "defined are")
    if not set(chosen["cases"]) & set(config["cases"]):
        found, accepted = (", ".join(names) for names in (chosen["cases"], config["cases"]))
        raise FadingError(f"correction.cases: found {found}; accepted are some of the study's cases, {accepted}.")
    for key in ("examples", "learning_rates", "steps"):
        if chosen[key] != sorted(chosen[key]):
            raise FadingError(f"correction.{key} must ascend; found {chosen[key]}.")
    for name in dict.fromkeys([*chosen["cases"], *chosen["planted"]]):
        _check_case(f"definitions.{name}", definitions[name], len(config["seeds"]), config["spectrum"])
    for name in chosen["cases"]:
        examples, ranking = definitions[name]["examples"], rankers(definitions[name]["estimators"])
        key = f"definitions.{name}"
        _at_most("correction.examples", chosen["examples"][-1], examples["train"], f"{key}.examples.train")
        _at_most("correction.others", chosen["others"], examples["test"], f"{key}.examples.test")
        lacking = [one for one in NEEDED if one not in ranking]
        if lacking:
            raise FadingError(f"{key}.estimators lacks {', '.join(lacking)}, which a correction compares with.")
        for list_of in ("harmful", "retrained"):
            _member(f"correction.{list_of}", chosen[list_of], [*ranking, LABEL_NEIGHBOURS], f"rankings of {name} are")
    for name in chosen["planted"]:
        examples, key = definitions[name]["examples"], f"definitions.{name}.examples"
        if "flipped" not in examples:
            raise FadingError(f"correction.planted: found {name}; accepted are cases with examples.flipped.")
        if round(examples["flipped"] * examples["train"]) < 1:
            raise FadingError(f"{key}.flipped: found {examples['flipped']}; accepted is a share that makes an error.")
        _at_most(
            f"{key}.measured", examples["measured"], examples["test"] - 1, "fewer than test, where errors are planted"
        )


def check_claims(claims: list[dict], config: dict) -> None:
    """Raise FadingError, one sentence naming the key, unless the claims are well formed and of defined cases."""
    _check_shape(claims, CLAIMS_SCHEMA, "config/claims.yaml")
    names = [claim["claim"] for claim in claims]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FadingError(f"config/claims.yaml has the claim {twice} twice; each name is accepted once.")
    for claim in claims:
        _member(f"config/claims.yaml: {claim['claim']}: case", [claim["case"]], config["definitions"], "defined are")


def loss_weight_decay(training: dict) -> float:
    """The weight decay that is part of the loss: none where the optimiser decouples it from the gradient."""
    return 0 if training["optimizer"] == "adamw" else training["weight_decay"]


def _integer(checker, value):
    return isinstance(value, int) and not isinstance(value, bool)


def _number(checker, value):
    return _integer(checker, value) or (isinstance(value, float) and math.isfinite(value))


# JSON Schema takes 126.0 for an integer, and YAML can write .nan: neither makes a step or a learning rate.
Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": _integer, "number": _number}),
)


def _check_shape(instance, schema, whole):
    error = best_match(Validator(json.loads(schema.read_text())).iter_errors(instance))
    if error is None:
        return
    key = ".".join(map(str, error.absolute_path)) or whole
    if error.validator == "additionalProperties":
        accepted = error.schema["properties"]
        unknown = ", ".join(repr(name) for name in error.instance if name not in accepted)
        raise FadingError(f"{key} has the unknown key {unknown}; accepted are {', '.join(accepted)}.")
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        raise FadingError(f"{key} lacks {', '.join(missing)}, which a study must give.")
    accepted = ACCEPTED[error.validator](error.validator_value)
    raise FadingError(f"{key}: found {error.instance!r}; accepted is {accepted}.")


TYPES = {
    "array": "a list",
    "object": "a mapping",
    "string": "text",
    "integer": "an integer",
    "number": "a finite number (to YAML, 5e-2 is text and 5.0e-2 a number)",
}
ACCEPTED = {
    "type": TYPES.get,
    "enum": lambda values: f"one of {', '.join(values)}",
    "minimum": lambda limit: f"at least {limit}",
    "maximum": lambda limit: f"at most {limit}",
    "exclusiveMinimum": lambda limit: f"more than {limit}",
    "multipleOf": lambda factor: f"a multiple of {factor}",
    "minItems": lambda count: f"a list of at least {count}",
    "uniqueItems": lambda _: "a list without repetition",
    "pattern": lambda _: "small letters, digits and hyphens, no hyphen first",
}


def _check_case(key, case, seeds, spectrum):
    dataset = DATASETS[case["dataset"]]
    examples, training, counterfactuals = case["examples"], case["training"], case["counterfactuals"]
    _at_most(f"{key}.seeds", case.get("seeds", 1), seeds, "the number of seeds")
    _check_model(key, case, dataset)
    _check_examples(key, case["dataset"], examples, dataset)
    _check_training(key, training, examples)
    for regime in case["regimes"]:
        _check_regime(f"{key}.regimes: {regime['name']}", regime, training, examples, counterfactuals)
    names = [regime["name"] for regime in case["regimes"]]
    if len(set(names)) < len(names):
        raise FadingError(f"{key}.regimes has one name twice: {', '.join(names)}.")
    if counterfactuals["epsilon"] == 0:
        raise FadingError(f"{key}.counterfactuals.epsilon: found 0, which changes nothing; any other is accepted.")
    if counterfactuals["steps"] != sorted(set(counterfactuals["steps"])):
        raise FadingError(f"{key}.counterfactuals.steps must ascend; found {counterfactuals['steps']}.")
    left = case["leave_one_out"]
    _at_most(f"{key}.leave_one_out.count", left["count"], examples["train"], "examples.train")
    for name in ("size", "proximal"):
        _at_most(f"{key}.leave_one_out.{name}", left[name], left["count"], "count")
    _at_most("spectrum.examples", spectrum["examples"], examples["train"], f"{key}.examples.train")
    _check_estimators(key, case)


def _check_model(key, case, dataset):
    kind = case["model"]["kind"]
    _member(f"{key}.model.kind", [kind], dataset.kinds, f"{case['dataset']} goes with")
    if kind != "resnet" and case["model"].keys() & {"width", "activation"}:
        raise FadingError(f"{key}.model: a {kind} takes no width and no activation, it has its own.")


def _check_examples(key, name, examples, dataset):
    if dataset.test is None:
        _at_most(
            f"{key}.examples: train and test", examples["train"] + examples["test"], dataset.train, f"all of {name}"
        )
    else:
        _at_most(f"{key}.examples.train", examples["train"], dataset.train, f"all of {name}")
        _at_most(f"{key}.examples.test", examples["test"], dataset.test, f"all of {name}")
    _at_most(f"{key}.examples.measured", examples["measured"], examples["test"], "examples.test")
    if dataset.sentences and "tokens" not in examples:
        raise FadingError(f"{key}.examples has no key 'tokens'; sentences need the number of word pieces to keep.")
    if not dataset.sentences and "tokens" in examples:
        raise FadingError(f"{key}.examples has the key 'tokens', which only sentences take; {name} has images.")


def _check_training(key, training, examples):
    _at_most(f"{key}.training.batch_size", training["batch_size"], examples["train"], "examples.train")
    epoch = math.ceil(examples["train"] / training["batch_size"])
    if training["steps"] < epoch:
        found = training["steps"]
        raise FadingError(f"{key}.training.steps: found {found}; accepted is at least {epoch}, one epoch.")
    if training["checkpoints"] != sorted(training["checkpoints"]):
        raise FadingError(f"{key}.training.checkpoints must ascend; found {training['checkpoints']}.")
    for step in training["checkpoints"]:
        _at_most(f"{key}.training.checkpoints", step, training["steps"], "training.steps")
    for step in (0, training["steps"]):
        _member(
            f"{key}.training.checkpoints, which must hold the first and last step,", [step], training["checkpoints"]
        )


def _check_estimators(key, case):
    chosen, training, influence = case["estimators"], case["training"], case["influence"]
    _member(f"{key}.estimators", chosen, estimators(), "known are")
    if "exact" in chosen and case["model"]["kind"] != "logistic":
        kind = case["model"]["kind"]
        raise FadingError(
            f"{key}.estimators: exact builds the whole Hessian; accepted is abif, cg or minres for a {kind}."
        )
    if not influence["damping"] and not loss_weight_decay(training):
        raise FadingError(f"{key}.influence.damping: found 0; accepted is more where the loss has no weight decay.")
    if "horizon" in chosen and training["optimizer"] != "sgd":
        raise FadingError(f"{key}.estimators: horizon is for sgd; training.optimizer is {training['optimizer']}.")
    if OF_THE_PAST & set(chosen):
        _at_most(f"{key}.influence.horizon", influence["horizon"], training["steps"], "training.steps")


def _check_regime(key, regime, training, examples, counterfactuals):
    _member(f"{key} from", [regime["from"]], training["checkpoints"], "checkpoints are")
    size = training["batch_size"]
    position = regime["from"] % math.ceil(examples["train"] / size) * size  # within the epoch
    batch = min(size, examples["train"] - position)
    _at_most(f"{key}, counterfactuals.examples", counterfactuals["examples"], batch, "the size of its first batch")


def _member(key, values, accepted, introduction="accepted are"):
    for value in values:
        if value not in accepted:
            raise FadingError(f"{key}: found {value}; {introduction} {', '.join(map(str, accepted))}.")


def _at_most(key, value, limit, name):
    if value > limit:
        raise FadingError(f"{key}: found {value}; accepted is at most {limit}, {name}.")
