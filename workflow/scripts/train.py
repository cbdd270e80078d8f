"""Train a case from the start and keep its checkpoints and learning curve."""

import pandas as pd
from fading.cases import initial_parameters, open_case
from fading.job import Job
from fading.training import batches, pack, train

with Job(snakemake) as job:
    weights = job.read("weights", optional=True)
    case = open_case(job.settings, job.read("examples"))
    theta = initial_parameters(job.settings, case, int(job.wildcards["seed"]), weights)
    steps = job.progress(batches(job.read("order")))
    checkpoints, curve = train(case, theta, steps, job.settings)
    job.write("checkpoints", pack(case, checkpoints))
    job.write("curve", pd.DataFrame(curve))
