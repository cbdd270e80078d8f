"""Average the leave-one-out correlations of each case and estimator, over examples and seeds."""

import pandas as pd
from fading.job import Job
from fading.tables import leave_one_out_summary

with Job(snakemake) as job:
    correlations = pd.concat(job.read("correlations"), ignore_index=True)
    job.write("table", leave_one_out_summary(correlations))
