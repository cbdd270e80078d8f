"""Average corrections over targets and seeds, and compare them with controls on the same targets."""

import pandas as pd
from fading.corrections import paired, summary
from fading.job import Job

with Job(snakemake) as job:
    trials = pd.concat(job.read("trials"), ignore_index=True)
    job.write("summary", summary(trials))
    job.write("paired", paired(trials))
