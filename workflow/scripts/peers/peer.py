"""Run another library and ours side by side on the same model, checkpoint and data."""

from dataclasses import replace

import pandas as pd
import torch
from fading.artefacts.job import Job
from fading.evidence.correlations import spearman_by_example
from fading.models.case import open_case
from fading.peers.comparisons import Task, comparison, missing
from fading.peers.measure import side_by_side
from fading.training.optimizers import SGD
from fading.training.segment import Segment, descend, unpack

STEPS = 20
MEASURED = "relative_error spearman seconds seconds_ours steps steps_ours mebibytes mebibytes_ours"
COLUMNS = ["library", "estimator", "case", *MEASURED.split(), "rounds", "remark"]


def measured(job) -> dict:
    """What both sides take, and how far their answers are apart."""
    settings, compared = job.settings, comparison(job.wildcards["library"], job.wildcards["what"])
    case = open_case(settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), settings["step"])[0]
    few = replace(case, train=case.train[: settings["train"]])
    options = {name: settings[name] for name in ("krylov", "keep", "damping")}
    task = Task(few, theta, torch.arange(settings["hessian_examples"]), **options)
    segment = Segment(case, theta[None], [torch.arange(settings["batch_size"])] * STEPS, SGD(0.0))

    def train():
        *_, (_, state, _) = descend(segment)
        return state

    contestants = [lambda: compared.theirs(task), lambda: compared.ours(task), train]
    (theirs, ours, training), rounds = side_by_side(contestants, settings["repeats"])
    step = training.seconds / STEPS
    error = (theirs.result - ours.result).double().norm() / ours.result.double().norm()
    agreement = spearman_by_example(theirs.result.T.numpy(), ours.result.T.numpy()).mean()
    return {
        "estimator": compared.estimator,
        "relative_error": error.item(),
        "spearman": agreement,
        "seconds": theirs.seconds,
        "seconds_ours": ours.seconds,
        "steps": theirs.seconds / step,
        "steps_ours": ours.seconds / step,
        "mebibytes": theirs.mebibytes,
        "mebibytes_ours": ours.mebibytes,
        "rounds": rounds,
        "remark": compared.remark,
    }


with Job(snakemake) as job:
    row = {name: job.wildcards[name] for name in ("library", "case")}
    if (reason := missing(row["library"])) is None:
        row |= measured(job)
    else:
        row |= {"estimator": job.wildcards["what"], "rounds": 0, "remark": reason}
    job.write("row", pd.DataFrame([row]).reindex(columns=COLUMNS))
