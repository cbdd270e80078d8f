"""Join the frames of all cases, seeds and regimes into one public table."""

import pandas as pd
from fading.job import Job

with Job(snakemake) as job:
    job.write("table", pd.concat(job.read("frames"), ignore_index=True))
