"""What the jobs of each rule read: outputs of other jobs, by the names under which scripts know them.

A source is a function of a plan and of a job's wildcards to a Need, a list of them, or None where there is nothing to
read. READS has the sources of the rules that every study has; an experiment names its own in its description.
"""

from collections.abc import Callable
from typing import NamedTuple

from fading.data import WEIGHTS
from fading.experiments import EXPERIMENTS
from fading.experiments.correction.names import GRADIENT_DOT
from fading.influence import ESTIMATORS
from fading.plan.plan import Plan


class Need(NamedTuple):
    """An output of a job: its rule, the output's name there, and the job's wildcards but for the study."""

    rule: str
    output: str
    wildcards: dict[str, str]


Source = Callable[..., "Need | list[Need] | None"]


def needs(plan: Plan, rule: str, wildcards: dict[str, str]) -> dict[str, Need | list[Need]]:
    """What a job reads, by name."""
    if rule in EXPERIMENTS:
        sources = {name: globals()[source] for name, source in EXPERIMENTS[rule].reads.items()}
    else:
        sources = READS.get(rule, {})
    read = {name: source(plan, **wildcards) for name, source in sources.items()}
    return {name: need for name, need in read.items() if need is not None}


def dataset(plan, case, **_):
    return Need("download", "content", {"download": plan.dataset(case).file})


def sentences(plan, case, **_):
    """The dataset, where its examples are sentences, to be shown."""
    return dataset(plan, case) if plan.dataset(case).sentences else None


def encoder(plan, case, **_):
    """The pre-trained weights that encode a case's examples."""
    return _weights(plan.dataset(case).weights)


def pretrained(plan, case, **_):
    """The pre-trained weights from which a case's training starts."""
    return _weights(plan.model(case).weights)


def _weights(name):
    return Need("download", "content", {"download": WEIGHTS[name].file}) if name else None


def examples(plan, case, **_):
    return Need("examples", "examples", {"case": case})


def order(plan, case, run, **_):
    return Need("batches", "order", {"case": case, "run": run})


def checkpoints(plan, case, run, **_):
    return Need("training", "checkpoints", {"case": case, "run": run})


def continuation_order(plan, case, run, regime, **_):
    return Need("continuation_batches", "order", {"case": case, "run": run, "regime": regime})


def _spectrum(case, run, step):
    return Need("spectrum", "spectrum", {"case": case, "run": run, "step": str(step)})


def spectrum_after_training(plan, case, run, **_):
    return _spectrum(case, run, plan.end(case))


def spectrum_at_fork(plan, case, run, regime, **_):
    return _spectrum(case, run, plan.regimes(case)[regime]["from"])


def spectra_along_training(plan, case, run, **_):
    return [_spectrum(case, run, step) for step in plan.along_training(case)]


def spectrum_of_estimator(plan, case, run, estimator, step, **_):
    return _spectrum(case, run, step) if ESTIMATORS[estimator].spectrum else None


def order_of_estimator(plan, case, run, estimator, **_):
    """The batches of training, for estimators that score what counterfactuals weight otherwise."""
    return order(plan, case, run) if ESTIMATORS[estimator].by_example else None


def forks_of_estimator(plan, case, run, estimator, step, **_):
    """The batches of the regimes that fork at the step, for estimators that score what these up-weight."""
    description = ESTIMATORS[estimator]
    if not description.by_example or description.of_the_past:
        return None
    forks = [name for name, regime in plan.regimes(case).items() if str(regime["from"]) == step]
    return [continuation_order(plan, case, run, regime) for regime in forks]


def _scores(case, run, estimator, step):
    return Need("scores", "scores", {"case": case, "run": run, "estimator": estimator, "step": str(step)})


def scores_after_training(plan, case, run, **_):
    return [_scores(case, run, name, plan.end(case)) for name in plan.estimators(case)]


def scores_of_rankers(plan, case, run, **_):
    return [_scores(case, run, name, plan.end(case)) for name in plan.rankers(case)]


def scores_at_fork(plan, case, run, regime, **_):
    step = plan.regimes(case)[regime]["from"]
    return [_scores(case, run, name, step) for name in plan.forward_estimators(case)]


def gradient_dots_after_training(plan, case, run, **_):
    return _scores(case, run, GRADIENT_DOT, plan.end(case))


def gradient_dots_half_way(plan, case, run, **_):
    _, half_way, _ = plan.along_training(case)
    return _scores(case, run, GRADIENT_DOT, half_way)


def scores_along_training(plan, case, run, **_):
    """Of the estimators whose rankings are compared, one after the other, at every checkpoint but the start."""
    _, *steps = plan.along_training(case)
    return [_scores(case, run, name, step) for name in _compared(plan) for step in steps]


def scores_of_another_order(plan, case, run, **_):
    other = plan.another_order(plan.seeds_of_runs[run]["seed"])
    return [_scores(case, other, name, plan.end(case)) for name in _compared(plan)]


def scores_of_all_seeds(plan, case, **_):
    return [_scores(case, run, name, plan.end(case)) for name in _compared(plan) for run in plan.runs(case)]


def _compared(plan):
    return plan.config["assumptions"]["estimators"]


def changes_left_out(plan, case, run, **_):
    chunks = plan.retraining_chunks(case)
    return [Need("retraining", "changes", {"case": case, "run": run, "chunk": str(chunk)}) for chunk in chunks]


def changes_proximal(plan, case, run, **_):
    return Need("proximal", "changes", {"case": case, "run": run})


def changes_up_weighted(plan, case, run, regime, **_):
    where = {"case": case, "run": run, "regime": regime}
    return [Need("up_weighting", "changes", {**where, "chunk": str(chunk)}) for chunk in plan.up_weighting_chunks(case)]


def first_changes_up_weighted(plan, case, run, regime, **_):
    return changes_up_weighted(plan, case, run, regime)[0]


def solutions(plan, case, run, **_):
    """What the experiment on stability solved for."""
    return Need("stability", "scores", {"case": case, "run": run})


READS: dict[str, dict[str, Source]] = {
    "examples": {"source": dataset, "weights": encoder},
    "training": {"weights": pretrained, "examples": examples, "order": order},
    "spectrum": {"examples": examples, "checkpoints": checkpoints},
    "scores": {
        "examples": examples,
        "checkpoints": checkpoints,
        "order": order_of_estimator,
        "forks": forks_of_estimator,
        "spectrum": spectrum_of_estimator,
    },
    "retraining": {"examples": examples, "order": order, "checkpoints": checkpoints},
    "proximal": {"examples": examples, "order": order, "checkpoints": checkpoints},
    "up_weighting": {
        "examples": examples,
        "order": continuation_order,
        "checkpoints": checkpoints,
        "spectrum": spectrum_at_fork,
    },
    "peer": {"examples": examples, "checkpoints": checkpoints},
    "case_benchmark": {"examples": examples, "checkpoints": checkpoints},
}


def jobs_of(plan: Plan, experiment: str) -> list[dict[str, str]]:
    """The wildcards of an experiment's jobs: each case, run and, where it is of regimes, regime."""
    description = EXPERIMENTS[experiment]
    runs = [
        {"case": case, "run": run}
        for case in plan.cases_of(description.cases)
        for run in plan.runs(case, description.first_seed)
    ]
    if description.of == "run":
        return runs
    return [{**at, "regime": regime} for at in runs for regime in plan.regimes(at["case"])]


def frames(plan: Plan, table: str) -> list[Need]:
    """What a public table of an experiment is joined from."""
    experiment = plan.tables[table]
    output = EXPERIMENTS[experiment].tables[table]["output"]
    return [Need(experiment, output, at) for at in jobs_of(plan, experiment)]
