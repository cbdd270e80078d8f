"""Choose mis-predictions, and the training examples that influence them most, for people to look at."""

import pandas as pd
import torch
from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.correction.gallery import gallery, with_text
from fading.experiments.correction.interventions import Trained
from fading.experiments.correction.names import GRADIENT_DOT
from fading.experiments.correction.rankings import rankings
from fading.experiments.effects import by_place
from fading.models.case import open_case
from fading.training.order import candidates
from fading.training.segment import unpack

TARGETS = 3

with Job(snakemake) as job:
    settings, arrays = job.settings, job.read("examples")
    case, step = open_case(settings, arrays), settings["from"]
    state = unpack(case, job.read("checkpoints"), step)
    trained = Trained(case, state, step, [], others=len(case.test), seed=settings["seed"])
    among = candidates(len(case.train), settings)
    scores = torch.as_tensor(by_place(job.read("scores"), len(case.train), among))
    frames = []
    for target in trained.wrong(TARGETS):
        ranking = rankings(case, target, {GRADIENT_DOT: scores[:, target]})[GRADIENT_DOT]
        frames.append(gallery(trained, target, ranking, arrays, settings["labels"]))
    rows = with_text(pd.concat(frames, ignore_index=True), job.read("source", optional=True))
    job.write("gallery", located(rows, case=job.wildcards["case"], seed=settings["seed"], method=GRADIENT_DOT))
