# What a job reads: fading/plan/wiring.py; its settings: fading/plan/settings.py; of an experiment: its own file.
import os
import sys

from snakemake.exceptions import WorkflowError

SCRIPTS = ROOT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from fading.artefacts import budget, devices
from fading.data import DATASETS, WEIGHTS, source_of
from fading.errors import FadingError
from fading.experiments import EXPERIMENTS
from fading.influence import ESTIMATORS
from fading.models import MODELS
from fading.peers import PEERS
from fading.plan import jobs, locks, reading
from fading.plan.closure import imports, project, there
from fading.plan.failures import killed
from fading.plan.naming import job_file, job_name, table_rule
from fading.plan.plan import RUNNING, Plan
from fading.plan.settings import settings as settings_of
from fading.plan.surroundings import surroundings
from fading.plan.wiring import Need

os.environ.update(surroundings(SCRIPTS))
locks.hold(alone=workflow.is_main_process)

RUNS = {name: config.pop(name, default) for name, default in zip(RUNNING, ("cpu", budget.DEFAULT), strict=True)}

if workflow.modifier.modify_rulename("all") != "all":
    raise WorkflowError("The module's rules have other names here; accepted are their own, which lineage records.")

try:
    devices.check(RUNS["device"])
    budget.parsed(RUNS["budget"])
    if workflow.is_main_process:
        reading.check_files(workflow.configfiles, config.get("study"))
    PLAN = Plan(config, reading.read(ROOT / "config/claims.yaml"))
    JOBS = jobs.jobs(PLAN, jobs.STUDY)
except FadingError as error:
    raise WorkflowError(str(error))

config.update(RUNS)  # how jobs run, which no study depends on, for scripts to see

STUDY = "results/{study}"
RUN = f"{STUDY}/{{case}}/seed-{{run}}"
REGIME = f"{RUN}/regimes/{{regime}}"


wildcard_constraints:
    study=config["study"],
    case="[a-z0-9-]+",
    regime="[a-z0-9-]+",
    estimator="[a-z0-9-]+",
    library="[a-z0-9-]+",
    what="[a-z0-9-]+",
    run=r"\d+(-order-\d+)?",  # 0-order-1 starts as 0 does and draws its batches in the order of seed 1
    step=r"\d+",
    chunk=r"\d+",
    format="parquet|safetensors",
    download="|".join(description.file for description in (*DATASETS.values(), *WEIGHTS.values())),


def ours(file):
    """A file of the workflow, which as a module of another lies elsewhere than that runs."""
    return file if Path.cwd() == ROOT else str(ROOT / file)


def peak(megabytes):
    """For schedulers: what jobs of the default budget hold at most, measured, and a quarter more; more at each try."""
    beyond = max(0, budget.parsed(RUNS["budget"]) - budget.parsed(budget.DEFAULT)) >> 20
    return lambda wildcards, attempt: attempt * (megabytes + beyond)


def own(wildcards):
    """The wildcards but for the study, of which there is one."""
    return {name: value for name, value in wildcards.items() if name != "study"}


def files(need):
    """The file of an output that a job reads, or the files of several."""
    if not isinstance(need, Need):
        return [files(each) for each in need]
    return getattr(getattr(rules, need.rule).output, need.output).format(study=config["study"], **need.wildcards)


def reads(rule):
    """What a rule's jobs read, by the names under which its script knows them."""
    return lambda wildcards: {name: files(need) for name, need in jobs.reads(PLAN, rule, own(wildcards)).items()}


def given(rule):
    """The user's files that a rule's jobs read."""
    return lambda wildcards: jobs.given(PLAN, rule, own(wildcards))


def settings(rule):
    """The settings of a rule's jobs."""
    return lambda wildcards: settings_of(PLAN, rule, own(wildcards))


def code(script, *sources):
    """A script, what it loads by name (files, or functions of the wildcards), and every module that these import."""

    there(script)  # or it would go unnoticed as long as its results are there

    def closure(wildcards):
        loaded = (source(wildcards) if callable(source) else source for source in sources)
        return [ours(f"workflow/scripts/{file}") for file in imports(script, *filter(None, loaded))]

    return closure


def model(wildcards):
    """The file of a case's model."""
    return MODELS.source(PLAN.definition(wildcards.case)["model"]["kind"])


def dataset(wildcards):
    """The file of a case's dataset."""
    return source_of(PLAN.definition(wildcards.case)["dataset"])


def encoder(wildcards):
    """The file of the weights that encode its examples, if any do."""
    weights = PLAN.encoder(wildcards.case)
    return WEIGHTS.source(weights) if weights else None


def frozen(wildcards):
    """The file of a case's model, if a part of it may stay as it was pre-trained."""
    return model(wildcards) if PLAN.model(wildcards.case).frozen else None


def public(path, category, caption, **labels):
    """An output that the report shows."""
    return report(path, category=category, labels=labels, caption=f"../report/{caption}.rst")


def log_of(rule, *wildcards):
    """Where a rule's jobs write their logs."""
    return job_file("logs", rule, {name: f"{{{name}}}" for name in wildcards})


def times_of(rule, *wildcards):
    """Where Snakemake writes how long a rule's jobs took."""
    return job_file("times", rule, {name: f"{{{name}}}" for name in wildcards})


def experiments_of(stage):
    """The experiments that belong to a stage."""
    return [name for name, experiment in EXPERIMENTS.items() if experiment.stage == stage]


def stage(*names):
    """What the study's jobs of these rules make, wherever the rules stand."""
    return lambda wildcards: [
        pattern.format(study=config["study"], **job.wildcards)
        for job in JOBS
        if job.rule in names
        for pattern in getattr(rules, job.rule).output
    ]
