"""Compare scores between checkpoints, data orders and seeds."""

import pandas as pd
from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.trajectory import agreement, by_estimator

with Job(snakemake) as job:
    settings, frames = job.settings, []
    runs = {name: by_estimator(settings["estimators"], job.read(name)) for name in ("checkpoints", "orders", "seeds")}
    for estimator in settings["estimators"]:
        checkpoints = dict(zip(settings["checkpoints"], runs["checkpoints"][estimator], strict=True))
        alike = agreement(checkpoints, runs["orders"][estimator], runs["seeds"][estimator])
        frames.append(located(alike, case=job.wildcards["case"], estimator=estimator))
    job.write("agreement", pd.concat(frames, ignore_index=True))
