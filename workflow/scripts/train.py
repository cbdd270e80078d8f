"""Train a case from the start and keep its checkpoints and learning curve."""

import pandas as pd
from fading.cases import initial_parameters, open_case
from fading.job import Job
from fading.optimizers import optimizer
from fading.training import batches, pack, train

with Job(snakemake) as job:
    settings, weights = job.settings, job.read("weights", optional=True)
    case = open_case(settings, job.read("examples"))
    theta = initial_parameters(settings, case, job.seed, weights)
    steps = job.progress(batches(job.read("order")))
    checkpoints, curve = train(case, theta, steps, optimizer(settings), settings["checkpoints"])
    job.write("checkpoints", pack(case, checkpoints))
    job.write("curve", pd.DataFrame(curve))
