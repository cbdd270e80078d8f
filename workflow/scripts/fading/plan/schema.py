"""The shape that a configuration must have: the files of schemas/, with what describes itself filled in."""

import json
import math
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from jsonschema.validators import extend

from fading.data import DATASETS
from fading.errors import FadingError
from fading.influence import ESTIMATORS
from fading.models import MODELS
from fading.plan.options import SHARED

SCHEMAS = Path(__file__).parent / "schemas"
SENSE = {"integer": 10**9, "number": 10**6}  # more is refused where a schema sets no bound of its own


def configuration() -> dict:
    """The schema of a configuration, with the datasets, models and settings of estimators that there are."""
    schema = json.loads((SCHEMAS / "config.schema.json").read_text())
    case = schema["$defs"]["case"]["properties"]
    case["dataset"]["then"]["enum"] = list(DATASETS)
    case["model"]["properties"]["kind"]["enum"] = list(MODELS)
    common = case["model"]["properties"]
    case["model"]["allOf"] = [
        {
            "if": {"required": ["kind"], "properties": {"kind": {"const": kind}}},
            "then": {
                "required": list(model.settings),
                "additionalProperties": False,
                "properties": common | model.settings | model.optional,
            },
        }
        for kind, model in MODELS.items()
    ]
    own = {name: schema for estimator in ESTIMATORS.values() for name, schema in estimator.own.items()}
    case["influence"]["properties"] = SHARED | own
    return _bounded(schema)


def claims() -> dict:
    """The schema of the claims."""
    return _bounded(json.loads((SCHEMAS / "claims.schema.json").read_text()))


def _bounded(schema):
    if isinstance(schema, list):
        return [_bounded(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    bounds = {"maximum": SENSE[schema["type"]]} if schema.get("type") in SENSE.keys() - schema.keys() else {}
    return bounds | {key: _bounded(part) for key, part in schema.items()}


def check_shape(instance, schema: dict, whole: str) -> None:
    """Raise FadingError, one sentence naming the key, unless the instance has the schema's shape.

    `whole` names the instance.
    """
    error = best_match(Validator(schema).iter_errors(instance))
    if error is None:
        return
    key = ".".join([*([whole] if isinstance(instance, list) else []), *map(str, error.absolute_path)]) or whole
    if error.validator == "additionalProperties":
        accepted = error.schema["properties"]
        unknown = ", ".join(repr(name) for name in error.instance if name not in accepted)
        raise FadingError(f"{key} has the unknown key {unknown}; accepted are {', '.join(accepted)}.")
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        raise FadingError(f"{key} lacks {', '.join(missing)}, which a study must give.")
    accepted = ACCEPTED[error.validator](error.validator_value)
    raise FadingError(f"{key}: found {error.instance!r}; accepted is {accepted}.")


def _integer(checker, value):
    return isinstance(value, int) and not isinstance(value, bool)


def _number(checker, value):
    return _integer(checker, value) or (isinstance(value, float) and math.isfinite(value))


# JSON Schema takes 126.0 for an integer, and YAML can write .nan: neither makes a step or a learning rate.
Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": _integer, "number": _number}),
)
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
    "exclusiveMaximum": lambda limit: f"less than {limit}",
    "multipleOf": lambda factor: f"a multiple of {factor}",
    "minItems": lambda count: f"a list of at least {count}",
    "maxItems": lambda count: f"a list of at most {count}",
    "uniqueItems": lambda _: "a list without repetition",
    "minLength": lambda _: "text that is not empty",
    "maxLength": lambda limit: f"text of at most {limit} characters",
    "pattern": lambda pattern: PATTERNS.get(pattern, f"text like {pattern}"),
}
PATTERNS = {
    r"^[a-z0-9][a-z0-9-]*$(?!\n)": "small letters, digits and hyphens, no hyphen first",
    r"\.safetensors$": "a .safetensors file",
    r"^[\w.-]+/[\w.-]+$": "an owner and a name, owner/name",
    "^[0-9a-f]{40}$": "40 hexadecimal digits",
    "^[0-9a-f]{64}$": "64 hexadecimal digits",
    "^(all|head|last-[1-9][0-9]*)$": "all, head, or last- with a number of layers",
}
