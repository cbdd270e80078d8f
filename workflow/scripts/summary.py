"""Average a column over examples and seeds, with its interval, for each value of all other columns."""

import pandas as pd
from fading.job import Job
from fading.tables import interval_over_seeds

with Job(snakemake) as job:
    frame = pd.concat(job.read("frames"), ignore_index=True)
    job.write("table", interval_over_seeds(frame, job.settings["value"]))
