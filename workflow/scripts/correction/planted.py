"""Find planted errors along training by what influences the loss, mend what was found, and train on."""

from itertools import product

import pandas as pd
import torch
from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.correction.names import EVERYTHING, NOTHING, REMEDIES
from fading.experiments.correction.planted import (
    average_precision,
    folds,
    gains,
    losses_without,
    recovered,
    remedied,
    suspects,
    suspicions,
)
from fading.models.case import open_case
from fading.training.optimizers import make_optimizer
from fading.training.order import batch_order
from fading.training.segment import Segment, batches, unpack

with Job(snakemake) as job:
    settings, examples, checkpoints = job.settings, job.read("examples"), job.read("checkpoints")
    case, seed, (_, *steps) = open_case(settings, examples), settings["seed"], settings["checkpoints"]
    true_labels = torch.as_tensor(examples["train_labels"])
    planted = case.train.labels != true_labels
    whole = Segment(case, unpack(case, checkpoints, 0), batches(job.read("order")), make_optimizer(settings))

    def without(fold):
        return {"losses": {"losses": losses_without(whole, fold, steps).numpy(force=True)}}

    held_out = torch.empty(len(steps), len(case.train), dtype=case.dtype)
    for number, fold in enumerate(job.progress(folds(len(case.train), seed))):
        held_out[:, fold] = torch.as_tensor(job.once(f"fold-{number}", without, fold)["losses"]["losses"])
    scored = dict(zip(product(steps, settings["estimators"]), job.read("scores"), strict=True))
    precisions, recovery = [], []
    for step, losses in zip(steps, held_out, strict=True):
        where = {"case": job.wildcards["case"], "seed": seed, "step": step}
        state = unpack(case, checkpoints, step)
        scores = {name: torch.as_tensor(scored[step, name]["scores"]) for name in settings["estimators"]}
        suspicion = suspicions(case, state[0], scores, losses, seed)
        found = [(method, average_precision(suspected, planted)) for method, suspected in suspicion.items()]
        precisions.append(located(pd.DataFrame(found, columns=["method", "average_precision"]), **where))
        suspected = {method: suspects(values, planted.sum()) for method, values in suspicion.items()}
        suspected |= {EVERYTHING: planted.nonzero()[:, 0], NOTHING: torch.arange(0)}
        upcoming = batches(
            batch_order(len(case.train), settings["batch_size"], step, step + settings["recovery"], seed)
        )
        onwards, hits = Segment(case, state, upcoming, make_optimizer(settings, settings["rate"]), step), {}
        for method, remedy in job.progress(list(product(suspected, REMEDIES))):
            treated = remedied(case, remedy, suspected[method], true_labels)
            hits[method, remedy] = recovered(onwards, *treated).numpy(force=True)
            print(f"step {step}, {method}, {remedy}: accuracy {hits[method, remedy].mean():.3f}")
        recovery.append(located(gains(hits), **where))
    job.write("precision", pd.concat(precisions, ignore_index=True))
    job.write("recovery", pd.concat(recovery, ignore_index=True))
