"""Train a case from the start and keep its checkpoints and learning curve."""

import pandas as pd
from fading.cases import initial_parameters, open_case
from fading.job import Job
from fading.training import batches, pack, train

with Job(snakemake) as job:
    training = job.settings["training"]
    weights = job.read("weights") if "weights" in snakemake.input.keys() else None
    case = open_case(job.settings, job.read("examples"))
    theta = initial_parameters(job.settings, case, int(job.wildcards["seed"]), weights)
    steps = job.progress(batches(job.read("order"), 0, training["steps"]))
    checkpoints, curve = train(case, theta, steps, training)
    job.write("checkpoints", pack(case, checkpoints))
    job.write("curve", pd.DataFrame(curve))
