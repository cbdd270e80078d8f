"""Train a case from the start and keep its checkpoints and learning curve."""

import pandas as pd
from fading.artefacts.job import Job
from fading.models.case import initial_parameters, open_case
from fading.training.optimizers import make_optimizer
from fading.training.segment import Segment, batches, pack, train

with Job(snakemake) as job:
    settings, weights = job.settings, job.read("weights", optional=True)
    case, optimizer = open_case(settings, job.read("examples")), make_optimizer(settings)
    start = optimizer.start(initial_parameters(settings, case, weights))
    whole = Segment(case, start, batches(job.read("order")), optimizer)
    checkpoints, curve = train(whole, settings["checkpoints"], job.progress)
    job.write("checkpoints", pack(case, checkpoints))
    job.write("curve", pd.DataFrame(curve))
