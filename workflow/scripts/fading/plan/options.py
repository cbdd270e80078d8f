"""Settings of estimators: which there are, and the values that a case's estimators get."""

from fading.influence import ESTIMATORS

SHARED = {  # settings of a case's `influence` that several estimators take; an estimator's own are in its description
    "curvature": {
        "description": "The matrix to invert: hessian, or its positive semi-definite part, gauss-newton.",
        "enum": ["hessian", "gauss-newton"],
        "default": "gauss-newton",
    },
    "curvature_examples": {
        "description": "How many training examples, the first of them, curvature is the mean over; "
        "the study's spectrum.examples by default.",
        "type": "integer",
        "minimum": 1,
    },
    "damping": {
        "description": "λ added to the diagonal of the matrix that is inverted, and of the proximal response.",
        "type": "number",
        "minimum": 0,
        "default": 0.1,
    },
    "iterations": {
        "description": "The most products per right-hand side that an iterative solver spends.",
        "type": "integer",
        "minimum": 1,
        "default": 10,
    },
    "tolerance": {
        "description": "The relative residual at which cg and minres stop.",
        "type": "number",
        "exclusiveMinimum": 0,
        "default": 1e-4,
    },
    "window": {
        "description": "Over how many of the last steps of training an up-weighting acts; all of them by default.",
        "type": "integer",
        "minimum": 1,
    },
    "tests": {
        "description": "On how many of the measured test examples, the first of them, runs are followed back step by "
        "step, which costs as much for each; all of them by default.",
        "type": "integer",
        "minimum": 2,
    },
}


def schemas(estimator: str) -> dict[str, dict]:
    """The settings that an estimator takes of a case's `influence`, with their schemas."""
    description = ESTIMATORS[estimator]
    return {name: SHARED[name] for name in description.settings if name in SHARED} | description.own


def options(config: dict, case: dict, estimator: str) -> dict:
    """An estimator's settings: the case's, else the study's, else the estimator's defaults."""
    taken = schemas(estimator)
    defaults = {
        "curvature_examples": curvature_examples(config, case),
        "window": case["training"]["steps"],
        "tests": tests(case),
    }
    values = {name: schema.get("default", defaults.get(name)) for name, schema in taken.items()}
    return values | {name: value for name, value in case.get("influence", {}).items() if name in taken}


def curvature_examples(config: dict, case: dict) -> int:
    """Over how many training examples, the first of them, all curvature of a case is the mean."""
    return case.get("influence", {}).get("curvature_examples", config["spectrum"]["examples"])


def tests(case: dict) -> int:
    """On how many of a case's measured test examples, the first of them, runs are followed back step by step."""
    return case.get("influence", {}).get("tests", case["examples"]["measured"])


def damping(case: dict) -> float:
    """λ of a case's matrices."""
    return case.get("influence", {}).get("damping", SHARED["damping"]["default"])
