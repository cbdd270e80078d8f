"""Leave out the training examples that hold a prediction up most, by each ranking, and retrain."""

import pandas as pd
import torch
from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.flips import flips, predicted_right
from fading.models.case import open_case
from fading.training.optimizers import make_optimizer
from fading.training.segment import Segment, batches, unpack

with Job(snakemake) as job:
    settings, checkpoints = job.settings, job.read("checkpoints")
    case = open_case(settings, job.read("examples"))
    order = batches(job.read("order"))
    whole = Segment(case, unpack(case, checkpoints, 0), order, make_optimizer(settings))
    scored = dict(zip(settings["estimators"], job.read("scores"), strict=True))
    scores = {name: torch.as_tensor(arrays["scores"]) for name, arrays in scored.items()}
    end = unpack(case, checkpoints, settings["step"])[0]

    def flipped(target):
        return {"flips": flips(whole, end, scores, settings["rankings"], target, settings["counts"])}

    targets = predicted_right(case, end, scores, settings["targets"])
    frame = pd.concat([job.once(f"test-{t}", flipped, t)["flips"] for t in job.progress(targets)], ignore_index=True)
    job.write("flips", located(frame, case=job.wildcards["case"], seed=settings["seed"]))
