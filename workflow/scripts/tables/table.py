"""Join the frames of all cases, runs and regimes into one public table, or into what an experiment makes of them."""

from importlib import import_module

import pandas as pd
from fading.artefacts.job import Job
from fading.evidence.tables import averaged

with Job(snakemake) as job:
    table = pd.concat(job.read("frames"), ignore_index=True)
    if "mean" in job.settings:
        table = averaged(table, job.settings["mean"], job.settings["by"], job.settings["scale"])
    if "function" in job.settings:
        module, _, function = job.settings["function"].rpartition(".")
        table = getattr(import_module(f"fading.{module}"), function)(table)
    job.write("table", table)
