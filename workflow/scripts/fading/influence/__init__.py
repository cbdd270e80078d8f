"""The registry of influence estimators: one file each, all with the same signature.

    scores(case, theta, settings, spectrum=None, progress=iter) -> Tensor (n_train, n_test)

Entry (k, z) predicts dΔ/dε: how the loss of measured test example z changes, in nats, per unit by which training
example k is up-weighted in every step that draws it. Positive is harmful, negative helpful. `settings` are the
estimator's own from the configuration, with learning_rate and steps of the training run; `spectrum` holds the Ritz
pairs at θ for the estimators in USES_SPECTRUM.

The file gradient_dot.py is the estimator gradient-dot. Files are loaded by name, so that editing one estimator leaves
the results of the others valid.
"""

from importlib import import_module
from pathlib import Path

USES_SPECTRUM = {"abif"}


def estimators() -> list[str]:
    """The names of all estimators."""
    return sorted(file.stem.replace("_", "-") for file in Path(__file__).parent.glob("[!_]*.py"))


def source(name: str) -> str:
    """The estimator's file, relative to the folder of the scripts."""
    return f"fading/influence/{name.replace('-', '_')}.py"


def load(name: str):
    """The estimator's `scores` function."""
    return import_module(f"fading.influence.{name.replace('-', '_')}").scores
