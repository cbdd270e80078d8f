"""What the jobs of each rule read: outputs of other jobs, by the names under which scripts know them.

A source is a function of a plan and of a job's wildcards to a Need, a list of them, or None where there is nothing to
read. READS has the sources of the rules that every study has; an experiment names its own in its description. GIVEN has
the rules whose jobs read files that no job makes, the user's own, and nothing else.
"""

from collections.abc import Callable
from typing import NamedTuple

from fading.data import WEIGHTS
from fading.data.checkpoints import local
from fading.experiments.correction.names import GRADIENT_DOT
from fading.influence import ESTIMATORS


class Need(NamedTuple):
    """An output of a job: its rule, the output's name there, and the job's wildcards but for the study."""

    rule: str
    output: str
    wildcards: dict[str, str]


Source = Callable[..., "Need | list[Need] | None"]
SOURCES: dict[str, Source] = {}


def source(function: Source) -> Source:
    """Make it known by its name."""
    SOURCES[function.__name__] = function
    return function


@source
def dataset(plan, case, **_):
    if isinstance(plan.definition(case)["dataset"], str):
        return Need("download", "content", {"download": plan.dataset(case).file})
    made = "parquet" if plan.dataset(case).sentences else "safetensors"
    return Need("source", "source", {"case": case, "format": made})


@source
def sentences(plan, case, **_):
    """The dataset, where its examples are sentences, to be shown."""
    return dataset(plan, case) if plan.dataset(case).sentences else None


@source
def encoder(plan, case, **_):
    """The pre-trained weights that encode a case's examples."""
    return _weights(plan.encoder(case))


@source
def pretrained(plan, case, **_):
    """The pre-trained weights from which a case's training starts."""
    checkpoint = plan.checkpoint(case)
    return Need("pretrained", "weights", {"case": case}) if isinstance(checkpoint, dict) else _weights(checkpoint)


@source
def pretrained_in_part(plan, case, **_):
    """The same, where some of it may stay as it is, or its tokenizer reads the examples."""
    return pretrained(plan, case) if plan.model(case).frozen else None


def _weights(name):
    return Need("download", "content", {"download": WEIGHTS[name].file}) if name else None


@source
def examples(plan, case, **_):
    return Need("examples", "examples", {"case": case})


@source
def order(plan, case, run, **_):
    return Need("batches", "order", {"case": case, "run": run})


@source
def checkpoints(plan, case, run, **_):
    return Need("training", "checkpoints", {"case": case, "run": run})


@source
def curve(plan, case, run, **_):
    """What training went like."""
    return Need("training", "curve", {"case": case, "run": run})


@source
def continuation_order(plan, case, run, regime, **_):
    return Need("continuation_batches", "order", {"case": case, "run": run, "regime": regime})


def _spectrum(case, run, step):
    return Need("spectrum", "spectrum", {"case": case, "run": run, "step": str(step)})


@source
def spectrum_after_training(plan, case, run, **_):
    return _spectrum(case, run, plan.end(case))


@source
def spectrum_at_fork(plan, case, run, regime, **_):
    return _spectrum(case, run, plan.regimes(case)[regime]["from"])


@source
def spectra_along_training(plan, case, run, **_):
    return [_spectrum(case, run, step) for step in plan.steps_of_spectra(case, run)]


@source
def spectrum_of_estimator(plan, case, run, estimator, step, **_):
    return _spectrum(case, run, step) if ESTIMATORS[estimator].spectrum else None


@source
def order_of_estimator(plan, case, run, estimator, **_):
    """The batches of training, for estimators that replay it."""
    return order(plan, case, run) if ESTIMATORS[estimator].replays else None


@source
def checkpoints_of_others(plan, case, run, estimator, **_):
    """Those of the case's other runs, for estimators that average over several."""
    others = [other for other in plan.runs(case) if other != run]
    return [checkpoints(plan, case, other) for other in others] if ESTIMATORS[estimator].ensemble else None


def _scores(case, run, estimator, step):
    return Need("scores", "scores", {"case": case, "run": run, "estimator": estimator, "step": str(step)})


@source
def scores_after_training(plan, case, run, **_):
    return [_scores(case, run, name, plan.end(case)) for name in plan.estimators(case)]


@source
def scores_of_ladder(plan, case, run, **_):
    return [_scores(case, run, name, plan.end(case)) for name in plan.ladder(case)]


@source
def scores_of_rankers(plan, case, run, **_):
    return [_scores(case, run, name, plan.end(case)) for name in plan.rankers(case)]


@source
def scores_of_rankers_along_training(plan, case, run, **_):
    """The same at every checkpoint but the start, one checkpoint after the other."""
    _, *steps = plan.definition(case)["training"]["checkpoints"]
    return [_scores(case, run, name, step) for step in steps for name in plan.rankers(case)]


@source
def scores_at_fork(plan, case, run, regime, **_):
    step = plan.regimes(case)[regime]["from"]
    return [_scores(case, run, name, step) for name in plan.forward_estimators(case)]


@source
def scores_of_stand_ins(plan, case, run, **_):
    return [_scores(case, run, name, plan.end(case)) for name in plan.stand_ins(case)]


@source
def gradient_dots_half_way(plan, case, run, **_):
    _, half_way, _ = plan.along_training(case)
    return _scores(case, run, GRADIENT_DOT, half_way)


@source
def scores_along_training(plan, case, run, **_):
    """Of the estimators whose rankings are compared, one after the other, at every checkpoint but the start."""
    _, *steps = plan.along_training(case)
    return [_scores(case, run, name, step) for name in _compared(plan) for step in steps]


@source
def scores_of_another_order(plan, case, run, **_):
    other = plan.another_order(plan.seeds_of_runs[run]["seed"])
    return [_scores(case, other, name, plan.end(case)) for name in _compared(plan)]


@source
def scores_of_all_seeds(plan, case, **_):
    return [_scores(case, run, name, plan.end(case)) for name in _compared(plan) for run in plan.runs(case)]


def _compared(plan):
    return plan.config["assumptions"]["estimators"]


@source
def changes_left_out(plan, case, run, **_):
    chunks = plan.retraining_chunks(case)
    return [Need("retraining", "changes", {"case": case, "run": run, "chunk": str(chunk)}) for chunk in chunks]


@source
def changes_removed(plan, case, run, **_):
    return [_removed(case, run, chunk) for chunk in plan.removal_chunks(case, run)]


@source
def changes_removed_again(plan, case, **_):
    return [_removed(case, run, chunk) for _, run, chunk in plan.removed_again(case)]


def _removed(case, run, chunk):
    return Need("removed", "changes", {"case": case, "run": run, "chunk": str(chunk)})


@source
def uses_in_training(plan, case, run, **_):
    """What every use of every example did to the losses after training."""
    return _scores(case, run, plan.whole_run_estimator(case), plan.end(case))


@source
def changes_proximal(plan, case, run, **_):
    return Need("proximal", "changes", {"case": case, "run": run})


@source
def changes_up_weighted(plan, case, run, regime, **_):
    where = {"case": case, "run": run, "regime": regime}
    return [Need("up_weighting", "changes", {**where, "chunk": str(chunk)}) for chunk in plan.up_weighting_chunks(case)]


@source
def path_of_regime(plan, case, run, regime, **_):
    """The curvature that its unchanged continuation meets."""
    return Need("path", "path", {"case": case, "run": run, "regime": regime})


@source
def solutions(plan, case, run, **_):
    """What the experiment on stability solved for, of the first run alone."""
    first = run in plan.runs(case, first_alone=True)
    return Need("stability", "scores", {"case": case, "run": run}) if first else None


READS: dict[str, dict[str, Source]] = {
    "examples": {"source": dataset, "weights": encoder, "pretrained": pretrained_in_part},
    "training": {"weights": pretrained, "examples": examples, "order": order},
    "spectrum": {"examples": examples, "checkpoints": checkpoints},
    "scores": {
        "examples": examples,
        "checkpoints": checkpoints,
        "order": order_of_estimator,
        "others": checkpoints_of_others,
        "spectrum": spectrum_of_estimator,
    },
    "retraining": {"examples": examples, "order": order, "checkpoints": checkpoints},
    "removed": {"examples": examples, "order": order, "checkpoints": checkpoints},
    "proximal": {"examples": examples, "order": order, "checkpoints": checkpoints},
    "up_weighting": {
        "examples": examples,
        "order": continuation_order,
        "checkpoints": checkpoints,
        "spectrum": spectrum_at_fork,
    },
    "path": {"examples": examples, "order": continuation_order, "checkpoints": checkpoints},
    "peer": {"examples": examples, "checkpoints": checkpoints},
    "case_benchmark": {"examples": examples, "checkpoints": checkpoints},
}


def _dataset_given(plan, case, **_):
    return [plan.definition(case)["dataset"][split] for split in ("train", "test")]


def _checkpoint_given(plan, case, **_):
    return local(plan.checkpoint(case))


GIVEN: dict[str, Callable[..., list[str]]] = {"source": _dataset_given, "pretrained": _checkpoint_given}
