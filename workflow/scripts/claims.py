"""Judge every claim by the study's tables."""

from fading.claims import judge
from fading.job import Job

with Job(snakemake) as job:
    claims = job.settings["claims"]
    tables = dict(zip(dict.fromkeys(claim["table"] for claim in claims), job.read("tables"), strict=True))
    job.write("claims", judge(claims, tables))
