import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import yaml
from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
RULES = SCRIPTS.parent / "rules"
sys.path.insert(0, str(SCRIPTS))
# Jobs run the library of this clone, whichever clone their environment was made in, and load no model from a hub.
os.environ.update(PYTHONPATH=str(SCRIPTS), HF_HUB_OFFLINE="1")

from fading.catalogue import DATASETS
from fading.closure import imports as closure
from fading.errors import FadingError
from fading.influence import BY_EXAMPLE, OF_THE_PAST, SETTINGS, USES_SPECTRUM, shared_out, source
from fading.methods import GRADIENT_DOT, rankers
from fading.settings import check, check_claims, loss_weight_decay

CLAIMS = yaml.safe_load(Path(workflow.basedir, "config/claims.yaml").read_text())
try:
    check(config)
    check_claims(CLAIMS, config)
except FadingError as error:
    raise WorkflowError(str(error))
config.update(json.loads(json.dumps(config, sort_keys=True)))  # reordering keys must change no settings

ASSUMED = [case for case in config["assumptions"]["cases"] if case in config["cases"]]  # their assumptions are tested
CORRECTED = [case for case in config["correction"]["cases"] if case in config["cases"]]
PLANTED = config["correction"]["planted"]
CHUNK = 8  # counterfactuals per job: long enough to be worth a process, short enough to share two cores
RUN = "results/{study}/{case}/seed-{seed}"
REGIME = f"{RUN}/regimes/{{regime}}"
TOPICS = [
    *("loo", "fading", "decomposition", "convexity", "stability", "trajectory", "expansion", "divergence"),
    *("correction", "planted", "gallery"),
]


wildcard_constraints:
    study="[a-z0-9-]+",
    case="[a-z0-9-]+",
    regime="[a-z0-9-]+",
    estimators="[a-z0-9+-]+",
    seed=r"\d+(-order-\d+)?",  # 0-order-1 starts as seed 0 does and draws its batches in the order of seed 1
    step=r"\d+",
    chunk=r"\d+",
    comparison="[a-z-]+",


def imports(*sources):
    """A script and every library module it imports: the code a rule depends on."""
    return [f"workflow/scripts/{file}" for file in closure(*sources)]


def definition(wildcards):
    return config["definitions"][wildcards.case]


def regime(wildcards):
    return next(one for one in definition(wildcards)["regimes"] if one["name"] == wildcards.regime)


def seeds(case):
    """The study's seeds with which the case runs."""
    return config["seeds"][: config["definitions"][case].get("seeds")]


def one_case(pattern, case, **wildcards):
    """The pattern for one case with every seed of it and every value of the other wildcards."""
    return expand(pattern, study=config["study"], case=case, seed=seeds(case), **wildcards)


def runs(pattern, cases=config["cases"]):
    """The pattern for every seed of the cases, of all of the study where none are named."""
    return [path for case in cases for path in one_case(pattern, case)]


def regimes(case):
    return [one["name"] for one in config["definitions"][case]["regimes"]]


def continuations(pattern):
    """The pattern for every case, seed and regime of the study."""
    return [path for case in config["cases"] for path in one_case(pattern, case, regime=regimes(case))]


def first_runs(pattern, cases, **wildcards):
    """The pattern for the first seed of each case, for what is measured once."""
    return expand(pattern, study=config["study"], case=cases, seed=config["seeds"][0], **wildcards)


def first_continuations(pattern):
    """The pattern for every case and regime of the first seed."""
    return [path for case in config["cases"] for path in first_runs(pattern, [case], regime=regimes(case))]


def public(table, name):
    """A table that the report shows."""
    return report(table, category="Tables", labels={"table": name}, caption="../report/table.rst")
