"""The registry of influence estimators: one file each, all with the same signature.

    scores(problem: Problem) -> Scores

Entry (k, z) of the scores predicts dΔ/dε: how the loss of measured test example z changes, in nats, per unit by which
training example k is up-weighted in every step that draws it. Positive is harmful, negative helpful. Those that only
rank (gradient cosine, nearest neighbours, random) have that sign and no unit.

The file gradient_dot.py is the estimator gradient-dot. Files are loaded by name, so that editing one estimator leaves
the results of those in other jobs valid: costly ones have a job each.
"""

from importlib import import_module
from pathlib import Path

USES_SPECTRUM = {"abif", "horizon"}
OF_THE_PAST = {
    "horizon",
    "linear-response",
    "unrolled",
}  # up-weighting until the checkpoint, which says nothing of what follows
BY_EXAMPLE = {
    "cg",
    "linear-response",
    "lissa",
    "minres",
    "unrolled",
}  # costly: score only what counterfactuals weight otherwise
COSTLY = BY_EXAMPLE | {"ekfac", "exact"}  # have jobs of their own; the others of a case share one
SETTINGS = {  # of a case's settings for influence, those that an estimator takes
    "abif": ["damping"],
    "cg": ["curvature", "damping", "iterations", "tolerance"],
    "ekfac": ["damping"],
    "exact": ["curvature", "damping"],
    "horizon": ["horizon"],
    "linear-response": ["horizon"],
    "lissa": ["curvature", "damping", "iterations", "scale"],
    "minres": ["curvature", "damping", "iterations", "tolerance"],
    "unrolled": ["horizon"],
}


def estimators() -> list[str]:
    """The names of all estimators."""
    return sorted(file.stem.replace("_", "-") for file in Path(__file__).parent.glob("[!_]*.py"))


def shared_out(names: list[str]) -> list[str]:
    """The estimators of each job: those of one that several share are joined by +."""
    quick = [name for name in names if name not in COSTLY | OF_THE_PAST]
    return ["+".join(sorted(quick))] * bool(quick) + [name for name in names if name not in quick]


def source(name: str) -> str:
    """The estimator's file, relative to the folder of the scripts."""
    return f"fading/influence/{name.replace('-', '_')}.py"


def load(name: str):
    """The estimator's `scores` function."""
    return import_module(f"fading.influence.{name.replace('-', '_')}").scores
