"""Compare scores between checkpoints, data orders and seeds."""

import pandas as pd
from fading.assumptions.trajectory import agreement
from fading.job import Job
from fading.tables import by_estimator, located

with Job(snakemake) as job:
    settings, frames = job.settings, []
    read = {name: [by_estimator([file]) for file in job.read(name)] for name in ("checkpoints", "orders", "seeds")}
    for estimator in settings["estimators"]:
        runs = {name: [file[estimator] for file in files] for name, files in read.items()}
        runs["checkpoints"] = dict(zip(settings["checkpoints"], runs["checkpoints"], strict=True))
        frames.append(located(agreement(**runs), case=job.wildcards["case"], estimator=estimator))
    job.write("agreement", pd.concat(frames, ignore_index=True))
