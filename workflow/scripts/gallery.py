"""Choose mis-predictions, and the training examples that influence them most, for people to look at."""

import pandas as pd
import torch
from fading.cases import open_case
from fading.correction import Trained, rankings
from fading.gallery import gallery, with_text
from fading.job import Job
from fading.tables import by_estimator, located
from fading.training import unpack

with Job(snakemake) as job:
    settings, arrays = job.settings, job.read("examples")
    case = open_case(settings, arrays)
    trained = Trained(
        case, unpack(case, job.read("checkpoints"), settings["from"]), settings["from"], [], len(case.test)
    )
    scores = {name: torch.from_numpy(one["scores"]) for name, one in by_estimator(job.read("scores")).items()}
    frames = []
    for target in trained.wrong(settings["targets"]):
        ranking = rankings(case, target, {name: array[:, target] for name, array in scores.items()})[settings["method"]]
        frames.append(gallery(trained, target, ranking, arrays, settings["dataset"]))
    rows = with_text(pd.concat(frames, ignore_index=True), settings["dataset"], job.read("source"))
    job.write("gallery", located(rows, case=job.wildcards["case"], seed=job.seed, method=settings["method"]))
