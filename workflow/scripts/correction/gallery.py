"""Choose mis-predictions, and the training examples that influence them most, for people to look at."""

import pandas as pd
import torch
from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.correction.gallery import gallery, with_text
from fading.experiments.correction.interventions import Trained
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
    scored = zip(settings["estimators"], job.read("scores"), strict=True)
    scores = {name: torch.as_tensor(by_place(arrays, len(case.train), among)) for name, arrays in scored}
    frames = []
    for target in trained.wrong(TARGETS):
        ranked = rankings(case, target, {name: of_all[:, target] for name, of_all in scores.items()})
        for name in scores:
            shown = gallery(trained, target, ranked[name], arrays, settings["labels"])
            frames.append(located(shown, case=job.wildcards["case"], seed=settings["seed"], method=name))
    rows = with_text(pd.concat(frames, ignore_index=True), job.read("source", optional=True))
    job.write("gallery", rows)
