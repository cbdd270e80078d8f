"""Run another library and ours side by side on the same model, checkpoint and data."""

from dataclasses import replace

import pandas as pd
import torch
from fading.cases import open_case
from fading.job import Job
from fading.measure import side_by_side
from fading.optimizers import SGD
from fading.peers import Setting, comparison
from fading.statistics import spearman_by_example
from fading.training import descend, unit_weights, unpack

STEPS = 20

with Job(snakemake) as job:
    settings, compared = job.settings, comparison(job.wildcards["comparison"])
    case = open_case(settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), settings["step"])[0]
    few = replace(case, train=case.train[: settings["train"]])
    chosen = {name: settings[name] for name in ("krylov", "keep", "damping")}
    setting = Setting(few, theta, torch.arange(settings["hessian_examples"]), **chosen)
    batches = [torch.arange(settings["batch_size"])] * STEPS

    def train():
        *_, (_, state, _) = descend(case, theta[None], batches, SGD(0.0), unit_weights(case))
        return state

    contestants = [lambda: compared.theirs(setting), lambda: compared.ours(setting), train]
    (theirs, ours, training), rounds = side_by_side(contestants, settings["repeats"])
    step = training.seconds / STEPS
    error = (theirs.result - ours.result).double().norm() / ours.result.double().norm()
    agreement = spearman_by_example(theirs.result.T.numpy(), ours.result.T.numpy()).mean()
    row = {
        "library": compared.library,
        "estimator": compared.estimator,
        "case": job.wildcards["case"],
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
    job.write("row", pd.DataFrame([row]))
