"""Judge every claim by the study's tables, and tell how much it would take to decide each."""

from fading.artefacts.job import Job
from fading.evidence.claims import COLUMNS, POWER, judge

with Job(snakemake) as job:
    claims = job.settings["claims"]
    tables = dict(zip(job.settings["tables"], job.read("tables"), strict=True))
    judged = judge(claims, tables)
    job.write("claims", judged[[*COLUMNS]])
    job.write("power", judged[[*POWER]])
