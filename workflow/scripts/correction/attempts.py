"""Correct mis-predictions, and turn right ones wrong, by every method and intervention."""

import torch
from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.correction.attempts import trials
from fading.experiments.correction.interventions import Trained
from fading.experiments.correction.names import EARLIER
from fading.experiments.effects import by_place
from fading.models.case import open_case
from fading.training.order import batch_order, candidates
from fading.training.segment import batches, unpack_all

with Job(snakemake) as job:
    settings, start = job.settings, job.settings["from"]
    case = open_case(settings, job.read("examples"))
    checkpoints, stop = unpack_all(case, job.read("checkpoints")), start + settings["steps"][-1]
    upcoming = batches(batch_order(len(case.train), settings["batch_size"], start, stop, settings["seed"]))
    trained = Trained(case, checkpoints[start], start, upcoming, settings["others"], settings["seed"])
    scored = dict(zip(settings["estimators"], job.read("scores"), strict=True)) | {EARLIER: job.read("earlier")}
    count, among = len(case.train), candidates(len(case.train), settings)
    scores = {name: torch.as_tensor(by_place(arrays, count, among)) for name, arrays in scored.items()}
    where = {"case": job.wildcards["case"], "seed": settings["seed"]}
    frame, paths = trials(trained, scores, checkpoints, job.read("order"), settings, job.progress)
    job.write("trials", located(frame, **where))
    job.write("paths", located(paths, **where))
