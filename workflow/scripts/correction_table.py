"""Average corrections over targets and seeds, or compare them with controls on the same targets."""

import pandas as pd
from fading.corrections import paired, summary
from fading.job import Job

TABLES = {"correction": summary, "correction-paired": paired}

with Job(snakemake) as job:
    trials = pd.concat(job.read("trials"), ignore_index=True)
    job.write("table", TABLES[job.wildcards["table"]](trials))
