"""Judge every claim by the study's tables."""

from fading.artefacts.job import Job
from fading.evidence.claims import judge

with Job(snakemake) as job:
    claims = job.settings["claims"]
    tables = dict(zip(job.settings["tables"], job.read("tables"), strict=True))
    job.write("claims", judge(claims, tables))
