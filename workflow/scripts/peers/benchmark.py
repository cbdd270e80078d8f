"""Print the benchmark's table where the workflow runs."""

from fading.artefacts.job import Job

with Job(snakemake) as job:
    table = job.read("table")
    for case, rows in table.groupby("case", sort=False):
        job.show(f"\n{case}\n{rows.drop(columns='case').to_string(index=False, float_format='{:.3g}'.format)}")
