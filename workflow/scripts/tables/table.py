"""Join the frames of all cases, seeds and regimes into one public table, or into what an experiment makes of them."""

from importlib import import_module

import pandas as pd
from fading.artefacts.job import Job
from fading.evidence.tables import interval_over_seeds

with Job(snakemake) as job:
    table = pd.concat(job.read("frames"), ignore_index=True)
    if "mean" in job.settings:
        table = interval_over_seeds(table, job.settings["mean"])
    if "by" in job.settings:
        module, _, function = job.settings["by"].rpartition(".")
        table = getattr(import_module(f"fading.{module}"), function)(table)
    job.write("table", table)
