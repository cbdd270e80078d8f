import os
import sys
from itertools import product
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))
# Jobs run the library of this clone, whichever clone their environment was made in.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(SCRIPTS), os.environ.get("PYTHONPATH")]))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from fading.closure import imports as closure
from fading.errors import FadingError
from fading.settings import check

try:
    check(config)
except FadingError as error:
    raise WorkflowError(str(error))

CHUNK = 8  # counterfactuals per job: long enough to be worth a process, short enough to share two cores
RUN = "results/{study}/{case}/seed-{seed}"
REGIME = f"{RUN}/regimes/{{regime}}"


wildcard_constraints:
    study="[a-z0-9-]+",
    case="[a-z0-9-]+",
    regime="[a-z0-9-]+",
    estimator="[a-z0-9-]+",
    seed=r"\d+",
    step=r"\d+",
    chunk=r"\d+",


def imports(*sources):
    """A script and every library module it imports: the code a rule depends on."""
    return [f"workflow/scripts/{file}" for file in closure(*sources)]


def definition(wildcards):
    return config["definitions"][wildcards.case]


def regime(wildcards):
    return next(one for one in definition(wildcards)["regimes"] if one["name"] == wildcards.regime)


def case_settings(wildcards):
    """What it takes to open a case."""
    case = definition(wildcards)
    return {
        "dataset": case["dataset"],
        "model": case["model"],
        "measured": case["examples"]["measured"],
        "weight_decay": case["training"]["weight_decay"],
    }


def training_settings(wildcards, *names):
    return {name: definition(wildcards)["training"][name] for name in names}


def continuation_settings(wildcards):
    """What it takes to continue a case's training in a regime."""
    return {
        **case_settings(wildcards),
        "from": regime(wildcards)["from"],
        "learning_rate": regime(wildcards)["learning_rate"],
        "steps": definition(wildcards)["counterfactuals"]["steps"],
    }


def needs_minilm(wildcards):
    """The pre-trained weights, for the cases that use them."""
    sentences = definition(wildcards)["dataset"] == "movie-reviews"
    return {"weights": "resources/minilm.safetensors"} if sentences else {}


def chunks(counterfactuals):
    """The numbers of the jobs that so many counterfactuals make."""
    return range(-(-counterfactuals // CHUNK))


def runs(pattern):
    """The pattern for every case and seed of the study."""
    return expand(pattern, study=config["study"], case=config["cases"], seed=config["seeds"])


def continuations(pattern):
    """The pattern for every case, seed and regime of the study."""
    return [
        path
        for case in config["cases"]
        for one in config["definitions"][case]["regimes"]
        for path in expand(pattern, study=config["study"], case=case, seed=config["seeds"], regime=one["name"])
    ]
