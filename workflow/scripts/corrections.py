"""Correct mis-predictions, and turn right ones wrong, by every method and intervention."""

import torch
from fading.cases import open_case
from fading.correction import Trained
from fading.job import Job
from fading.methods import EARLIER, GRADIENT_DOT
from fading.order import batch_order
from fading.tables import by_estimator, located
from fading.training import batches, kept_steps, unpack
from fading.trials import trials

with Job(snakemake) as job:
    settings, order, arrays = job.settings, job.read("order"), job.read("checkpoints")
    case, start = open_case(settings, job.read("examples")), settings["from"]
    checkpoints = {step: unpack(case, arrays, step) for step in kept_steps(arrays)}
    stop = start + settings["steps"][-1]
    upcoming = batches(batch_order(len(case.train), settings["batch_size"], start, stop, job.order_seed))
    trained = Trained(case, checkpoints[start], start, upcoming, settings["others"])
    found, earlier = by_estimator(job.read("scores")), by_estimator(job.read("earlier"))
    scores = {name: torch.from_numpy(found[name]["scores"]) for name in settings["estimators"]}
    scores[EARLIER] = torch.from_numpy(earlier[GRADIENT_DOT]["scores"])
    where = {"case": job.wildcards["case"], "seed": job.seed}
    frame, paths = trials(trained, scores, checkpoints, order, settings, job.progress)
    job.write("trials", located(frame, **where))
    job.write("paths", located(paths, **where))
